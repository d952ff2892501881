"""The one stateful Python operator: a bucket of channels, one engine, one state blob."""

import gc
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow as pa
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

from pipelines.core.detection.engine import Engine, Output
from pipelines.core.detection.traces import Campaign, Report, Trace
from pipelines.flink.wave_function import WAVES, campaign_key, encode_report
from schemas.codecs import InvalidRecordError, decode_event, decode_message, encode, record_key
from schemas.records import Activity, Alert, ChatEvent, ChatMessage, Window

SEPARATOR: Final = b"\x1e"
TICK_MS: Final = 1_000
"""How often `blind` is looked for, in processing time."""
LOG_BYTES: Final = 262_144
"""A log is folded into a snapshot when it is longer than this and than the last snapshot."""

_window = msgspec.json.Decoder(Window)


def read_records(gathered: bytes) -> Iterator[ChatMessage | ChatEvent | Window]:
    """The records of one bucket and tick, in order of arrival.

    What cannot be read is left out here: job `score` sends the same record to the dead letters.
    """
    for tagged in gathered.split(SEPARATOR):
        tag, raw = tagged[:1], tagged[1:]
        try:
            if tag == b"m":
                yield decode_message(raw)
            elif tag == b"e":
                yield decode_event(raw)
            else:
                yield _window.decode(raw)
        except (InvalidRecordError, msgspec.DecodeError):
            continue


class DetectFunction(KeyedProcessFunction):
    """Holds the engines of its buckets.

    What makes an engine anew is in Flink's state after each element, so checkpoints are consistent: its last
    snapshot and a log of what it was given since. Writing a snapshot (some 300 kB for a channel of 200
    messages a second) at every tick kept RocksDB busy; the log is a fraction of it.

    Each change of state is a round trip to the JVM, and those cost more than the detection of a quiet
    channel. So an element writes one entry of the log, and a timer writes nothing, unless it tells something.
    """

    def __init__(self) -> None:
        self._engines: dict[int, _Held] = {}
        self._snapshot: Any = None
        self._log: Any = None

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the states; after a restore, too, engines in memory are none."""
        gc.set_threshold(100_000, 20, 20)  # as in the other worker: records hold no cycles
        self._engines = {}
        blob = Types.PRIMITIVE_ARRAY(Types.BYTE())
        self._snapshot = runtime_context.get_state(ValueStateDescriptor("engine", blob))
        self._log = runtime_context.get_list_state(ListStateDescriptor("log", blob))

    def process_element(self, row: Row, context: KeyedProcessFunction.Context) -> Iterator[Row]:
        """One bucket and tick."""
        bucket: int = row[0]
        held = self._held(bucket)
        gathered = bytes(row[1])
        output = held.engine.process(read_records(gathered))
        entry = log_entry(gathered)
        held.logged += len(entry)
        if held.logged > max(LOG_BYTES, held.snapshot_size):
            self._fold(held)
        else:
            self._log.add(entry)
        yield from _rows(bucket, held, output)
        now = context.timer_service().current_processing_time()
        self._look_again(held, now - now % TICK_MS + TICK_MS, context)

    def on_timer(self, timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Look for streams that fell silent in processing time.

        What a tick notes (when a stream was last heard) is found again after a restore, since its records are
        in the log; what it tells is not.
        """
        bucket: int = context.get_current_key()
        held = self._held(bucket)
        output = held.engine.tick(time.time_ns() // 1_000_000)
        if output.alerts:
            self._fold(held)
        yield from _rows(bucket, held, output)
        if len(held.engine):
            self._look_again(held, timestamp + TICK_MS, context)

    def _held(self, bucket: int) -> "_Held":
        held = self._engines.get(bucket)
        if held is None:
            stored = self._snapshot.value()
            log = [bytes(entry) for entry in self._log.get() or ()]
            engine = restored_engine(bytes(stored) if stored else None, log)
            held = _Held(engine, logged=sum(map(len, log)), snapshot_size=len(stored or b""))
            self._engines[bucket] = held
        return held

    def _fold(self, held: "_Held") -> None:
        snapshot = held.engine.snapshot()
        self._snapshot.update(snapshot)
        self._log.clear()
        held.logged, held.snapshot_size = 0, len(snapshot)

    def _look_again(self, held: "_Held", at_ms: int, context: KeyedProcessFunction.Context) -> None:
        if at_ms != held.timer_ms:
            held.timer_ms = at_ms
            context.timer_service().register_processing_time_timer(at_ms)


@dataclass(slots=True)
class _Held:
    """The engine of a bucket and how far the state is behind it, in bytes of log."""

    engine: Engine
    logged: int
    snapshot_size: int
    timer_ms: int = -1
    """The timer that was asked for last; no state, as one asked for twice fires once."""
    reported: dict[Campaign, int | None] = field(default_factory=dict)
    """How far each campaign space had come when that was last told; no state, as it may be told again."""

    def news(self, bucket: int, output: Output) -> Iterator[tuple[Campaign, Report]]:
        """What operator `wave` is told: traces, and how far the streams have come where that has changed."""
        found: dict[Campaign, list[Trace]] = {}
        for trace in output.traces:
            found.setdefault((trace.workspace, trace.run), []).append(trace)
        reached = self.engine.progress()
        for campaign in {**reached, **self.reported}:
            upto = reached.get(campaign)
            if campaign in found or self.reported.get(campaign, -1) != upto:
                yield campaign, Report(bucket, upto, found.get(campaign, []))
        self.reported = reached


def log_entry(gathered: bytes) -> bytes:
    """What an engine was given, compressed."""
    compressed: bytes = pa.compress(gathered, codec="lz4", asbytes=True)
    return len(gathered).to_bytes(4, "big") + compressed


def restored_engine(snapshot: bytes | None, log: Iterable[bytes]) -> Engine:
    """The engine as it was after the last entry of the log; its output was already sent on."""
    engine = Engine.restore(snapshot) if snapshot else Engine()
    for entry in log:
        size = int.from_bytes(entry[:4], "big")
        engine.process(
            read_records(pa.decompress(entry[4:], decompressed_size=size, codec="lz4", asbytes=True))
        )
    return engine


def _rows(bucket: int, held: _Held, output: Output) -> Iterator[Row]:
    for alert in output.alerts:
        yield _row("pulse.alerts.v1", alert)
    for activity in output.activity:
        yield _row("pulse.activity.v1", activity)
    for campaign, report in held.news(bucket, output):
        yield Row(WAVES, campaign_key(campaign), encode_report(report))


def _row(topic: str, record: Alert | Activity) -> Row:
    return Row(topic, record_key(record.workspace, record.channel), encode(record))
