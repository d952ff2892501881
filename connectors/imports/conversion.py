"""Exports to recorded chat: read once, sorted on disk, written oldest first."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connectors.imports.export import Export
from connectors.imports.formats import READERS, TIMELESS, Format, format_of, has_times
from connectors.imports.line import RefusedItem, SkippedItem, TimedLine
from connectors.replay.recorded_line import MAX_FIGURE, MAX_OFFSET_MS
from connectors.replay.records import NEVER_MS, RecordingError
from schemas.codecs import EARLIEST_MS, InvalidRecordError

_BATCH: Final = 2_000
_CACHE_KIB: Final = 64 * 1024
_encoder = msgspec.json.Encoder()


class UnknownFormatError(ValueError):
    """A file's content is none of the formats; the message names them."""


class Refused(NamedTuple):
    """Where an export could not be read, and why; holds no text of it."""

    path: Path
    item: RefusedItem

    def __str__(self) -> str:
        unit = "" if self.item.unit == "line" else f"{self.item.unit} "
        return f"{self.path.name}:{unit}{self.item.number}: {self.item.error.error_class}: {self.item.error}"


@dataclass
class _Stream:
    name: str
    absolute: bool
    first_ms: int | None
    """Time of its oldest line; null where the lines have none."""
    last_ms: int
    order: int

    @property
    def base_ms(self) -> int:
        """What offset 0 is: the oldest line of absolute times, else the broadcast's start or earlier."""
        return (self.first_ms or 0) if self.absolute else min(0, self.first_ms or 0)

    @property
    def spans_years(self) -> bool:
        """Whether its offsets would be absurd."""
        return self.absolute and self.last_ms - self.base_ms > MAX_OFFSET_MS


@dataclass
class Conversion:
    """Reads exports into a private temporary database and writes them as recorded chat; close it after use.

    Lines of a stream come oldest first, equal times in the order of files and lines; streams follow one
    another by their first line where they have dates, else in the order in which they appear. Offset 0 is the
    start of the broadcast where the export knows it, else its oldest line. A stream longer than recorded chat
    may be (chats of years) becomes one stream a year. Lines without times keep the order of the file and have
    `offset_ms` null.
    """

    on_refused: Callable[[Refused], None]
    lines: int = 0
    refused: int = 0
    skipped: int = 0
    """Valid entries that are no chat line."""
    _streams: dict[str, _Stream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # an empty name is SQLite's private on-disk database
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(
            f"""
            PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE line (stream INT, at_ms INT, file INT, number INT, said BLOB);
            BEGIN;
            """
        )
        self._files = 0

    def __enter__(self) -> "Conversion":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete what was read."""
        self._db.close()

    def read(self, export: Export, format_: Format | None = None) -> Format:
        """Take in one file; returns its format.

        Raises:
            UnknownFormatError: no format was given, and the content is none of them.
            OSError: the file cannot be read.
        """
        found = format_ or _importable(export)
        rows = self._rows(export, READERS[found](export))
        while batch := list(islice(rows, _BATCH)):
            self._db.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", batch)
        self._files += 1
        return found

    def recorded(self) -> Iterator[bytes]:
        """All lines as JSON, without line breaks."""
        for stream in sorted(self._streams.values(), key=_by_beginning):
            rows = self._db.execute(
                "SELECT at_ms, said FROM line WHERE stream = ? ORDER BY at_ms, file, number", (stream.order,)
            )
            name, base_ms, year = _encoder.encode(stream.name), stream.base_ms, 0
            for at_ms, said in rows:
                if stream.spans_years and _year(at_ms) != year:
                    year, base_ms = _year(at_ms), at_ms
                    name = _encoder.encode(f"{stream.name}-{year}")
                offset = b"null" if at_ms is None else b"%d" % (at_ms - base_ms)
                yield b'{"stream":%s,"offset_ms":%s,%s' % (name, offset, said[1:])

    def _rows(
        self, export: Export, items: Iterable[TimedLine | RefusedItem | SkippedItem]
    ) -> Iterator[tuple[int, int | None, int, int, bytes]]:
        for item in items:
            if isinstance(item, TimedLine):
                if absurd := _absurd(item):
                    self.refused += 1
                    self.on_refused(Refused(export.path, RefusedItem(item.number, absurd)))
                    continue
                self.lines += 1
                stream = self._stream(item)
                yield stream.order, item.at_ms, self._files, item.number, _encoder.encode(item.said)
            elif isinstance(item, RefusedItem):
                self.refused += 1
                self.on_refused(Refused(export.path, item))
            else:
                self.skipped += 1

    def _stream(self, line: TimedLine) -> _Stream:
        stream = self._streams.get(line.stream)
        if stream is None:
            stream = _Stream(line.stream, line.absolute, line.at_ms, line.at_ms or 0, len(self._streams))
            self._streams[line.stream] = stream
        elif line.at_ms is not None and stream.first_ms is not None:
            stream.first_ms = min(stream.first_ms, line.at_ms)
            stream.last_ms = max(stream.last_ms, line.at_ms)
        return stream


def has_no_times(export: Export) -> bool:
    """Whether nothing says when the lines of a file were said.

    Raises:
        OSError: the file cannot be opened.
    """
    found = format_of(export)
    return found in TIMELESS or (found == "recording" and not has_times(export))


def require_times(export: Export) -> None:
    """For what needs times.

    Raises:
        RecordingError: the file has none; the message says what to do.
        OSError: the file cannot be opened.
    """
    if has_no_times(export):
        raise RecordingError(
            f"{export.path.name} does not say when its lines were said (bare IRC without `tmi-sent-ts`), and "
            "this command needs times; take a log with tags (justlog, rustlog) or another export"
        )


def _importable(export: Export) -> Format:
    found = format_of(export)
    if found is None:
        raise UnknownFormatError(
            f"{export.path.name}: none of the known formats; name one with --format: {', '.join(READERS)}"
        )
    if found == "recording":
        raise UnknownFormatError(
            f"{export.path.name} is recorded chat already; `pulse detect` and `pulse replay` read it as it is"
        )
    return found


def _absurd(line: TimedLine) -> InvalidRecordError | None:
    """What recorded chat would refuse."""
    if line.at_ms is not None:
        least, most = (EARLIEST_MS, NEVER_MS) if line.absolute else (-MAX_OFFSET_MS, MAX_OFFSET_MS)
        if not least <= line.at_ms <= most:
            return InvalidRecordError("absurd_time", "the line's time cannot be")
    bits = line.said.bits
    if bits is not msgspec.UNSET and not 0 <= bits <= MAX_FIGURE:
        return InvalidRecordError("wrong_type", f"bits or money not within 0..{MAX_FIGURE}")
    return None


def _year(at_ms: int) -> int:
    return datetime.fromtimestamp(at_ms / 1000, UTC).year


def _by_beginning(stream: _Stream) -> tuple[int, int]:
    return (stream.first_ms or 0 if stream.absolute else 0, stream.order)
