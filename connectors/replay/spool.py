"""The first pass over recorded files: what streams there are, how long they last, and all lines by time.

The lines lie in a private temporary SQLite database (it deletes itself) and come out sorted by SQLite's
external merge sort, so memory stays bounded for files of any length, lines out of order are put in order,
and the order depends on the files alone.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from connectors.replay.lines import read_lines
from connectors.replay.recorded_line import channel_of, parse_line
from schemas.codecs import InvalidRecordError

_BATCH: Final = 2_000
_CACHE_KIB: Final = 64 * 1024


@dataclass
class RecordedStream:
    """One broadcast of the recording; `start_ms` and `end_ms` count from the start of its channel."""

    name: str
    channel: str
    lines: int = 0
    length_ms: int = 0
    start_ms: int = 0
    files: list[int] = field(default_factory=list)
    """Indices of the files that hold lines of it."""

    @property
    def end_ms(self) -> int:
        """When its last line was said."""
        return self.start_ms + self.length_ms


class SpooledLine(NamedTuple):
    """A line that can be decoded: `at_ms` from the start of the channel, index of its stream and file."""

    at_ms: int
    stream: int
    file: int
    number: int
    raw: bytes


class RefusedLine(NamedTuple):
    """A line that is no recorded chat, and why."""

    file: int
    number: int
    raw: bytes
    error: InvalidRecordError


class Spool:
    """All lines of some files, to be read in time order as often as one likes. Close it after use."""

    def __init__(self) -> None:
        self.streams: list[RecordedStream] = []
        self.authors: set[str] = set()
        """Casefolded names of all who wrote."""
        self._index: dict[str, int] = {}
        # an empty name is SQLite's private on-disk database; one thread at a time uses it
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(
            f"""
            PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE line (stream INT, offset_ms INT, file INT, number INT, raw BLOB);
            CREATE TABLE refused (file INT, number INT, raw BLOB, class TEXT, detail TEXT);
            CREATE TABLE start (stream INTEGER PRIMARY KEY, at_ms INT);
            BEGIN;
            """
        )

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the lines; iterators over them end with an error."""
        self._db.close()

    @property
    def length_ms(self) -> int:
        """How long the longest channel lasts, its broadcasts one after another."""
        return max((stream.end_ms for stream in self.streams), default=0)

    def read(
        self,
        paths: Sequence[Path],
        on_bytes: Callable[[int], None] | None = None,
        limit: int | None = None,
    ) -> None:
        """Take in the files (once); afterwards streams, authors and lines are complete.

        Args:
            paths: the files, in order.
            on_bytes: told of each so many bytes read from disk.
            limit: stop after so many chat lines.

        Raises:
            OSError: a file cannot be opened or read.
        """
        parsed = (row for index, path in enumerate(paths) for row in self._parse(index, path, on_bytes))
        rows = islice(parsed, limit)
        while batch := list(islice(rows, _BATCH)):
            self._db.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", batch)
        self._place_streams()
        self._db.execute("COMMIT")

    def refused(self) -> Iterator[RefusedLine]:
        """The lines that could not be read, in file order."""
        rows = self._db.execute("SELECT * FROM refused ORDER BY file, number")
        for file, number, raw, error_class, detail in rows:
            yield RefusedLine(file, number, raw, InvalidRecordError(error_class, detail))

    def lines(self) -> Iterator[SpooledLine]:
        """All other lines by time; at equal times in the order of the files and their lines."""
        rows = self._db.execute(
            """
            SELECT start.at_ms + line.offset_ms AS at_ms, line.stream, line.file, line.number, line.raw
            FROM line JOIN start USING (stream) ORDER BY at_ms, file, number
            """
        )
        return map(SpooledLine._make, rows)

    def _parse(
        self, file: int, path: Path, on_bytes: Callable[[int], None] | None
    ) -> Iterator[tuple[int, int, int, int, bytes]]:
        for number, raw, broken in read_lines(path, on_bytes):
            try:
                if broken is not None:
                    raise broken
                line = parse_line(raw)
            except InvalidRecordError as error:
                row = (file, number, raw, error.error_class, str(error))
                self._db.execute("INSERT INTO refused VALUES (?, ?, ?, ?, ?)", row)
                continue
            index = self._stream_index(line.stream)
            stream = self.streams[index]
            offset_ms = int(line.offset_ms)
            stream.lines += 1
            stream.length_ms = max(stream.length_ms, offset_ms)
            if file not in stream.files[-1:]:
                stream.files.append(file)
            self.authors.add(line.author.casefold())
            yield index, offset_ms, file, number, raw

    def _stream_index(self, name: str) -> int:
        if (index := self._index.get(name)) is None:
            index = self._index[name] = len(self.streams)
            self.streams.append(RecordedStream(name, channel_of(name)))
        return index

    def _place_streams(self) -> None:
        """Broadcasts of a channel follow one another by first appearance; channels begin together."""
        ends: dict[str, int] = {}
        for stream in self.streams:
            stream.start_ms = ends.get(stream.channel, 0)
            ends[stream.channel] = stream.end_ms
        starts = ((index, stream.start_ms) for index, stream in enumerate(self.streams))
        self._db.executemany("INSERT INTO start VALUES (?, ?)", starts)
