import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from connectors.core.testing import HeldClock
from connectors.youtube.quota import Quota
from schemas.records import ChatMessage
from tests.unit.connectors.running import passing, until
from tests.unit.connectors.youtube import items
from tests.unit.connectors.youtube.conftest import PSEUDONYMS, Start
from tests.unit.connectors.youtube.fake_streams import FakeStreams
from tests.unit.connectors.youtube.fake_youtube import KEY, FakeYouTube

LIVE = ("live", None)
PACKAGE = Path(__file__).parents[4] / "connectors" / "youtube"


@pytest.fixture
async def server() -> AsyncIterator[FakeYouTube]:
    async with FakeYouTube() as fake:
        fake.go_live(items.VIDEO)
        yield fake


@pytest.fixture
async def streams() -> AsyncIterator[FakeStreams]:
    async with FakeStreams(("x-goog-api-key", KEY)) as fake:
        yield fake


async def test_lines_are_pushed_as_polls_would_bring_them(
    start: Start, server: FakeYouTube, streams: FakeStreams
) -> None:
    told = [items.text("one :_hype:"), items.SUPER_CHAT, items.STICKER, items.MILESTONE, items.BANNED]
    told += [items.TIMED_OUT, items.DELETED, items.TOMBSTONE, items.NEW_MEMBER, items.GIFT, items.POLL]
    async with start(server, streams=streams.address) as pushed:
        await until(lambda: LIVE in pushed.states)
        await streams.say(*told)
        await until(lambda: len(pushed.texts) == 4 and pushed.events("gift"))
    assert (server.pages, len(streams.calls)) == ([], 1)
    server.say(*told)
    async with start(server) as polled:
        await until(lambda: len(polled.texts) == 4 and polled.events("gift"))
    kinds = ("ban", "deletion", "sub", "gift")
    for running in (pushed, polled):
        running.records = [r for r in running.records if getattr(r, "kind", "") in ("message", *kinds)]
    assert pushed.records == polled.records
    assert {r.author for r in pushed.records if isinstance(r, ChatMessage)} == {PSEUDONYMS.author("alice-l")}


async def test_a_stream_that_ends_goes_on_at_its_page_without_a_gap(
    start: Start, server: FakeYouTube, streams: FakeStreams
) -> None:
    async with start(server, streams=streams.address) as running:
        await until(lambda: LIVE in running.states)
        await streams.say(items.text("one"))
        await until(lambda: running.texts == ["one"])
        await streams.end_streams()
        await until(lambda: len(streams.calls) == 2)
        await streams.say(items.text("two", number=2))
        await until(lambda: running.texts == ["one", "two"])
    assert [call.page_token for call in streams.calls] == ["", "1"]
    assert running.events("gap") == []


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection_lost"),
        (grpc.StatusCode.INTERNAL, "connection_lost"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "rate_limit"),
    ],
)
async def test_a_broken_stream_is_a_gap_whose_lines_come_in_later(
    start: Start,
    clock: HeldClock,
    server: FakeYouTube,
    streams: FakeStreams,
    code: grpc.StatusCode,
    cause: str,
) -> None:
    async with start(server, streams=streams.address) as running:
        await until(lambda: LIVE in running.states)
        streams.refusals = [code]
        await streams.end_streams()
        await until(lambda: running.states[-1][0] == "degraded")
        await streams.say(items.text("meanwhile"))
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert [(gap.cause, gap.recovered) for gap in running.events("gap")] == [(cause, 1)]
    assert all("alice" not in (reason or "") for _, reason in running.states)
    assert server.pages == []


@pytest.mark.parametrize(
    "refusals", [[grpc.StatusCode.UNIMPLEMENTED], [grpc.StatusCode.UNAVAILABLE] * 3], ids=["none", "broken"]
)
async def test_where_there_is_no_stream_it_polls(
    start: Start,
    clock: HeldClock,
    server: FakeYouTube,
    streams: FakeStreams,
    refusals: list[grpc.StatusCode],
) -> None:
    server.say(items.text("polled"))
    expected = len(refusals)
    streams.refusals = list(refusals)
    async with start(server, streams=streams.address) as running:
        await passing(clock, lambda: running.texts == ["polled"])
    assert len(streams.calls) == expected


async def test_the_quota_counts_streams_and_the_servers_word(
    start: Start, clock: HeldClock, server: FakeYouTube, streams: FakeStreams
) -> None:
    quota = Quota(10_000)
    async with start(server, streams=streams.address, quota=quota) as running:
        await until(lambda: LIVE in running.states)
        assert quota.spent == 6
        streams.refusals = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric")]
        await streams.end_streams()
        await until(lambda: running.states[-1][0] == "blocked")
        assert quota.spent == 10_000
        await clock.advance(600)
    assert (len(streams.calls), server.pages) == (2, [])


@pytest.mark.parametrize("how", ["offline", "item", "refused"])
async def test_a_chat_that_ends_ends_the_broadcast(
    start: Start, server: FakeYouTube, streams: FakeStreams, how: str
) -> None:
    async with start(server, streams=streams.address) as running:
        await until(lambda: LIVE in running.states)
        if how == "offline":
            streams.offline = True
            await streams.say()
        elif how == "item":
            await streams.say(items.item("chatEndedEvent"))
        else:
            streams.refusals = [grpc.StatusCode.FAILED_PRECONDITION]
            await streams.end_streams()
        await until(lambda: running.states[-1] == ("offline", "the broadcast is over"))
    assert len(running.events("stream_down")) == 1


async def test_a_silent_stream_has_heartbeats_that_trail(
    start: Start, clock: HeldClock, server: FakeYouTube, streams: FakeStreams
) -> None:
    async with start(server, streams=streams.address) as running:
        await until(lambda: LIVE in running.states)
        began = clock.now_ms()
        await clock.advance(60.0)
    beats = [beat for beat in running.heartbeats if not beat.closing]
    assert len(beats) >= 20
    assert beats[-1].sent_at <= began + 30_000  # no later than the connection surely lived


async def test_a_refused_key_ends_it(start: Start, server: FakeYouTube) -> None:
    async with (
        FakeStreams(("x-goog-api-key", "other")) as strict,
        start(server, streams=strict.address) as running,
    ):
        await until(lambda: running.error)
    assert "UNAUTHENTICATED" in str(running.error)


async def test_lost_pages_are_asked_for_from_the_beginning(
    start: Start, server: FakeYouTube, streams: FakeStreams
) -> None:
    async with start(server, streams=streams.address) as running:
        await until(lambda: LIVE in running.states)
        await streams.say(items.text("one"))
        await until(lambda: running.texts == ["one"])
        streams.refusals = [grpc.StatusCode.INVALID_ARGUMENT]
        await streams.end_streams()
        await until(lambda: len(streams.calls) == 3)
    assert [call.page_token for call in streams.calls] == ["", "1", ""]


def test_the_generated_code_is_that_of_the_definition(tmp_path: Path) -> None:
    root = PACKAGE.parents[1]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", f"--python_out={tmp_path}"]
    subprocess.run([*command, "connectors/youtube/stream_list.proto"], check=True, cwd=root)
    made = tmp_path / "connectors" / "youtube" / "stream_list_pb2.py"
    assert (PACKAGE / "stream_list_pb2.py").read_text() == made.read_text()
