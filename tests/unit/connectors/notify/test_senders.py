import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.core.clock import SystemClock
from connectors.core.testing.clock import ManualClock
from connectors.notify.message import Message, PermanentError, TemporaryError, compose
from connectors.notify.outbox import Due
from connectors.notify.rate_limit import SlidingWindow, Turnstile
from connectors.notify.senders import open_senders
from connectors.notify.telegram import Limits
from connectors.notify.webhook import alertmanager_body, pulse_body, retry_after_s
from tests.unit.connectors.notify.fake_server import Answer, FakeServer, fake_server
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config

TOKEN = "123456:AAAA-very-secret"
SECRETS = {"TOKEN": TOKEN, "SECRET": "shared-key"}
OK = Answer(body=b'{"ok":true,"result":{}}')


def message(**changes: Any) -> Message:
    due = Due(1, "open", START_MS, START_MS, False, alert(**changes))
    return compose("it", "default|twitch:somechannel", [due])


def hook(server: FakeServer, **more: Any) -> dict[str, Any]:
    return {"name": "it", "kind": "webhook", "url": f"{server.url}/hook"} | more


def bot(server: FakeServer, **more: Any) -> dict[str, Any]:
    base = {"name": "it", "kind": "telegram", "token_env": "TOKEN", "chat": -100, "api_url": server.url}
    return base | more


def telegram_error(code: int, description: str, **parameters: Any) -> Answer:
    said = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Answer(code, json.dumps(said).encode())


async def sent(target: Callable[..., dict[str, Any]], *script: Any, **more: Any) -> FakeServer:
    async with fake_server(OK) as server:
        server.script = list(script)
        patience = {"timeout_s": 0.2} if "stall" in script else {"timeout_s": 30}
        chosen = config(targets=[target(server, **patience, **more)])
        async with open_senders(chosen, SECRETS, "http://page", SystemClock()) as senders:
            await senders["it"].send(message())
        return server


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Answer(500), "http_500"),
        (Answer(503, headers={"Retry-After": "7"}), "http_503"),
        (Answer(408), "http_408"),
        (Answer(429, headers={"Retry-After": "7"}), "rate_limited"),
        ("stall", "timeout"),
        ("close", "connection"),
        ("half", "connection"),
    ],
)
async def test_a_webhook_s_passing_trouble_is_temporary(step: Any, reason: str) -> None:
    with pytest.raises(TemporaryError) as caught:
        await sent(hook, step)
    assert caught.value.reason == reason
    assert caught.value.retry_after_s == (7 if isinstance(step, Answer) and step.headers else 0)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 413])
async def test_a_webhook_s_refusal_is_permanent(status: int) -> None:
    with pytest.raises(PermanentError, match=str(status)):
        await sent(hook, Answer(status, headers={"Location": "http://127.0.0.1:9/"}))


async def test_a_host_that_is_not_there_is_temporary() -> None:
    chosen = config(targets=[{"name": "it", "kind": "webhook", "url": "http://127.0.0.1:1/x"}])
    async with open_senders(chosen, {}, "http://page", SystemClock()) as senders:
        with pytest.raises(TemporaryError) as caught:
            await senders["it"].send(message())
    assert caught.value.reason == "connection"


async def test_a_webhook_s_body_is_signed_and_carries_its_delivery_id() -> None:
    (request,) = (await sent(hook, secret_env="SECRET")).requests
    stamp, _, given = request.headers["x-pulse-signature"].partition(",v1=")
    signed = stamp.removeprefix("t=").encode() + b"." + request.body
    assert given == hmac.new(b"shared-key", signed, hashlib.sha256).hexdigest()
    assert request.headers["x-pulse-delivery"] == request.json()["delivery"] == message().delivery
    assert request.headers["content-type"] == "application/json"


def test_the_pulse_payload() -> None:
    body = pulse_body(message(), "http://page/")
    assert body["version"] == 1
    advice = body["alerts"][0].pop("advice")
    assert advice["steps"][0] == "Turn shield mode on; where there is none, followers-only."
    assert {"type": "shield_mode", "label": "Shield mode"} in advice["actions"]
    assert body["alerts"][0] == {
        "news": "open",
        "alert_id": "a1",
        "revision": 1,
        "workspace": "default",
        "channel": "twitch:somechannel",
        "stream_id": "twitch:somechannel/40123456789",
        "kind": "attack.raid",
        "severity": "high",
        "state": "open",
        "started_at": START_MS,
        "detected_at": START_MS + 4_200,
        "ended_at": None,
        "why": {"hostile_newcomers": 9, "summary": "9 of 12 newcomers look hostile."},
        "authors": 9,
        "messages": 14,
        "playbook": None,
        "streams": ["twitch:somechannel/40123456789"],
        "link": "http://page/#/default/twitch%3Asomechannel%2F40123456789",
    }


def test_the_alertmanager_payload() -> None:
    ended = alert(alert_id="a2", state="closed", ended_at=START_MS)
    over = Due(2, "closed", START_MS, START_MS, False, ended)
    both = message()._replace(due=(*message().due, over))
    body = alertmanager_body(both, "http://page")
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "it")
    assert body["groupLabels"] == {"workspace": "default", "channel": "twitch:somechannel"}
    assert body["commonLabels"]["alertname"] == "attack.raid"
    assert [one["status"] for one in body["alerts"]] == ["firing", "resolved"]
    assert [one["endsAt"] for one in body["alerts"]] == ["0001-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"]
    assert all(isinstance(value, str) for one in body["alerts"] for value in one["annotations"].values())
    assert alertmanager_body(both._replace(due=(over,)), "http://page")["status"] == "resolved"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("12", 12),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("x", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, START_MS) == seconds


async def test_telegram_gets_text_without_sound_for_mild_alerts() -> None:
    (request,) = (await sent(bot, silent_below="critical", thread=7)).requests
    assert request.path == f"/bot{TOKEN}/sendMessage"
    body = request.json()
    assert (body["chat_id"], body["message_thread_id"], body["parse_mode"]) == (-100, 7, "HTML")
    assert body["disable_notification"] is True
    assert "9 of 12 newcomers look hostile." in body["text"]


async def test_telegram_s_flood_control_is_temporary_and_names_its_pause() -> None:
    with pytest.raises(TemporaryError) as caught:
        await sent(bot, telegram_error(429, "Too Many Requests: retry after 35", retry_after=35))
    assert (caught.value.reason, caught.value.retry_after_s) == ("rate_limited", 35)


@pytest.mark.parametrize(
    "step",
    [telegram_error(500, "Internal"), Answer(502, b"<html>"), Answer(200, b"<html>"), "close", "stall"],
)
async def test_telegram_s_passing_trouble_is_temporary(step: Any) -> None:
    with pytest.raises(TemporaryError):
        await sent(bot, step)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (telegram_error(401, "Unauthorized"), "check the token in TOKEN"),
        (telegram_error(403, "Forbidden: bot was kicked"), "add the bot to the chat"),
        (telegram_error(400, "upgraded to a supergroup", migrate_to_chat_id=-1007), "set `chat: -1007`"),
        (telegram_error(400, f"odd {TOKEN}"), "odd …"),
    ],
)
async def test_telegram_s_refusal_is_permanent_and_says_what_to_do(step: Any, words: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await sent(bot, step)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


async def test_no_secret_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await sent(bot)
    await sent(hook, secret_env="SECRET")
    for step in (telegram_error(401, "no"), Answer(500), "close", "stall"):
        with pytest.raises((TemporaryError, PermanentError)) as caught:
            await sent(bot, step)
        assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text
    assert "shared-key" not in caplog.text


async def test_a_real_target_that_fails_in_many_ways_gets_each_alert_in_the_end(tmp_path: Path) -> None:
    async with fake_server(OK) as server:
        server.script = [Answer(500), "close", "half", "stall", Answer(503)]
        desk = Desk(tmp_path, config(targets=[hook(server, timeout_s=1.5, give_up_s=604_800)]))
        async with open_senders(desk.config, SECRETS, "http://page", desk.clock) as senders:
            desk.senders = senders
            desk.reopen()
            desk.take(alert(), alert(alert_id="a2"))
            await desk.drain()
        assert len(server.requests) == 6
        assert len({request.headers["x-pulse-delivery"] for request in server.requests}) == 1
        assert desk.outbox.dead() == []


@pytest.mark.parametrize(("chat", "most_a_minute"), [(-100, 20), ("@channel", 20), (100, 60)])
async def test_the_documented_limits_of_a_chat_are_kept(chat: int | str, most_a_minute: int) -> None:
    clock = ManualClock()
    turnstile, _ = Limits(clock).of(TOKEN, chat)
    times = []
    for _ in range(130):
        await turnstile.wait()
        times.append(clock.monotonic())
    for begin in times:
        assert sum(begin <= at < begin + 60 for at in times) <= most_a_minute
        assert sum(begin <= at < begin + 1 for at in times) <= 1


async def test_chats_share_their_bot_s_limit_and_its_pause() -> None:
    clock = ManualClock()
    limits = Limits(clock)
    stiles = [limits.of(TOKEN, chat) for chat in range(1, 46)]
    for stile, _ in stiles:
        await stile.wait()
    assert clock.monotonic() == pytest.approx(1.0)
    stiles[0][1].until(clock.monotonic() + 35)
    await stiles[44][0].wait()
    assert clock.monotonic() == pytest.approx(36.0)


async def test_a_turnstile_without_limits_does_not_wait() -> None:
    clock = ManualClock()
    await Turnstile(clock, []).wait()
    await Turnstile(clock, [SlidingWindow(2, 1)]).wait()
    assert clock.monotonic() == 0
