"""The recorded-chat line and the ground truth of an event, and how both are written."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

RECORDINGS: Final = Path(__file__).parent / "recordings"
"""Folder of the bundled recordings."""


class Line(msgspec.Struct, kw_only=True, frozen=True):
    """One line of recorded chat; times in ms since the stream began; unset fields are not written."""

    stream: str
    offset_ms: int
    author: str
    text: str
    emotes: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    bits: int = 0
    first_message: bool | UnsetType = UNSET
    account_age_s: int | UnsetType = UNSET


class Truth(msgspec.Struct, kw_only=True, frozen=True):
    """Ground truth of one event: its own lines, not what the audience answers to an attack."""

    stream: str
    """Where it began; of a wave, the first of `channels`."""
    kind: str
    """Kind of the event in the scenario."""
    alert: str | None
    """The alert kind that a detector should raise; null: none of the attack kinds."""
    hostile: bool
    family: str
    """What the attack is made of, for splits by family."""
    started_at_ms: int
    ended_at_ms: int
    first_hostile_ms: int | None
    fifth_account_ms: int | None
    """First line of the fifth distinct hostile account; null where there are fewer."""
    accounts: int
    messages: int
    channels: tuple[str, ...]
    parameters: dict[str, float | str | bool]
    """What the seed drew."""


def encode_lines(records: Iterable[msgspec.Struct]) -> bytes:
    """JSON lines, UTF-8."""
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(record) + b"\n" for record in records)


def write_lines(path: Path, records: Iterable[msgspec.Struct]) -> None:
    """Write JSON lines as `write_bytes` does."""
    write_bytes(path, encode_lines(records))


def write_bytes(path: Path, payload: bytes) -> None:
    """Write, compressed where the name ends in .gz; the same payload gives the same bytes (no time stamp)."""
    path.write_bytes(gzip.compress(payload, 9, mtime=0) if path.suffix == ".gz" else payload)
