"""Channels that come and go while the source runs."""

from connectors.core.live import Unheard
from connectors.core.testing import HeldClock
from schemas.records import ChatMessage
from tests.unit.connectors.running import until
from tests.unit.connectors.twitch.conftest import Start
from tests.unit.connectors.twitch.fake_twitch import FakeTwitch
from tests.unit.connectors.twitch.frames import privmsg


async def test_a_channel_is_added_to_the_connection_that_has_room(clock: HeldClock, start: Start) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        running.source.follow("#Other")
        running.source.follow("other")
        await clock.advance(1)
        await until(lambda: server.last.joined == {"room", "other"})
        await server.last.say(privmsg("hello").replace("#room", "#other"))
        await until(lambda: running.texts == ["hello"])
        assert len(server.sessions) == 1
        assert server.last.heard.count("JOIN #other") == 1
    (line,) = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "message"]
    assert line.channel == "twitch:other"


async def test_a_full_connection_gets_a_second_one_beside_it(start: Start) -> None:
    settings = {"channels_per_connection": 1}
    async with FakeTwitch() as server, start(server.url, settings=settings) as running:
        await until(lambda: ("live", None) in running.states)
        running.source.follow("other")
        await until(lambda: len(server.sessions) == 2 and server.last.joined == {"other"})
        await server.sessions[0].say(privmsg("one"))
        await until(lambda: running.texts == ["one"])


async def test_a_removed_channel_is_left_and_its_stream_ends(clock: HeldClock, start: Start) -> None:
    async with FakeTwitch() as server, start(server.url, "room", "other") as running:
        await until(lambda: running.states.count(("live", None)) == 2)
        await running.source.unfollow("Other")
        await running.source.unfollow("other")
        await until(lambda: "PART #other" in server.last.heard)
        await server.last.say(
            f"{privmsg('unheard').replace('#room', '#other')}\r\n{privmsg('heard', identity='m2')}"
        )
        await until(lambda: running.texts == ["heard"])
        server.last.drop()  # the channel is not joined again
        await clock.advance(2)
        await until(lambda: len(server.sessions) == 2 and server.last.joined)
        assert server.last.joined == {"room"}
    assert ("offline", "removed") in running.states
    (closing,) = [r for r in running.records if isinstance(r, ChatMessage) and r.closing]
    assert closing.channel == "twitch:other"
    assert {gap.channel for gap in running.events("gap")} == {"twitch:room"}


async def test_a_channel_taken_over_from_a_dead_process_has_a_gap(clock: HeldClock, start: Start) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        lost_at = clock.now_ms() - 12_000
        running.source.follow("other", unheard=Unheard(lost_at, "process_lost"))
        await clock.advance(1)
        await until(lambda: running.events("gap"))
    (gap,) = running.events("gap")
    assert (gap.channel, gap.span_from, gap.cause) == ("twitch:other", lost_at, "process_lost")
    assert gap.span_to is not None and gap.span_to >= lost_at + 12_000


async def test_a_channel_handed_over_is_left_without_ending_its_stream(start: Start) -> None:
    async with FakeTwitch() as server, start(server.url, "room", "other") as running:
        await until(lambda: running.states.count(("live", None)) == 2)
        await running.source.unfollow("other", handed_over=True)
        await until(lambda: "PART #other" in server.last.heard)
    assert not [r for r in running.records if isinstance(r, ChatMessage) and r.closing]
    assert "offline" not in [state for state, _ in running.states]
