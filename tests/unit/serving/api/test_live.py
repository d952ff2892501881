"""The live feed: coalesced, per workspace, and never waiting for a slow page."""

import asyncio
from typing import Any

import msgspec
import pytest

from schemas.records import Window
from serving.api.live import MAX_PENDING, LiveHub, Page, streams_pause_s
from serving.api.norms import Norms
from serving.api.sources import Sources
from serving.api.streams import StreamList
from tests.fixtures.api_store import ApiTestStore
from tests.fixtures.store import NOW_MS, TestStore, activity, alert, window


class Socket:
    """A page's end: collects frames; `open_gate` unset means that it does not read."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send_text(self, text: str) -> None:
        await self.gate.wait()
        self.frames.append(msgspec.json.decode(text))


@pytest.fixture
def hub(store: TestStore) -> LiveHub:
    api_store = ApiTestStore(store)
    norms = Norms(api_store)
    return LiveHub(norms, StreamList(api_store, norms), Sources(api_store))


def second(start_ms: int, count: int, workspace: str = "live") -> Window:
    return window(workspace, start_ms, [0.5] * count, size_ms=1_000)


async def join(hub: LiveHub, workspace: str = "live") -> tuple[Socket, "asyncio.Task[None]"]:
    socket = Socket()
    page = Page(socket, workspace)  # type: ignore[arg-type]
    hub._pages.add(page)
    return socket, asyncio.create_task(page.send_all())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_rows_arrive_by_type_with_their_stream(hub: LiveHub) -> None:
    socket, sender = await join(hub)
    hub.publish([second(1_000, 2), window("live", 0, [0.5]), alert("live", "a1"), activity("live", 1_000, 4)])
    await hub.push(with_streams=False)
    await settle()
    sender.cancel()
    frames = {frame["type"]: frame["rows"] for frame in socket.frames}
    assert set(frames) == {"windows", "alerts", "activity"}
    (point,) = frames["windows"]  # the 10 s window is not for pages
    assert (point["stream_id"], point["step_ms"], point["start_ms"], point["messages"]) == (
        "s1",
        1_000,
        1_000,
        2,
    )
    assert set(point["sentiment"]) == {"mean", "low", "high"}
    assert frames["alerts"][0]["started_at"] == NOW_MS
    assert frames["alerts"][0]["why"]["summary"]
    assert frames["activity"][0]["second_ms"] == 1_000


async def test_rows_of_one_key_replace_each_other_within_a_turn(hub: LiveHub) -> None:
    socket, sender = await join(hub)
    for count in (1, 2, 3):
        hub.publish([second(1_000, count)])
    await hub.push(with_streams=False)
    await settle()
    sender.cancel()
    ((point,),) = [frame["rows"] for frame in socket.frames]
    assert point["messages"] == 3


async def test_pages_get_their_own_workspace_only(hub: LiveHub) -> None:
    ours, our_sender = await join(hub)
    theirs, their_sender = await join(hub, "theirs")
    hub.publish([second(1_000, 1), second(1_000, 5, "theirs")])
    await hub.push(with_streams=False)
    await settle()
    our_sender.cancel()
    their_sender.cancel()
    assert [row["messages"] for frame in ours.frames for row in frame["rows"]] == [1]
    assert [row["messages"] for frame in theirs.frames for row in frame["rows"]] == [5]


async def test_a_slow_page_gets_the_newest_of_each_stream_and_holds_nobody_up(hub: LiveHub) -> None:
    slow, slow_sender = await join(hub)
    quick, quick_sender = await join(hub)
    hub.publish([second(0, 1)])
    await hub.push(with_streams=False)
    await settle()
    slow.gate.clear()
    turns = 3
    for turn in range(turns):
        start = (turn * MAX_PENDING + 1) * 1_000
        hub.publish([activity("live", start + n * 1_000, n) for n in range(MAX_PENDING)])
        await hub.push(with_streams=False)
        await settle()
    assert sum(len(frame["rows"]) for frame in quick.frames) == 1 + turns * MAX_PENDING
    slow.gate.set()
    await settle()
    slow_sender.cancel()
    quick_sender.cancel()
    newest = slow.frames[-1]["rows"]
    assert len(newest) <= MAX_PENDING
    assert newest[-1]["second_ms"] == turns * MAX_PENDING * 1_000


async def test_without_pages_nothing_is_gathered(hub: LiveHub) -> None:
    hub.publish([second(1_000, 1)])
    socket, sender = await join(hub)
    await hub.push(with_streams=False)
    await settle()
    sender.cancel()
    assert socket.frames == []


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.01, 2.0), (0.1, 5.0), (3.0, 8.0)])
def test_a_slow_store_is_asked_for_its_streams_less_often(took_s: float, pause_s: float) -> None:
    assert streams_pause_s(took_s) == pytest.approx(pause_s)
