import json
import logging

import pytest

from connectors.core.live import Unheard
from connectors.core.source import SourceError
from connectors.core.testing import HeldClock
from connectors.telegram.settings import TelegramSettings
from tests.unit.connectors.fake_http import Broken
from tests.unit.connectors.running import until
from tests.unit.connectors.telegram.conftest import SEALER, Start
from tests.unit.connectors.telegram.fake_bot_api import CONFLICT, TOKEN, FakeBotApi, flood
from tests.unit.connectors.telegram.updates import ALICE, AT, CHAT, ROOM, message, standing


def room() -> FakeBotApi:
    server = FakeBotApi()
    server.add_chat(ROOM, "room")
    return server


LIVE = ("live", None)


async def test_lines_come_and_are_confirmed_once_kafka_has_them(start: Start) -> None:
    async with room() as server, start(server, delivers=False) as running:
        number = server.say(message=message("one"))
        await until(lambda: running.texts == ["one"])
        assert (len(server.polls), server.confirmed) == (1, 0)
        running.delivers = True
        await running.source.acknowledge(100)
        await until(lambda: server.confirmed == number)
        server.say(message=message("two", number=2))
        await until(lambda: running.texts == ["one", "two"])
    assert LIVE in running.states
    assert json.loads(server.polls[0]["allowed_updates"])[:2] == ["message", "edited_message"]


async def test_what_kafka_never_got_comes_again_at_the_next_start(start: Start) -> None:
    async with room() as server:
        server.say(message=message("one"))
        async with start(server, delivers=False) as killed:
            await until(lambda: killed.texts == ["one"])
        async with start(server) as running:
            await until(lambda: running.texts == ["one"])
        assert server.confirmed == 101  # confirmed when it closed
        ids = [{r.message_id for r in run.records if getattr(r, "text", "")} for run in (killed, running)]
        assert ids[0] == ids[1]
        async with start(server) as later:
            await until(lambda: LIVE in later.states)
        assert later.texts == []


async def test_other_chats_and_repeated_updates_are_left_out(start: Start) -> None:
    async with room() as server, start(server) as running:
        other = CHAT | {"id": -100999, "username": "elsewhere"}
        server.say(message=message("not ours") | {"chat": other})
        server.say(message=message("a"))
        server.say(message=message("a"))
        server.say(message=message("b", number=2))
        await until(lambda: "b" in running.texts)
    assert running.texts == ["a", "b"]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Broken(b""), "connection_lost"),
        (Broken(b"HTTP/1.1 200 OK\r\nContent-Le"), "connection_lost"),
        (Broken(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"ok":true,"resu'), "connection_lost"),
        (Broken(b"\x16\x03\x01\x00"), "connection_lost"),
        (Broken(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n<html>alice</html>"), "bad_answer"),
        (Broken(b"HTTP/1.1 502 X\r\nContent-Length: 18\r\n\r\n<html>alice</html>"), "bad_answer"),
        ((500, {"ok": False, "description": "Internal Server Error"}), "connection_lost"),
        ((200, {"ok": True}), "bad_answer"),
        ((200, {"ok": True, "result": {"a": 1}}), "bad_answer"),
        ((200, {"ok": True, "result": [{"no": "number"}]}), "bad_answer"),
        (CONFLICT, "conflict"),
    ],
)
async def test_a_failed_poll_is_a_gap_whose_lines_come_in_later(
    start: Start,
    clock: HeldClock,
    caplog: pytest.LogCaptureFixture,
    fault: object,
    cause: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states and len(server.polls) == 2)
        heard_ms = clock.now_ms()
        server.script = [fault]  # type: ignore[list-item]
        server.say(message=message("one"))
        await until(lambda: running.states[-1][0] == "degraded")
        server.say(message=message("two", number=2, at=AT + 70))
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert running.texts == ["one", "two"]
    (gap,) = running.events("gap")
    assert (gap.cause, gap.recovered) == (cause, 1)
    assert (gap.span_from or 0) >= heard_ms
    assert "alice" not in caplog.text and "s3cret" not in caplog.text
    assert all("alice" not in (reason or "") for _, reason in running.states)


async def test_a_silent_server_is_given_up(start: Start, clock: HeldClock) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states and len(server.polls) == 2)
        server.script = ["stall"]
        server.say(message=message("one"))
        await until(lambda: len(server.polls) == 3)
        await clock.advance(14.9)
        assert running.states[-1] == LIVE
        await clock.advance(0.2)
        await until(lambda: running.states[-1][0] == "degraded")
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    (gap,) = running.events("gap")
    assert gap.cause == "stalled"


async def test_flood_waits_are_honoured(start: Start, clock: HeldClock) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states and len(server.polls) == 2)
        server.script = [flood(37)]
        server.say(message=message("one"))
        await until(lambda: running.states[-1][0] == "degraded")
        polls = len(server.polls)
        await clock.advance(36.5)
        assert len(server.polls) == polls
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert ("degraded", "Telegram wants 37 s without a call") in running.states


async def test_more_than_one_answer_of_backlog_is_one_gap(start: Start, clock: HeldClock) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states and len(server.polls) == 2)
        server.script = [Broken(b"")]
        server.say(message=message("first"))
        await until(lambda: running.states[-1][0] == "degraded")
        for number in range(2, 252):
            server.say(message=message(f"line {number}", number=number))
        await clock.advance(1.0)
        await until(lambda: running.states[-1] == LIVE)
    assert len(running.texts) == 251
    assert [gap.recovered for gap in running.events("gap")] == [250]


async def test_a_quiet_chat_has_heartbeats(start: Start, clock: HeldClock) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        for _ in range(10):
            polls = len(server.polls)
            server.say(poll={"id": "1"})  # an empty hand wakes the poll up
            await until(lambda at_least=polls: len(server.polls) > at_least)
            await clock.advance(2.0)
        await until(lambda: len(running.heartbeats) > 5)
    ends = [beat.span_to for beat in running.heartbeats]
    assert ends == sorted(ends)


async def test_what_cannot_be_read_is_a_dead_letter_and_hides_nothing(start: Start) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        server.say(message=message("x") | {"date": "yesterday, said alice"})
        server.say(message=message("rtl \u202eمرحبا 🙂👩‍👩‍👧 " + "x" * 500_000, number=2))
        server.say_raw('{"update_id": 103, "message": "\\ud83d"}')
        server.say_raw('{"message": "nobody counts me"}')
        server.say(message=message("last", number=3))
        await until(lambda: "last" in running.texts)
    assert len(running.texts[0]) > 500_000
    assert [letter.error_class for letter in running.dead_letters][:1] == ["wrong_type"]
    assert b"said alice" not in running.dead_letters[0].raw
    assert b"said alice" in SEALER.open(running.dead_letters[0].raw)


async def test_a_bot_that_hears_only_commands_is_degraded(start: Start) -> None:
    async with room() as server:
        server.reads_all = False
        server.statuses[ROOM] = "member"
        async with start(server) as running:
            await until(lambda: running.states and running.states[-1][0] == "degraded")
            assert "make it an administrator" in (running.states[-1][1] or "")
            server.statuses[ROOM] = "administrator"
            server.say(my_chat_member=standing("administrator"))
            await until(lambda: running.states[-1] == LIVE)


async def test_a_chat_that_is_unknown_is_blocked_until_the_bot_is_added(start: Start) -> None:
    async with room() as server, start(server, "room", "-1005") as running:
        await until(lambda: running.source.states.get("-1005", "?")[0] == "blocked")
        await until(lambda: running.source.states["room"][0] == "live")
        assert "Chat not found" in running.source.states["-1005"][1]
        server.statuses[ROOM] = "left"
        server.say(my_chat_member=standing("left", user=ALICE))
        await until(lambda: running.source.states["room"][0] == "blocked")
        server.statuses[ROOM] = "member"
        server.say(my_chat_member=standing("member", user=ALICE))
        await until(lambda: running.source.states["room"][0] == "live")
    assert [gap.cause for gap in running.events("gap")] == ["blocked"]


async def test_a_group_that_becomes_a_supergroup_goes_on(start: Start) -> None:
    async with FakeBotApi() as server:
        server.add_chat(-77, "-77", kind="group")
        async with start(server, "-77") as running:
            old = CHAT | {"id": -77, "username": "", "type": "group"}
            server.say(message=message() | {"chat": old, "migrate_to_chat_id": -10077})
            server.say(message=message("here") | {"chat": old | {"id": -10077}})
            await until(lambda: running.texts == ["here"])


async def test_chats_come_and_go(start: Start) -> None:
    async with room() as server, start(server) as running:
        await until(lambda: LIVE in running.states)
        server.add_chat(-1009, "hall")
        running.source.follow("@Hall", unheard=Unheard(AT * 1000, "process_lost"))
        hall = CHAT | {"id": -1009, "username": "hall"}
        server.say(poll={"id": "1"})  # ends the poll that is under way
        await until(lambda: running.source.states["hall"][0] == "live")
        server.say(message=message("one", number=2) | {"chat": hall})
        await until(lambda: running.texts == ["one"])
        await running.source.unfollow("hall")
        server.say(message=message("too late", number=3) | {"chat": hall})
        server.say(message=message("still here"))
        await until(lambda: "still here" in running.texts)
    assert running.texts == ["one", "still here"]
    assert [gap.channel for gap in running.events("gap")] == ["telegram:hall"]
    assert [r.channel for r in running.heartbeats if r.closing] == ["telegram:hall"]


async def test_a_refused_token_ends_it(start: Start) -> None:
    async with room() as server:
        server.valid_token = False
        async with start(server) as running:
            await until(lambda: running.error)
    assert isinstance(running.error, SourceError)
    assert "check PULSE_TELEGRAM_BOT_TOKEN" in str(running.error)
    assert TOKEN not in str(running.error)
    assert running.states[-1][0] == "blocked"


async def test_a_server_that_is_down_is_offline_after_some_tries(start: Start, clock: HeldClock) -> None:
    async with room() as server:
        server.script = [Broken(b"")] * 20
        async with start(server) as running:
            for _ in range(6):
                await until(lambda: running.states and running.states[-1][0] in ("degraded", "offline"))
                await clock.advance(60.0)
            await until(lambda: running.states[-1][0] == "offline")


def test_the_token_comes_from_the_environment_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_TELEGRAM_BOT_TOKEN", TOKEN)
    found = TelegramSettings()
    assert found.bot_token is not None and found.bot_token.get_secret_value() == TOKEN
    assert "s3cret" not in repr(found) + json.dumps(found.model_dump(mode="json"))
