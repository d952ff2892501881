"""Recorded files as the tests of the replay write and read them."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connectors.core.pseudonyms import Pseudonyms
from connectors.replay import recorded_records
from schemas.records import ChatMessage, DeadLetter

START = 1_795_000_000_000
NOW = START + 77
PSEUDONYMS = Pseudonyms("k1", bytes(32), "replay")


def line(stream: str, offset_ms: Any, author: str = "u1", text: str = "hi", **more: Any) -> bytes:
    return json.dumps(
        {"stream": stream, "offset_ms": offset_ms, "author": author, "text": text} | more
    ).encode()


def write(folder: Path, *lines: bytes, name: str = "chat.jsonl") -> Path:
    path = folder / name
    content = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def read(*paths: Path, **options: Any) -> tuple[list[ChatMessage], list[DeadLetter]]:
    letters: list[DeadLetter] = []
    records = recorded_records(
        paths,
        run_id="r",
        started_at_ms=START,
        pseudonyms=PSEUDONYMS,
        dead_letter=letters.append,
        now_ms=lambda: NOW,
        **options,
    )
    return list(records), letters


def chat(records: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [record for record in records if record.kind == "message"]


def heartbeats(records: Sequence[ChatMessage]) -> list[tuple[str, int, int, bool]]:
    """(stream, from, to, closing), times counted from START."""
    return [
        (record.stream_id[2:], (record.span_from or 0) - START, (record.span_to or 0) - START, record.closing)
        for record in records
        if record.kind == "heartbeat"
    ]
