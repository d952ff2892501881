import asyncio
from pathlib import Path

from connectors.clickhouse.routes import Row
from connectors.clickhouse.source import Offsets
from connectors.notify.outbox import Outbox
from schemas.topics import ALERTS
from tests.fixtures.scripted_source import ScriptedSource
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config, rows


class OwingSource(ScriptedSource):
    """Notes at each commit what the outbox at `path` holds then."""

    def __init__(
        self, stopping: asyncio.Event, path: Path, *batches: list[Row], refuse: bool = False
    ) -> None:
        super().__init__(stopping, *batches, refuse=refuse)
        self._path = path
        self.owed: list[dict[str, int]] = []

    def commit(self, offsets: Offsets) -> None:
        outbox = Outbox(self._path)
        self.owed.append(outbox.waiting())
        outbox.close()
        super().commit(offsets)


async def test_what_is_owed_is_on_disk_before_the_offset_is_committed(tmp_path: Path) -> None:
    desk, stopping = Desk(tmp_path, config()), asyncio.Event()
    other = rows(alert(alert_id="a2"), first_offset=9)[0]._replace(partition=3)
    source = OwingSource(stopping, desk.path, rows(alert(), alert(revision=2), first_offset=40), [other])
    await desk.notifier.consume(source, stopping)
    assert source.topics == [ALERTS]
    assert source.committed == [{(ALERTS, 0): 42}, {(ALERTS, 3): 10}]
    assert source.owed == [{"hook": 1}, {"hook": 2}]
    assert source.closed


async def test_a_refused_commit_is_counted_and_the_repeat_recognised(tmp_path: Path) -> None:
    desk, stopping = Desk(tmp_path, config()), asyncio.Event()
    source = OwingSource(stopping, desk.path, rows(alert()), rows(alert()), refuse=True)
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
