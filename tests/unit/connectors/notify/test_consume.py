import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from connectors.clickhouse.routes import Row
from connectors.clickhouse.source import CommitRefusedError, Offsets
from connectors.notify.outbox import Outbox
from schemas.topics import ALERTS
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config, rows


class ScriptedSource:
    """A consumer that gives these batches and then tells the notifier to stop; notes the order of things."""

    def __init__(
        self, stopping: asyncio.Event, path: Path, *batches: list[Row], refuse: bool = False
    ) -> None:
        self._stopping, self._path = stopping, path
        self._batches, self._refuse = list(batches), refuse
        self._loop = asyncio.get_running_loop()
        self.committed: list[tuple[Offsets, dict[str, int]]] = []
        self.topics: list[str] = []
        self.closed = False

    def subscribe(self, topics: Sequence[str], on_change: Callable[[], None]) -> None:
        self.topics = list(topics)

    def poll(self, limit: int, timeout_s: float) -> list[Row]:
        if self._batches:
            return self._batches.pop(0)
        self._loop.call_soon_threadsafe(self._stopping.set)
        return []

    def pause(self) -> None:
        raise AssertionError("not used")

    def resume(self) -> None:
        raise AssertionError("not used")

    def commit(self, offsets: Offsets) -> None:
        outbox = Outbox(self._path)
        self.committed.append((offsets, outbox.waiting()))
        outbox.close()
        if self._refuse:
            raise CommitRefusedError("rebalanced")

    def lag(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        self.closed = True


async def test_what_is_owed_is_on_disk_before_the_offset_is_committed(tmp_path: Path) -> None:
    desk, stopping = Desk(tmp_path, config()), asyncio.Event()
    other = rows(alert(alert_id="a2"), first_offset=9)[0]._replace(partition=3)
    source = ScriptedSource(stopping, desk.path, rows(alert(), alert(revision=2), first_offset=40), [other])
    await desk.notifier.consume(source, stopping)
    assert source.topics == [ALERTS]
    assert source.committed == [
        ({(ALERTS, 0): 42}, {"hook": 1}),
        ({(ALERTS, 3): 10}, {"hook": 2}),
    ]
    assert source.closed


async def test_a_refused_commit_is_counted_and_the_repeat_recognised(tmp_path: Path) -> None:
    desk, stopping = Desk(tmp_path, config()), asyncio.Event()
    source = ScriptedSource(stopping, desk.path, rows(alert()), rows(alert()), refuse=True)
    await desk.notifier.consume(source, stopping)
    assert desk.count("commit_failures_total") == 2
    assert desk.count("revisions_total", outcome="repeated") == 1
    await desk.drain()
    assert desk.sender.told == [("a1", 1, "open")]


async def test_a_message_under_way_arrives_before_the_notifier_stops(tmp_path: Path) -> None:
    desk, stopping = Desk(tmp_path, config()), asyncio.Event()
    began, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def ready(self) -> None:
            return None

        async def send(self, message: object) -> None:
            began.set()
            await go_on.wait()

    desk.senders = {"hook": Slow()}
    desk.reopen()
    desk.take(alert(), appended_at=START_MS)
    running = asyncio.create_task(desk.notifier.run(stopping))
    await began.wait()
    stopping.set()
    go_on.set()
    await running
    assert desk.outbox.waiting() == {}
    assert desk.count("sent_alerts_total", target="hook") == 1
