"""What a recording holds, read straight from the files, apart from the connector whose work it checks."""

import gzip
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass
class RecordedStream:
    """One broadcast of the files, a row a line, in the files' order."""

    files: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Line numbers, from 1."""
    offsets_ms: list[int] = field(default_factory=list)
    authors: list[int] = field(default_factory=list)
    """Small integers, one an author name, upper and lower case being the same."""

    def message_ids(self, stream_id: str) -> list[str]:
        """The id of each line's message: its number, after a further file of the stream that file's index."""
        first = self.files[0]
        return [
            f"{stream_id}/{number}" if file == first else f"{stream_id}/{file}:{number}"
            for file, number in zip(self.files, self.numbers, strict=True)
        ]

    def positions(self) -> list[tuple[int, int]]:
        """File index and line number of each line."""
        return list(zip(self.files, self.numbers, strict=True))

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Offsets in ms and authors, as arrays."""
        return np.asarray(self.offsets_ms, dtype=np.int64), np.asarray(self.authors, dtype=np.int64)


@dataclass
class Recording:
    """Everything in some input files that the store must hold afterwards, as message or as dead letter."""

    streams: dict[str, RecordedStream]
    unreadable: list[tuple[int, int]]
    """File index and line number of lines that are no chat line at all."""

    @property
    def lines(self) -> int:
        """Lines that are not blank."""
        return len(self.unreadable) + sum(len(stream.numbers) for stream in self.streams.values())


def read_recording(paths: Sequence[Path]) -> Recording:
    """Read recorded chat, plain or gzip; blank lines count for line numbers and nothing else.

    A file whose gzip data breaks off counts one unreadable line after its last whole one.

    Raises:
        OSError: a file cannot be opened or read.
    """
    recording = Recording({}, [])
    names: dict[str, int] = {}
    for file, path in enumerate(paths):
        for number, line in numbered_lines(path):
            fields = _chat_line(line)
            if fields is None:
                recording.unreadable.append((file, number))
                continue
            name, offset_ms, author = fields
            stream = recording.streams.setdefault(name, RecordedStream())
            stream.files.append(file)
            stream.numbers.append(number)
            stream.offsets_ms.append(offset_ms)
            stream.authors.append(names.setdefault(author.casefold(), len(names)))
    return recording


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, numbered from 1; an empty last one where gzip data breaks off."""
    number = 0
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield number + 1, b""


def _chat_line(line: bytes) -> tuple[str, int, str] | None:
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    stream, offset, author, text = (value.get(key) for key in ("stream", "offset_ms", "author", "text"))
    if not (isinstance(stream, str) and stream and isinstance(author, str) and isinstance(text, str)):
        return None
    if isinstance(offset, bool) or not isinstance(offset, int | float):
        return None
    if not 0 <= offset < math.inf:  # NaN is a number that Python's reader of JSON takes
        return None
    return stream, int(offset), author
