"""Recorded chat by streams: which may teach, which are held out."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.training.datasets import DEV, TEST, TRAIN

_DEV_FROM: Final = 0.7
_TEST_FROM: Final = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a recording."""

    stream: str
    """`channel/broadcast`."""
    number: int
    """Line of the file, from 1."""
    offset_ms: int
    text: str
    emotes: tuple[str, ...]
    """Names that the platform marked as emotes, where the recording has them."""

    @property
    def channel(self) -> str:
        """The part of `stream` before the broadcast."""
        return self.stream.partition("/")[0]


def part_of(stream: str) -> int:
    """TRAIN (70 %), DEV (10 %) or TEST (20 %) of the streams, by a hash that never changes."""
    digest = hashlib.blake2b(b"emotes" + stream.encode(), digest_size=6).digest()
    share = int.from_bytes(digest) / 2**48
    return TRAIN if share < _DEV_FROM else DEV if share < _TEST_FROM else TEST


def log_files(data: Path) -> list[Path]:
    """Recordings in the shared data folder, in the order of their names; none where they are missing."""
    return sorted((data / "logs").glob("*.jsonl.gz"))


def read_lines(file: Path, *parts: int) -> Iterator[Line]:
    """Lines of a recording whose stream belongs to one of `parts`, in the order of the file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            record = json.loads(line)
            if part_of(record["stream"]) in parts:
                yield Line(
                    record["stream"], number, record["offset_ms"], record["text"],
                    tuple(record.get("emotes") or ()),
                )  # fmt: skip
