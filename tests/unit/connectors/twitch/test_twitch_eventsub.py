"""The live source over EventSub, alone and beside IRC."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from connectors.core.source import SourceError
from connectors.twitch.subscriptions import TYPES
from schemas.codecs import encode
from schemas.records import ChatMessage, DeadLetter
from tests.unit.connectors.running import until
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, SEALER, HeldClock, Running, Start
from tests.unit.connectors.twitch.fake_eventsub import FakeEventSub, chat, notification
from tests.unit.connectors.twitch.fake_helix import FakeHelix
from tests.unit.connectors.twitch.fake_twitch import FakeTwitch
from tests.unit.connectors.twitch.frames import AT, BAN, RAID, privmsg

RAIDED = {"from_broadcaster_user_login": "testchannel", "viewers": 15}


async def after_a_pause(clock: HeldClock, condition: Callable[[], object]) -> None:
    """Let up to eight seconds pass, then everybody work, until the condition holds."""
    for _ in range(16):
        await clock.advance(0.5)
        if condition():
            return
    await until(condition)


class Fakes:
    """Twitch with its API, EventSub and IRC."""

    def __init__(self, helix: FakeHelix, eventsub: FakeEventSub, irc: FakeTwitch) -> None:
        self.helix, self.eventsub, self.irc = helix, eventsub, irc

    async def subscribed(self, running: Running, session: int = 0, types: int = len(TYPES)) -> None:
        def done() -> bool:
            if len(self.eventsub.sessions) <= session:
                return False
            return len(self.helix.types_of(self.eventsub.sessions[session].id)) == types

        await until(lambda: done() and running.source.states.get("room", ("",))[0] == "live")


Open = Callable[..., AbstractAsyncContextManager[tuple[Fakes, Running]]]


@pytest.fixture
def opened(start: Start) -> Open:
    """The fakes, and a source that listens to them."""

    @asynccontextmanager
    async def opened(
        *channels: str, transport: str = "eventsub", fakes: Any = None, **settings: Any
    ) -> AsyncIterator[tuple[Fakes, Running]]:
        with FakeHelix() as helix:
            if fakes:
                fakes(helix)
            async with FakeEventSub() as eventsub, FakeTwitch() as irc:
                urls = helix.settings | {"eventsub_url": eventsub.url, "transport": transport, "token": "t0"}
                async with start(irc.url, *channels, settings=urls | settings) as running:
                    yield Fakes(helix, eventsub, irc), running

    return opened


async def test_it_subscribes_and_hears(opened: Open) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        session = fakes.eventsub.last
        assert session.path == "/ws?keepalive_timeout_seconds=10"
        assert fakes.helix.types_of(session.id) == set(TYPES)
        conditions = {s["type"]: s["condition"] for s in fakes.helix.subscribed}
        assert conditions["channel.chat.message"] == {"broadcaster_user_id": "100", "user_id": "900"}
        assert conditions["channel.raid"] == {"to_broadcaster_user_id": "100"}
        assert conditions["channel.shield_mode.begin"]["moderator_user_id"] == "900"
        fragments = [
            {"type": "mention", "text": "@Bob"},
            {"type": "text", "text": " 👩‍👩‍👧 "},
            {"type": "emote", "text": "Kappa", "emote": {"id": "25"}},
        ]
        event = chat(
            "@Bob 👩‍👩‍👧 Kappa",
            message={"text": "@Bob 👩‍👩‍👧 Kappa", "fragments": fragments},
            badges=[{"set_id": "subscriber", "id": "6", "info": "8"}],
            cheer={"bits": 50},
            reply={"parent_message_id": "p1"},
        )
        await session.say(notification("channel.chat.message", event))
        await until(lambda: running.texts)
        assert session.heard == []  # Twitch ends a session that says anything
    (message,) = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "message"]
    bob = PSEUDONYMS.mention("bob")
    assert message.text == f"{bob} 👩‍👩‍👧 Kappa"
    (emote,) = message.emotes
    assert message.text[emote.start : emote.end] == "Kappa"
    assert (message.sent_at, message.author) == (AT + 123, PSEUDONYMS.author("alice"))
    assert (message.amount, message.reply_to, message.author_flags.subscriber) == (50.0, "p1", True)
    assert b"alice" not in b"".join(encode(record).lower() for record in running.records)


async def test_events_come_as_over_irc(opened: Open) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        session = fakes.eventsub.last
        notice = {
            "message_id": "u1",
            "notice_type": "sub_gift",
            "chatter_user_login": "tww2",
            "chatter_user_name": "TWW2",
            "chatter_is_anonymous": False,
            "system_message": "TWW2 gifted a Tier 1 sub to Mr_Woodchuck!",
            "message": {"text": "", "fragments": []},
            "sub_gift": {"recipient_user_login": "mr_woodchuck", "recipient_user_name": "Mr_Woodchuck"},
        }
        raid = notice | {"message_id": "u2", "notice_type": "raid", "sub_gift": None}
        raid |= {"raid": {"user_login": "testchannel", "user_name": "TestChannel", "viewer_count": 15}}
        raid |= {"system_message": ""}
        for kind, event in [
            ("channel.chat.notification", notice),
            ("channel.chat.notification", raid),
            ("channel.raid", RAIDED),
            ("channel.chat.message_delete", {"message_id": "m9", "target_user_login": "ronni"}),
            ("channel.chat.clear_user_messages", {"target_user_login": "ronni"}),
            ("channel.chat.clear", {}),
            ("channel.chat_settings.update", {"slow_mode": True, "slow_mode_wait_time_seconds": 10}),
            ("channel.shield_mode.begin", {"moderator_user_login": "mod"}),
            ("stream.offline", {}),
        ]:
            await session.say(notification(kind, event))
        await until(lambda: running.events("stream_down"))
    (gift,) = running.events("gift")
    assert gift.source == PSEUDONYMS.author("tww2")
    assert running.texts == [
        f"{PSEUDONYMS.mention('tww2')} gifted a Tier 1 sub to {PSEUDONYMS.mention('mr_woodchuck')}!"
    ]
    (raided,) = running.events("raid")
    assert (raided.viewers, raided.source) == (15, PSEUDONYMS.author("testchannel"))
    deleted, cleared = running.events("deletion")
    assert (deleted.target_message_id, cleared.target_author) == ("m9", None)
    assert running.events("ban")[0].target_author == PSEUDONYMS.author("ronni")
    slow, shield = running.events("room_state")
    assert "slow=10" in (slow.cause or "") and "shield=1" in (shield.cause or "")


async def test_broadcasts_are_told_apart(opened: Open) -> None:
    def live(helix: FakeHelix) -> None:
        helix.streams["room"] = "b1"

    async with opened(fakes=live) as (fakes, running):
        await fakes.subscribed(running)
        session = fakes.eventsub.last
        await session.chat("one", "m1")
        await session.say(notification("stream.offline", {}))
        await session.say(notification("stream.online", {"id": "b2", "type": "live"}))
        await session.chat("two", "m2")
        await until(lambda: running.texts == ["one", "two"])
    lines = {r.text: r.stream_id for r in running.records if isinstance(r, ChatMessage) and r.text}
    assert lines == {"one": "twitch:room/b1", "two": "twitch:room/b2"}
    assert [r.stream_id for r in running.records if isinstance(r, ChatMessage) and r.closing] == [
        "twitch:room/b1"
    ]
    assert running.events("stream_up")[0].stream_id == "twitch:room/b2"


async def test_a_repeated_or_reordered_message_is_counted_once(opened: Open) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        session = fakes.eventsub.last
        gone = notification("stream.offline", {}, identity="same")
        for text, identity in [("two", "m2"), ("one", "m1"), ("two", "m2")]:
            await session.chat(text, identity)
            await session.say(gone)
        await session.chat("last", "m3")
        await until(lambda: "last" in running.texts)
    assert running.texts == ["two", "one", "last"]
    assert len(running.events("stream_down")) == 1


async def test_a_reconnect_message_leaves_no_gap(opened: Open, clock: HeldClock) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        old = fakes.eventsub.last
        await clock.advance(1)
        await old.ask_to_reconnect()
        await old.chat("before the welcome", "m1")
        await after_a_pause(clock, lambda: len(fakes.eventsub.sessions) == 2 and old.over)
        new = fakes.eventsub.last
        assert "replaces=session0" in new.path
        await new.chat("before the welcome", "m1")
        await new.chat("after", "m2")
        await until(lambda: "after" in running.texts)
        assert fakes.helix.types_of(new.id) == set()  # subscriptions move with the session
    assert running.texts == ["before the welcome", "after"]
    assert running.events("gap") == []


async def test_a_replacement_that_cannot_be_opened_is_a_gap_and_a_new_session(
    opened: Open, clock: HeldClock
) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        fakes.eventsub.refuses_replacements = True
        old = fakes.eventsub.last
        await old.ask_to_reconnect()
        old.drop()
        await after_a_pause(clock, lambda: len(fakes.eventsub.sessions) == 2)
        await fakes.subscribed(running, session=1)
        await fakes.eventsub.last.chat("again", "m1")
        await until(lambda: running.texts == ["again"])
    assert [gap.cause for gap in running.events("gap")] == ["connection_lost"]


async def test_a_storm_of_reconnects_is_slowed_down(opened: Open, clock: HeldClock) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        for _ in range(60):
            if not fakes.eventsub.last.over:
                await fakes.eventsub.last.ask_to_reconnect()
            await clock.advance(1)
        assert 3 <= len(fakes.eventsub.sessions) <= 25
        await fakes.eventsub.last.chat("still here", "m1")
        await until(lambda: running.texts == ["still here"])
    assert running.events("gap") == []


async def test_a_missed_keepalive_is_a_gap(opened: Open, clock: HeldClock) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        for _ in range(3):
            await clock.advance(9)
            await fakes.eventsub.last.keep_alive()
        await clock.advance(0.1)
        stalled_ms = clock.now_ms()
        await clock.advance(10)
        assert len(fakes.eventsub.sessions) == 1
        await clock.advance(4)
        await until(lambda: len(fakes.eventsub.sessions) == 2)
        await until(lambda: running.events("gap"))
    (gap,) = running.events("gap")
    assert gap.cause == "stalled"
    assert stalled_ms - 1_000 <= (gap.span_from or 0) <= stalled_ms
    beats = [r for r in running.records if isinstance(r, ChatMessage) and r.kind == "heartbeat"]
    assert all(beat.sent_at <= stalled_ms for beat in beats)  # blind never looks like calm
    arrivals = [beat.received_at for beat in beats if beat.received_at <= stalled_ms]
    assert max(b - a for a, b in itertools.pairwise(arrivals)) < 10_000  # nor calm like blind


@pytest.mark.parametrize("share", [0.0, 0.005, 0.1, 0.5, 0.99])
async def test_a_drop_at_any_byte_costs_only_that_frame(opened: Open, clock: HeldClock, share: float) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        await fakes.eventsub.last.chat("whole", "m1")
        fakes.eventsub.last.say_part(notification("channel.chat.message", chat("half 🙂" * 9)), share)
        await until(lambda: running.texts == ["whole"])
        fakes.eventsub.last.drop()
        await until(lambda: running.source.states["room"][0] == "degraded")
        await after_a_pause(clock, lambda: len(fakes.eventsub.sessions) == 2)
        await fakes.subscribed(running, session=1)
        await fakes.eventsub.last.chat("after", "m2")
        await until(lambda: running.texts == ["whole", "after"])
    assert len(running.events("gap")) == 1


async def test_odd_frames_become_dead_letters_and_long_lines_are_heard(opened: Open) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        session = fakes.eventsub.last
        await session.say("{no json")
        await session.say('{"metadata": {"message_type": 7}}')
        await session.say(notification("channel.chat.message", {"chatter_user_login": "alice"}))
        await session.say(notification("channel.chat.message", chat("not ours"), broadcaster="777"))
        await session.say(notification("channel.unknown", {}))
        await session.chat("rtl \u202eمرحبا 🙂" + "x" * 500_000, "m1")
        await until(lambda: running.texts)
    assert running.texts[0].startswith("rtl \u202eمرحبا 🙂xxx") and len(running.texts[0]) > 500_000
    letters = [r for r in running.records if isinstance(r, DeadLetter)]
    assert [letter.error_class for letter in letters] == ["source_line", "source_line", "missing_field"]
    assert all(b"alice" not in letter.raw for letter in letters)
    assert b"alice" in SEALER.open(letters[2].raw)


async def test_what_the_token_may_not_hear_is_told(opened: Open) -> None:
    def strict(helix: FakeHelix) -> None:
        helix.forbidden = {"channel.shield_mode.begin", "channel.shield_mode.end"}

    async with opened("room", "nobody", fakes=strict) as (fakes, running):
        await fakes.subscribed(running, types=len(TYPES) - 2)
        await until(lambda: "shield_mode.begin" in running.source.states["room"][1])
        assert running.source.states["room"][0] == "live"
        assert running.source.states["nobody"] == ("blocked", "Twitch knows no such channel")
        await fakes.eventsub.last.revoke("channel.raid")
        await until(lambda: "revoked channel.raid" in running.source.states["room"][1])
        assert running.source.states["room"][0] == "live"
        await fakes.eventsub.last.revoke("channel.chat.message")
        await until(lambda: running.source.states["room"][0] == "blocked")
        assert "authorization_revoked" in running.source.states["room"][1]


async def test_a_token_that_is_refused_ends_it_without_telling_the_token(opened: Open) -> None:
    def expired(helix: FakeHelix) -> None:
        helix.tokens = set()

    async with opened(fakes=expired) as (_, running):
        await until(lambda: running.error)
    assert isinstance(running.error, SourceError)
    assert "PULSE_TWITCH_TOKEN" in str(running.error) and "t0" not in str(running.error)
    assert running.states[-1][0] == "blocked"


async def test_an_expired_token_is_renewed_on_the_way(opened: Open) -> None:
    def expired(helix: FakeHelix) -> None:
        helix.tokens = set()

    async with opened(fakes=expired, refresh_token="r0", client_id="client") as (fakes, running):
        await fakes.subscribed(running)


async def test_an_api_that_is_down_is_asked_again(opened: Open, clock: HeldClock) -> None:
    def down(helix: FakeHelix) -> None:
        helix.script.extend([(503, None, {})] * 9)

    async with opened(fakes=down) as (fakes, running):
        await until(lambda: fakes.helix.asked)
        for _ in range(20):
            await clock.advance(2)
            await fakes.eventsub.last.keep_alive()
        await fakes.subscribed(running)


async def test_channels_come_and_go(opened: Open, clock: HeldClock) -> None:
    async with opened() as (fakes, running):
        await fakes.subscribed(running)
        running.source.follow("other")
        await until(lambda: running.source.states.get("other", ("",))[0] == "live")
        await until(lambda: len(fakes.helix.subscribed) == 2 * len(TYPES))
        await running.source.unfollow("other")
        await until(lambda: [a.method for a in fakes.helix.asked].count("DELETE") == len(TYPES))
        assert len(fakes.eventsub.sessions) == 1


async def test_two_transports_count_each_line_once(opened: Open, clock: HeldClock) -> None:
    async with opened(transport="both") as (fakes, running):
        await fakes.subscribed(running)
        await until(lambda: fakes.irc.last.joined == {"room"})
        session = fakes.eventsub.last
        await session.chat("hi", "m1")
        await until(lambda: running.texts == ["hi"])
        await fakes.irc.last.say("\r\n".join([privmsg("hi", identity="m1"), RAID, BAN]))
        await until(lambda: running.events("ban"))
        await session.say(notification("channel.raid", RAIDED))
        await session.say(notification("channel.chat.clear_user_messages", {"target_user_login": "ronni"}))
        fakes.irc.last.drop()
        await session.chat("eventsub alone", "m2")
        await until(lambda: running.texts == ["hi", "eventsub alone"])
        await after_a_pause(clock, lambda: len(fakes.irc.sessions) == 2)
        await until(lambda: fakes.irc.last.joined == {"room"})
        session.drop()
        await fakes.irc.last.say(privmsg("irc alone", identity="m3"))
        await until(lambda: running.texts == ["hi", "eventsub alone", "irc alone"])
    assert running.events("gap") == []
    assert len(running.events("raid")) == len(running.events("ban")) == 1


async def test_a_conduit_keeps_its_subscriptions_over_sessions(opened: Open, clock: HeldClock) -> None:
    settings = {
        "conduit": True,
        "client_id": "client",
        "client_secret": "secret",
        "login": "moderator",
        "conduit_shards": 2,
    }
    async with opened("room", "other", **settings) as (fakes, running):
        await until(lambda: [s for s, _ in running.source.states.values()] == ["live"] * 2)
        await until(lambda: len(fakes.helix.subscribed) == 2 * len(TYPES))
        shards = fakes.helix.conduits["conduit0"]
        await until(lambda: set(shards.values()) == {"session0", "session1"})
        assert {s["transport"]["conduit_id"] for s in fakes.helix.subscribed} == {"conduit0"}
        await fakes.eventsub.sessions[1].chat("by the second", "m1")
        await until(lambda: running.texts == ["by the second"])
        fakes.eventsub.sessions[0].drop()
        await after_a_pause(clock, lambda: len(fakes.eventsub.sessions) == 3)
        await until(lambda: set(fakes.helix.conduits["conduit0"].values()) == {"session1", "session2"})
        assert len(fakes.helix.subscribed) == 2 * len(TYPES)
    assert running.events("gap") == []  # the other shard heard on
