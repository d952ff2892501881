"""A file of an export: plain or gzip, opened as often as a reader needs."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from connectors.replay.lines import RawLine, read_lines

HEAD_BYTES: Final = 1 << 18
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SUFFIXES: Final = (".gz", ".json", ".jsonl", ".live_chat", ".txt", ".irc", ".log")


@dataclass(frozen=True)
class Export:
    """A file on disk; `on_bytes` is told what a reader's main pass has read (bytes as on disk)."""

    path: Path
    on_bytes: Callable[[int], None] | None = None

    @property
    def stem(self) -> str:
        """The file's name without the endings of exports."""
        name = self.path.name
        while suffix := next((end for end in _SUFFIXES if name.lower().endswith(end) and name != end), ""):
            name = name[: -len(suffix)]
        return name

    def lines(self) -> Iterator[RawLine]:
        """Numbered lines that are not blank, damage as a broken last line.

        Raises:
            OSError: the file cannot be read.
        """
        return read_lines(self.path, self.on_bytes)

    def open(self, on_bytes: Callable[[int], None] | None = None) -> IO[bytes]:
        """The bytes, unpacked; reading may raise EOFError or zlib.error where gzip data is damaged.

        Raises:
            OSError: the file cannot be opened.
        """
        raw = self.path.open("rb")
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        counted = cast("IO[bytes]", _Counted(raw, on_bytes)) if on_bytes else raw
        return cast("IO[bytes]", gzip.GzipFile(fileobj=counted)) if packed else counted

    def head(self) -> bytes:
        """The first HEAD_BYTES without a byte order mark; less where the file is shorter or damaged.

        Raises:
            OSError: the file cannot be opened.
        """
        found = bytearray()
        with self.open() as file:
            try:
                while len(found) < HEAD_BYTES and (chunk := file.read(HEAD_BYTES - len(found))):
                    found += chunk
            except Exception as error:
                if not is_damage(error):
                    raise
        return bytes(found).removeprefix(b"\xef\xbb\xbf")


def is_damage(error: Exception) -> bool:
    """Whether reading failed because gzip data is damaged or breaks off."""
    return isinstance(error, EOFError | gzip.BadGzipFile) or type(error).__module__ == "zlib"


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], on_bytes: Callable[[int], None]) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def read(self, size: int = -1) -> bytes:
        """As the file's."""
        chunk = self._file.read(size)
        self._on_bytes(len(chunk))
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
