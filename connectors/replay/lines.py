"""Files, plain or gzip, to numbered lines of bytes; bounded in memory, whatever the file holds."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from schemas.codecs import InvalidRecordError

MAX_LINE_BYTES: Final = 11 * 1024 * 1024
"""Longer lines are cut here: their base64 must fit into a record of chat.dlq.v1 (16 MiB)."""
_CHUNK_BYTES: Final = 1 << 18
_GZIP_MAGIC: Final = b"\x1f\x8b"


class RawLine(NamedTuple):
    """One line without its line break; `broken` says why the bytes are not a whole line, else it is null."""

    number: int
    raw: bytes
    broken: InvalidRecordError | None = None


def read_lines(path: Path, on_bytes: Callable[[int], None] | None = None) -> Iterator[RawLine]:
    """Yield each line of the file that is not blank, numbered from 1 as an editor numbers them.

    A gzip file is known by its first bytes, not by its name. A file that ends in the middle of its gzip
    data, or is damaged, gives all lines before the damage and then one broken line with what was left.

    Args:
        path: the file.
        on_bytes: told after each chunk how many bytes of the file (as on disk) were read; not for pipes.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as file:
        head = file.peek(2)[:2]  # a pipe cannot go back
        if not file.seekable():
            on_bytes = None
        chunks = _gzip_chunks(file, on_bytes) if head == _GZIP_MAGIC else _plain_chunks(file, on_bytes)
        yield from _split(chunks)


class _DamagedError(Exception):
    """The rest of the file cannot be decompressed."""


def _plain_chunks(file: BinaryIO, on_bytes: Callable[[int], None] | None) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        if on_bytes:
            on_bytes(len(chunk))
        yield chunk


def _gzip_chunks(file: BinaryIO, on_bytes: Callable[[int], None] | None) -> Iterator[bytes]:
    done = 0
    with gzip.GzipFile(fileobj=file) as unzipped:
        while True:
            try:
                chunk = unzipped.read1(_CHUNK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise _DamagedError(str(error)) from None
            if not chunk:
                return
            if on_bytes:
                on_bytes(file.tell() - done)
                done = file.tell()
            yield chunk


def _split(chunks: Iterator[bytes]) -> Iterator[RawLine]:
    number = 1
    rest = bytearray()
    cut = 0
    damage = ""
    try:
        for chunk in chunks:
            *whole, tail = chunk.split(b"\n")
            for piece in whole:
                if rest:
                    cut += _append(rest, piece)
                    piece = bytes(rest)
                    rest.clear()
                if line := _line(number, piece, cut):
                    yield line
                cut = 0
                number += 1
            cut += _append(rest, tail)
    except _DamagedError as error:
        damage = f"the file is damaged from here on: {error}"
    if damage:
        yield RawLine(number, bytes(rest), InvalidRecordError("source_line", damage))
    elif line := _line(number, bytes(rest), cut):
        yield line


def _append(rest: bytearray, piece: bytes) -> int:
    """Add what fits; returns how many bytes did not."""
    room = MAX_LINE_BYTES - len(rest)
    rest += piece[:room]
    return max(0, len(piece) - room)


def _line(number: int, raw: bytes, cut: int) -> RawLine | None:
    if number == 1:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    raw = raw.removesuffix(b"\r")
    if cut:
        detail = f"the line has {len(raw) + cut} bytes; the first {len(raw)} are kept"
        return RawLine(number, raw, InvalidRecordError("oversized", detail))
    return RawLine(number, raw) if raw and not raw.isspace() else None
