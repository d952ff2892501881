import itertools
import json

import pytest

from connectors.core.source import SourceError
from connectors.core.testing import HeldClock
from connectors.twitch.settings import TwitchSettings
from schemas.codecs import encode
from schemas.records import ChatMessage, DeadLetter
from tests.unit.connectors.running import until
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, SEALER, Start
from tests.unit.connectors.twitch.fake_twitch import FakeTwitch
from tests.unit.connectors.twitch.frames import BAN, DELETED, RAID, privmsg


async def test_it_logs_in_without_a_token_joins_and_hears(start: Start) -> None:
    async with FakeTwitch() as server, start(server.url, "#Room") as running:
        await until(lambda: ("live", None) in running.states)
        assert server.last.heard == [
            "CAP REQ :twitch.tv/tags twitch.tv/commands",
            "NICK justinfan67420",
            "JOIN #room",
        ]
        await server.last.say(f"{privmsg('hi @Bob')}\r\n{RAID}\r\n{DELETED}\r\n{BAN}\r\nPING :tmi.twitch.tv")
        await until(lambda: "PONG :tmi.twitch.tv" in server.last.heard)
    (message,) = [r for r in running.records if isinstance(r, ChatMessage)]
    assert (message.channel, message.stream_id) == ("twitch:room", "twitch:room/2026-01-01")
    assert (message.message_id, message.text) == ("m1", f"hi {PSEUDONYMS.mention('bob')}")
    assert message.author == PSEUDONYMS.author("alice")
    (raid,) = running.events("raid")
    assert (raid.viewers, raid.source) == (15, PSEUDONYMS.author("testchannel"))
    assert running.events("deletion")[0].target_message_id == "abc-123-def"
    assert running.events("ban")[0].target_author == PSEUDONYMS.author("ronni")
    assert running.states == [("connecting", None), ("live", None)]
    written = b"".join(encode(record) for record in running.records).lower()
    for name in (b"alice", b"bob", b"testchannel", b"ronni"):
        assert name not in written


async def test_a_token_is_sent_and_told_to_nobody(start: Start) -> None:
    async with FakeTwitch() as server:
        options = {"token": "oauth:s3cret", "login": "Listener"}
        async with start(server.url, settings=options) as running:
            await until(lambda: ("live", None) in running.states)
            assert server.last.heard[1:3] == ["PASS oauth:s3cret", "NICK listener"]
        assert b"s3cret" not in b"".join(encode(record) for record in running.records)
        assert "s3cret" not in repr(running.source._settings)


async def test_a_refused_token_blocks_and_says_what_to_do(start: Start) -> None:
    async with FakeTwitch() as server:
        server.refuse_login = True
        async with start(server.url, settings={"token": "s3cret"}) as running:
            await until(lambda: running.error)
        assert isinstance(running.error, SourceError)
        assert "check PULSE_TWITCH_TOKEN" in str(running.error)
        assert "s3cret" not in str(running.error)
        assert running.states[-1] == ("blocked", "Twitch refused the token: Login authentication failed")
        assert len(server.sessions) == 1


async def test_a_drop_is_a_gap_and_it_comes_back_within_two_seconds(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        await server.last.say(privmsg("one", identity="m1"))
        await until(lambda: running.texts == ["one"])
        heard_ms = clock.now_ms()
        await clock.advance(1.0)
        server.last.drop()
        await until(lambda: running.states[-1][0] == "degraded")
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == ("live", None))
        await server.last.say(privmsg("two", identity="m2"))
        await until(lambda: running.texts == ["one", "two"])
    (gap,) = running.events("gap")
    assert (gap.span_from, gap.cause, gap.recovered) == (heard_ms, "connection_lost", 0)
    assert heard_ms < (gap.span_to or 0) <= heard_ms + 2000


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
async def test_a_drop_at_any_byte_costs_only_that_frame(start: Start, clock: HeldClock, share: float) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        await server.last.say(privmsg("whole", identity="m1"))
        server.last.say_part(privmsg("half 🙂" * 20, identity="m2"), share)
        await until(lambda: running.texts == ["whole"])
        server.last.drop()
        await until(lambda: running.states[-1][0] == "degraded")
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == ("live", None))
        await server.last.say(privmsg("after", identity="m3"))
        await until(lambda: running.texts == ["whole", "after"])
    assert len(running.events("gap")) == 1


async def test_a_silent_stall_is_found_by_pings(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        stalled_ms = clock.now_ms()
        server.last.mute = True
        await clock.advance(9.0)
        assert running.states[-1] == ("live", None)
        await until(lambda: "PING :pulse" in server.last.heard)
        await clock.advance(3.0)
        await until(lambda: running.states[-1] == ("live", None) and len(server.sessions) == 2)
    (gap,) = running.events("gap")
    assert (gap.span_from, gap.cause) == (stalled_ms, "stalled")
    assert ("degraded", "no line and no PONG for 10 s") in running.states
    beats = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "heartbeat"]
    assert all(beat.sent_at <= stalled_ms for beat in beats)  # blind never looks like calm


async def test_a_quiet_channel_has_heartbeats(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        began_ms = clock.now_ms()
        for _ in range(20):
            await clock.advance(1.0)
            pings = server.last.heard.count("PING :pulse")
            await until(lambda at_least=pings: server.last.heard.count("PING :pulse") >= at_least)
        beats = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "heartbeat"]
        assert running.events("gap") == []
    spans = [(beat.span_from, beat.span_to) for beat in beats]
    assert spans[0][0] == began_ms
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    assert (spans[-1][1] or 0) - began_ms >= 15_000


async def test_reconnect_joins_anew_first_and_repeats_nothing(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url, "room", "other") as running:
        await until(lambda: running.states.count(("live", None)) == 2)
        await clock.advance(31.0)
        old = server.last
        server.unknown_channels = {"other"}  # keeps both connections open for a while
        await old.say(":tmi.twitch.tv RECONNECT")
        await until(lambda: server.last is not old and server.last.joined == {"room"})
        await old.say(privmsg("both", identity="m1"))
        await server.last.say(privmsg("both", identity="m1"))
        await until(lambda: running.texts == ["both"])
        assert not old.over
        server.unknown_channels = set()
        await server.last.hear("JOIN #other")
        await until(lambda: old.over)
        await server.last.say(privmsg("new", identity="m2"))
        await until(lambda: running.texts == ["both", "new"])
        assert running.events("gap") == []
        assert not any(state in ("degraded", "offline") for state, _ in running.states)


async def test_a_storm_of_reconnects_is_slowed_down(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        for _ in range(60):
            session = server.last
            if not session.over and "room" in session.joined:
                await session.say(":tmi.twitch.tv RECONNECT")
            await clock.advance(1.0)
        assert 3 <= len(server.sessions) <= 20
        assert running.events("gap") == []


async def test_odd_lines_neither_stop_it_nor_get_lost(start: Start) -> None:
    odd = [
        privmsg("rtl \u202eمرحبا 🙂👩‍👩‍👧", identity="m1"),
        privmsg("emote Kappa", identity="m2", more="emotes=25:6-10/x:y/7:900-999/:"),
        "@;;=;a=b\\;id=m3;=x :u!u@u PRIVMSG #room :malformed tags",
        privmsg("x" * 500_000, identity="m4"),
        "@id=m5",
        "@badges= :u!u@u PRIVMSG #room :no id",
        ":u!u@u PRIVMSG #elsewhere :not ours",
        privmsg("last", identity="m6"),
    ]
    async with FakeTwitch() as server, start(server.url) as running:
        await until(lambda: ("live", None) in running.states)
        for line in odd:
            await server.last.say(line)
        await until(lambda: "last" in running.texts)
    assert [text[:15] for text in running.texts] == [
        "rtl \u202eمرحبا 🙂👩‍👩‍👧"[:15],
        "emote Kappa",
        "malformed tags",
        "x" * 15,
        "last",
    ]
    emotes = [r.emotes for r in running.records if isinstance(r, ChatMessage) and r.message_id == "m2"]
    assert [(emote.name, emote.start, emote.end) for emote in emotes[0]] == [("Kappa", 6, 11)]
    letters = [r for r in running.records if isinstance(r, DeadLetter)]
    assert [letter.error_class for letter in letters] == ["source_line", "missing_field"]
    assert [SEALER.open(letter.raw).decode() for letter in letters] == ["@id=m5", odd[5]]
    assert all(b"no id" not in letter.raw for letter in letters)


async def test_joins_keep_to_the_limit_over_all_connections(start: Start, clock: HeldClock) -> None:
    names = [f"channel{n}" for n in range(45)]
    async with (
        FakeTwitch() as server,
        start(server.url, *names, settings={"channels_per_connection": 10}) as running,
    ):
        joined: list[int] = []
        await until(lambda: sum(len(session.joined) for session in server.sessions) == 20)
        for _ in range(21):
            joined.append(sum(len(session.joined) for session in server.sessions))
            await clock.advance(1.0)
        await until(lambda: running.states.count(("live", None)) == 45)
    assert len(server.sessions) == 5
    assert all(after - before <= 20 for before, after in zip(joined, joined[10:], strict=False))


async def test_a_channel_that_does_not_exist_is_degraded(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server:
        server.unknown_channels = {"nobody"}
        async with start(server.url, "room", "nobody") as running:
            await until(lambda: ("live", None) in running.states)
            await clock.advance(11.0)
            await until(lambda: running.source.states["nobody"][0] == "degraded")
            assert running.source.states["room"] == ("live", "")
            await server.last.say(
                "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #nobody :Channel suspended."
            )
            await until(lambda: running.source.states["nobody"][0] == "blocked")


async def test_a_server_that_is_down_is_offline_after_some_tries(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server:
        url = server.url
    async with start(url) as running:
        for _ in range(6):
            await until(lambda: running.source.states.get("room", ("", ""))[0] in ("degraded", "offline"))
            await clock.advance(60.0)
        await until(lambda: running.states[-1][0] == "offline")
        assert running.states[-1][1]
        assert "cannot connect" in running.states[-1][1]


async def test_stop_yields_what_was_heard_and_records_the_open_gap(start: Start, clock: HeldClock) -> None:
    async with FakeTwitch() as server, start(server.url, settings={"queue_records": 5}) as running:
        await until(lambda: ("live", None) in running.states)
        await server.last.say("\r\n".join(privmsg(f"line {n}", identity=f"m{n}") for n in range(300)))
        await until(lambda: "line 299" in running.texts)
        server.last.drop()
        await until(lambda: running.states[-1][0] == "degraded")
    assert running.texts == [f"line {n}" for n in range(300)]
    assert len(running.events("gap")) == 1


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_TWITCH_TOKEN", "s3cret")
    found = TwitchSettings()
    assert found.token is not None
    assert found.token.get_secret_value() == "s3cret"
    assert "s3cret" not in json.dumps(found.model_dump(mode="json"))
