"""The monitored parts in one process: real sink, store, notifier and metrics, on inputs that can go wrong."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Gauge

from connectors.clickhouse.metrics import SinkMetrics, StreamMetrics, StreamStates
from connectors.clickhouse.routes import ACTIVITY, DEAD_LETTERS, MESSAGES, WINDOWS, Row
from connectors.clickhouse.sink import Limits, Sink
from connectors.clickhouse.source import Offsets
from connectors.clickhouse.writer import Refusal, StoreWriter
from connectors.core.clock import SystemClock
from connectors.hub.metrics import ListenerMetrics
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.notifier import Notifier
from connectors.notify.outbox import Outbox
from connectors.notify.senders import open_senders
from schemas.codecs import encode
from schemas.records import ChatMessage, DeadLetter
from serving.scorer.metrics import ScorerMetrics
from tests.fixtures.monitoring import Exporter
from tests.fixtures.store import NEVER_MS, TestStore, activity, line, window
from tests.unit.connectors.notify.fake_server import Answer, FakeServer, fake_server
from tests.unit.connectors.notify.notices import alert, config, rows

WORKSPACE = "watched"
TICK_S = 0.1
LATE_MS = 10_000
FLOOD = 300
"""Records a tick with which the log outgrows a store that takes none: 10,000 in four seconds."""


@dataclass
class Faults:
    """What is broken at the moment."""

    store_refuses_writes: bool = False
    dead_letters: bool = False
    scoring_stopped: bool = False
    detection_stopped: bool = False
    alerts_late: bool = False
    target_refuses: bool = False
    flink_fails: bool = False


@dataclass
class KafkaLog:
    """Topics in memory, as a RowSource of one reader."""

    log: dict[str, list[Row]] = field(default_factory=dict)
    committed: Offsets = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, topic: str, *values: bytes) -> None:
        with self.lock:
            held = self.log.setdefault(topic, [])
            start, now_ms = len(held), int(time.time() * 1_000)
            held += [Row(topic, 0, start + n, now_ms, b"k", value) for n, value in enumerate(values)]

    def subscribe(self, topics: Sequence[str], on_change: Callable[[], None]) -> None:
        pass

    def poll(self, limit: int, timeout_s: float) -> list[Row]:
        with self.lock:
            found: list[Row] = []
            for topic, held in self.log.items():
                fresh = held[self.read.get(topic, 0) :][:limit]
                self.read[topic] = self.read.get(topic, 0) + len(fresh)
                found += fresh
        if not found:
            time.sleep(timeout_s)
        return found

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def commit(self, offsets: Offsets) -> None:
        self.committed |= offsets

    def lag(self) -> dict[str, int]:
        with self.lock:
            return {topic: len(held) - self.committed.get((topic, 0), 0) for topic, held in self.log.items()}

    def close(self) -> None:
        pass


class FaultyWriter:
    """The real writer, in front of a disk that may be full; tells the lag while it is."""

    def __init__(self, writer: StoreWriter, faults: Faults, tell_lag: Callable[[], None]) -> None:
        self._writer, self._faults, self._tell_lag = writer, faults, tell_lag

    def write(self, table: str, batch: Sequence[Row]) -> list[Refusal]:
        if self._faults.store_refuses_writes:
            self._tell_lag()
            raise OSError(28, "No space left on device")
        return self._writer.write(table, batch)


class NoDeadLetters:
    """The sink's own dead letters: this log holds no bad record."""

    def send(self, letters: Iterable[tuple[bytes | None, DeadLetter]]) -> None:
        assert not list(letters)


class Parts:
    """Exporters by the name of their Prometheus job, and what can be broken behind them."""

    def __init__(self, store: TestStore, notifier: Notifier, exporters: dict[str, Exporter]) -> None:
        self.faults = Faults()
        self.exporters = exporters
        self._store, self._notifier = store, notifier
        self._kafka, self._number = KafkaLog(), 0
        self._stopping = threading.Event()
        registry = exporters["pulse-store"].registry
        metrics, streams = SinkMetrics(registry), StreamMetrics(registry)
        StreamStates(store.reader.rows, registry)

        def tell_lag() -> None:
            for topic, lag in self._kafka.lag().items():
                metrics.lag.labels(topic).set(lag)

        self._sink = Sink(
            self._kafka,
            FaultyWriter(StoreWriter(store.client), self.faults, tell_lag),
            NoDeadLetters(),
            metrics,
            limits=Limits(age_s=0.4, retry_max_s=0.5),
            on_stored=streams.count,
            stopping=self._stopping.is_set,
        )
        # The names are those of Flink's own reporter.
        flink = exporters["flink"].registry
        self._restarts, self._failed = (
            Gauge(f"flink_jobmanager_job_{name}", "Of Flink.", ["job_name"], registry=flink).labels("score")
            for name in ("numRestarts", "numberOfFailedCheckpoints")
        )

    def lose_a_stream(self) -> None:
        """A live stream that was heard 40 s ago and has not ended."""
        self._heartbeat(age_ms=40_000, closing=False)

    def end_the_lost_stream(self) -> None:
        """The connector is back and tells that the stream has ended."""
        self._heartbeat(age_ms=0, closing=True)

    async def run(self) -> None:
        """Chat, windows, activity and alerts, ten times a second, as far as nothing is broken."""
        sink = threading.Thread(target=self._sink.run, name="sink")
        sink.start()
        try:
            while True:
                self._tick()
                await asyncio.sleep(TICK_S)
        finally:
            self._stopping.set()
            self.faults.store_refuses_writes = False
            await asyncio.to_thread(sink.join)

    def _tick(self) -> None:
        self._number += 1
        now_ms = int(time.time() * 1_000)
        said = encode(
            line(WORKSPACE, f"m{self._number}", sent_at=now_ms, received_at=now_ms, expires_at=NEVER_MS)
        )
        self._kafka.append(MESSAGES, *[said] * (FLOOD if self.faults.store_refuses_writes else 5))
        at_ms = self._number * 10_000
        if not self.faults.detection_stopped:
            self._kafka.append(ACTIVITY, encode(activity(WORKSPACE, at_ms, 5)))
        if not self.faults.scoring_stopped and not self.faults.detection_stopped:
            self._kafka.append(WINDOWS, encode(window(WORKSPACE, at_ms, [0.5] * 5)))
        if self.faults.dead_letters:
            self._kafka.append(DEAD_LETTERS, encode(_letter(self._number, now_ms)))
        if self.faults.flink_fails:
            self._restarts.inc()
            self._failed.inc()
        told = alert(alert_id=f"a{self._number}", started_at=now_ms, detected_at=now_ms)
        age_ms = LATE_MS if self.faults.alerts_late else 0
        self._notifier.take(rows(told, appended_at=now_ms - age_ms, first_offset=self._number))

    def _heartbeat(self, *, age_ms: int, closing: bool) -> None:
        now_ms = int(time.time() * 1_000) - age_ms
        beat = ChatMessage(
            workspace=WORKSPACE,
            channel="twitch:lost",
            stream_id="twitch:lost/1",
            message_id=f"beat-{now_ms}",
            kind="heartbeat",
            sent_at=now_ms,
            received_at=now_ms,
            expires_at=NEVER_MS,
            author="",
            text="",
            closing=closing,
        )
        self._kafka.append(MESSAGES, encode(beat))


@asynccontextmanager
async def running_parts(folder: Path, store: TestStore) -> AsyncIterator[Parts]:
    """The parts at work, with the notifier's two targets: one takes all, one refuses on demand."""
    names = ("pulse-store", "pulse-notifier", "pulse-listener", "pulse-scorer", "flink")
    exporters = {name: Exporter() for name in names}
    ListenerMetrics(exporters["pulse-listener"].registry)
    exporters["pulse-scorer"].registry.register(ScorerMetrics().registry)
    clock, stopping = SystemClock(), asyncio.Event()
    async with fake_server(Answer()) as good, fake_server(Answer()) as picky:
        chosen = config(
            targets=[
                {"name": "on-call", "kind": "webhook", "url": f"{good.url}/hook"},
                {"name": "moderators", "kind": "webhook", "url": f"{picky.url}/hook"},
            ]
        )
        outbox = Outbox(folder / "outbox.sqlite3")
        async with open_senders(chosen, {}, "http://page", clock) as senders, asyncio.TaskGroup() as tasks:
            metrics = NotifyMetrics(exporters["pulse-notifier"].registry)
            notifier = Notifier(chosen, senders, outbox, clock, metrics)
            parts = Parts(store, notifier, exporters)
            sending = tasks.create_task(notifier.run(stopping))
            work = tasks.create_task(parts.run())
            refusing = tasks.create_task(_refuse(parts.faults, picky))
            try:
                yield parts
            finally:
                for task in (work, refusing):
                    task.cancel()
                stopping.set()
                await asyncio.wait([sending, work, refusing])
        outbox.close()
    for exporter in exporters.values():
        exporter.down()


async def _refuse(faults: Faults, target: FakeServer) -> None:
    while True:
        target.usual = Answer(400 if faults.target_refuses else 200)
        await asyncio.sleep(TICK_S)


def _letter(number: int, now_ms: int) -> DeadLetter:
    return DeadLetter(
        dlq_id=f"chat.messages.v1/0/{number}",
        workspace=WORKSPACE,
        stage="score",
        source="chat.messages.v1",
        partition=0,
        position=number,
        error_class="not_json",
        error="line 1",
        raw=b"{",
        seen_at=now_ms,
    )
