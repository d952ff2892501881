"""The sink: Kafka topics to the store, each record at least once, counted once by the tables' keys.

Order of a batch: check, insert (on disk), dead letters acknowledged, commit. A crash anywhere before the
commit repeats the batch, which changes nothing in the views.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from clickhouse_connect.driver.exceptions import Error as DriverError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from connectors.clickhouse.metrics import SinkMetrics
from connectors.clickhouse.routes import DEAD_LETTERS, ROUTES, Identity, Route, Row
from connectors.clickhouse.source import (
    CommitRefusedError,
    DeadLetterError,
    DeadLetterSink,
    Offsets,
    RowSource,
)
from connectors.clickhouse.writer import Writer
from connectors.core.failpoint import failpoint
from connectors.core.tracing import Arrived, Traces
from schemas.codecs import InvalidRecordError, encode
from schemas.records import DeadLetter, ErrorClass

log = logging.getLogger(__name__)

Live = Callable[[Sequence[msgspec.Struct]], None]
"""Called with freshly stored records, on the sink's thread; must not block or raise."""

_POLL_ROWS: Final = 4_000
_POLL_S: Final = 0.05
_LAG_EVERY_S: Final = 1.0
_REFUSALS_LOGGED: Final = 5
"""Of one batch: a flood of bad records must not become a flood of log lines."""


class SinkStopped(Exception):
    """The sink was told to stop while a batch waited for the store; the batch is read again next time."""


@dataclass(frozen=True)
class Limits:
    """When a table's batch is due: about one insert a second and table.

    An insert costs tens of milliseconds however few its rows are, so on a loaded machine fewer and larger
    ones are made: a table is inserted into for no more than its share of the time, up to `longest_age_s`.

    Attributes:
        age_s: seconds since its first row; live ones (windows, alerts, activity) are due after half.
        share: share of the time that one table's inserts may take.
        live_share: the same of live ones, whose inserts are small and many.
        longest_age_s: bound of the age that follows from the share.
        rows: rows.
        size_bytes: bytes of the records; with `rows` it bounds the memory (twice, while a batch waits).
        retry_max_s: longest pause between attempts while the store is down.
    """

    age_s: float = 0.7
    share: float = 0.3
    live_share: float = 0.06
    longest_age_s: float = 1.2
    rows: int = 20_000
    size_bytes: int = 16_000_000
    retry_max_s: float = 5.0


class _Refused(NamedTuple):
    row: Row
    error_class: ErrorClass
    error: str
    by_engine: bool


@dataclass
class _Batch:
    """What is gathered for one landing table: topics that share a table share its inserts."""

    since: float
    live: bool
    rows: list[Row] = field(default_factory=list)
    first: dict[Identity, Row] = field(default_factory=dict)
    """Rows that the other topic's fuller record may make needless."""
    complete: dict[Identity, Row] = field(default_factory=dict)
    records: list[msgspec.Struct] = field(default_factory=list)
    refused: list[_Refused] = field(default_factory=list)
    offsets: Offsets = field(default_factory=dict)
    traced: list[Arrived] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    """Rows by topic, whether they must be stored or another row says the same and more."""
    size_bytes: int = 0

    def add(self, row: Row, record: msgspec.Struct, route: Route) -> None:
        """Take a checked row."""
        self.taken[row.topic] += 1
        self.size_bytes += len(row.value or b"")
        if route.live:
            self.records.append(record)
        if route.identity is None:
            self.rows.append(row)
        elif route.complete:
            self.complete[route.identity(record)] = row
        else:
            self.first[route.identity(record)] = row

    def needed(self) -> list[Row]:
        """The rows to store: a line that is scored within one batch is not stored unscored before."""
        first = [row for line, row in self.first.items() if line not in self.complete]
        return [*self.rows, *first, *self.complete.values()]

    def instead_of(self, refused: Iterable[Row]) -> list[Row]:
        """The rows that were left out for the sake of those that the engine has refused."""
        offsets = {(row.topic, row.partition, row.offset) for row in refused}
        return [
            self.first[line]
            for line, row in self.complete.items()
            if line in self.first and (row.topic, row.partition, row.offset) in offsets
        ]

    def __len__(self) -> int:
        """Rows taken."""
        return self.taken.total()


class Sink:
    """Reads rows, gathers them per table, stores and commits them; one thread runs `run`."""

    def __init__(
        self,
        source: RowSource,
        writer: Writer,
        dead_letters: DeadLetterSink,
        metrics: SinkMetrics,
        *,
        limits: Limits = Limits(),
        on_stored: Live | None = None,
        traces: Traces | None = None,
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._source, self._writer, self._dead_letters, self._metrics = source, writer, dead_letters, metrics
        self._limits, self._on_stored, self._stopping = limits, on_stored, stopping
        self._clock, self._wall, self._traces = clock, wall, traces
        self._batches: dict[str, _Batch] = {}
        self._took_s: dict[str, float] = {}
        self._lag_at = 0.0

    def run(self) -> None:
        """Work until `stopping` answers true; then store and commit what was read, and leave the group."""
        self._source.subscribe(list(ROUTES), self._batches.clear)
        try:
            while not self._stopping():
                self.step()
            self.flush()
        except SinkStopped:
            log.warning("stopped while the store was down; %d batches are read again", len(self._batches) + 1)
        finally:
            self._source.close()

    def step(self) -> None:
        """Read once, then store every batch that is due."""
        self._take(self._source.poll(_POLL_ROWS, _POLL_S))
        now = self._clock()
        for table, batch in list(self._batches.items()):
            if self._is_due(table, batch, now):
                self._store(table)
        if now - self._lag_at >= _LAG_EVERY_S:
            self._lag_at = now
            for topic, lag in self._source.lag().items():
                self._metrics.lag.labels(topic).set(lag)

    def flush(self) -> None:
        """Store and commit everything that was read.

        Raises:
            SinkStopped: the store is down and `stopping` answers true.
        """
        for table in list(self._batches):
            self._store(table)

    def _take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            route = ROUTES[row.topic]
            batch = self._batches.get(route.table)
            if batch is None:
                batch = self._batches[route.table] = _Batch(self._clock(), route.live)
            batch.offsets[row.topic, row.partition] = row.offset + 1
            if row.value is None and route.upserts:
                continue
            try:
                record = route.check(row)
            except InvalidRecordError as error:
                batch.refused.append(_Refused(row, error.error_class, str(error), by_engine=False))
                continue
            if self._traces and (
                arrived := self._traces.arrived(record, row.topic, row.traceparent, row.appended_at)
            ):
                batch.traced.append(arrived)
            batch.add(row, record, route)
        for table, batch in self._batches.items():
            self._metrics.buffered.labels(table).set(len(batch))

    def _is_due(self, table: str, batch: _Batch, now: float) -> bool:
        limits = self._limits
        age_s, share = (limits.age_s / 2, limits.live_share) if batch.live else (limits.age_s, limits.share)
        return (
            now - batch.since >= max(age_s, min(self._took_s.get(table, 0.0) / share, limits.longest_age_s))
            or len(batch) >= limits.rows
            or batch.size_bytes >= limits.size_bytes
        )

    def _store(self, table: str) -> None:
        batch = self._batches.pop(table, None)
        if batch is None:
            return
        waits = Retrying(
            wait=wait_random_exponential(multiplier=0.1, max=self._limits.retry_max_s),
            sleep=self._wait,
            retry=retry_if_exception_type((DriverError, DeadLetterError, OSError)),
            before_sleep=lambda state: self._stall(table, state),
            reraise=True,
        )
        waits(self._write, table, batch)
        self._metrics.stalled.set(0)
        self._metrics.buffered.labels(table).set(0)
        for arrived in batch.traced:
            log.info("stored", extra=arrived.end())
        failpoint("sink.between_insert_and_commit")
        try:
            self._source.commit(batch.offsets)
        except CommitRefusedError as error:
            self._metrics.commit_failures.inc()
            log.warning(
                "offsets not committed, the rows will be merged again: %s", error, extra={"table": table}
            )
        if batch.records and self._on_stored is not None:
            self._on_stored(batch.records)

    def _write(self, table: str, batch: _Batch) -> None:
        refused = list(batch.refused)
        if rows := batch.needed():
            began = self._clock()
            with self._metrics.inserts.labels(table).time():
                refusals = self._writer.write(table, rows)
                if refusals and (instead := batch.instead_of(refusal.row for refusal in refusals)):
                    refusals = [*refusals, *self._writer.write(table, instead)]
            self._took_s[table] = self._clock() - began
            # a line that its scored copy brought is as good as stored: rules compare the topics' rates
            stored = batch.taken.copy()
            stored.subtract(refusal.row.topic for refusal in refusals)
            for topic, count in stored.items():
                self._metrics.rows.labels(topic).inc(count)
            self._metrics.last_insert.labels(table).set(self._wall())
            refused += [_Refused(row, "wrong_type", error, by_engine=True) for row, error in refusals]
        if refused:
            self._refuse(table, refused)

    def _refuse(self, table: str, refused: list[_Refused]) -> None:
        letters, own = [], []
        for one in refused[:_REFUSALS_LOGGED]:
            log.warning("refused: %s", one.error_class, extra=_where(one.row, one.error_class))
        if len(refused) > _REFUSALS_LOGGED:
            log.warning("%d more records for %s refused", len(refused) - _REFUSALS_LOGGED, table)
        for row, error_class, error, by_engine in refused:
            self._metrics.refused.labels(row.topic, error_class).inc()
            letter = _dead_letter(row, error_class, error, int(self._wall() * 1000))
            if row.topic == DEAD_LETTERS:
                own.append(Row(row.topic, 0, row.offset, None, None, encode(letter)))
            elif by_engine or ROUTES[row.topic].refused_by is None:
                letters.append((row.key, letter))
        if letters:
            self._dead_letters.send(letters)
        if own:
            # Sending these to their own topic would bring them back for ever: store them at once.
            self._writer.write(table, own)

    def _stall(self, table: str, state: RetryCallState) -> None:
        self._metrics.retries.labels(table).inc()
        self._metrics.stalled.set(1)
        error = state.outcome.exception() if state.outcome else None
        says = _first_line(error)
        log.warning("batch waits (attempt %d): %s", state.attempt_number, says, extra={"table": table})

    def _wait(self, seconds: float) -> None:
        """Keep the group membership alive, read nothing more, until the pause is over."""
        if self._stopping():
            raise SinkStopped
        self._source.pause()
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._take(self._source.poll(1, min(left, 0.2)))
            if self._stopping():
                raise SinkStopped
        self._source.resume()


def _first_line(error: BaseException | None) -> str:
    """Kind and first line of an error: the engine's further lines quote the rows."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": ")


def _dead_letter(row: Row, error_class: ErrorClass, error: str, seen_at: int) -> DeadLetter:
    return DeadLetter(
        dlq_id=f"{row.topic}/{row.partition}/{row.offset}",
        workspace=_workspace(row.key),
        stage="sink",
        source=row.topic,
        partition=row.partition,
        position=row.offset,
        error_class=error_class,
        error=error,
        raw=row.value or b"",
        seen_at=seen_at,
    )


class _Ids(msgspec.Struct):
    """What a log line tells of a record that another check refused."""

    stream_id: str | None = None
    message_id: str | None = None


def _where(row: Row, error_class: str) -> dict[str, str | int]:
    """Fields of a log line: where the record lies, and whose it is where that can be read."""
    found: dict[str, str | int] = {
        "topic": row.topic,
        "partition": row.partition,
        "offset": row.offset,
        "error_class": error_class,
    }
    try:
        ids = msgspec.json.decode(row.value or b"", type=_Ids)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return found
    return found | {name: value for name, value in msgspec.structs.asdict(ids).items() if value}


def _workspace(key: bytes | None) -> str:
    """The workspace in a record key `workspace|channel`; `default` where there is none."""
    return (key or b"").split(b"|", 1)[0].decode("utf-8", "replace") or "default"
