import json
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from connectors.core.testing.clock import ManualClock
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.mutes import ASK_EVERY_MS, ApiMutes
from connectors.notify.notifier import Notifier
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config, rows


class Api:
    """Answers with `mutes`, or with whatever `answer` is."""

    def __init__(self) -> None:
        self.mutes: list[dict[str, object]] = []
        self.answer: httpx.Response | Exception | None = None
        self.asked: list[httpx.Request] = []
        self.clock = ManualClock(START_MS)
        self.registry = CollectorRegistry()
        self.known = ApiMutes(
            "http://api",
            "the-token",
            self.clock,
            NotifyMetrics(self.registry),
            httpx.MockTransport(self._serve),
        )

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, content=json.dumps({"mutes": self.mutes}))

    def mute(self, seconds: int) -> None:
        self.mutes = [
            {"channel": "twitch:somechannel", "kind": "attack.raid", "until": START_MS + seconds * 1_000}
        ]


async def test_a_mute_covers_its_kind_on_its_channel_until_it_ends() -> None:
    api = Api()
    api.mute(60)
    await api.known.refresh({"default"})
    assert api.asked[0].headers["authorization"] == "Bearer the-token"
    assert api.known.muted(alert(alert_id="another"), START_MS + 59_999)
    assert not api.known.muted(alert(), START_MS + 60_000)
    assert not api.known.muted(alert(kind="hype"), START_MS)
    assert not api.known.muted(alert(channel="twitch:other"), START_MS)
    assert not api.known.muted(alert(workspace="other"), START_MS)


async def test_it_asks_each_workspace_seldom() -> None:
    api = Api()
    await api.known.refresh({"default"})
    await api.known.refresh({"default", "a/b"})
    assert [request.url.raw_path for request in api.asked] == [
        b"/api/v1/default/mutes",
        b"/api/v1/a%2Fb/mutes",
    ]
    api.clock.advance(ASK_EVERY_MS / 1_000)
    await api.known.refresh({"default"})
    assert len(api.asked) == 3


async def test_without_an_answer_the_known_mutes_stay_in_force() -> None:
    api = Api()
    api.mute(60)
    await api.known.refresh({"default"})
    for answer in (httpx.ConnectError("down"), httpx.Response(401), httpx.Response(200, content=b"[]")):
        api.answer = answer
        api.clock.advance(ASK_EVERY_MS / 1_000)
        await api.known.refresh({"default"})
    assert api.known.muted(alert(), START_MS)
    assert api.registry.get_sample_value("pulse_notify_mute_failures_total") == 3


async def test_nothing_is_told_of_a_muted_alert_until_the_mute_ends(tmp_path: Path) -> None:
    desk, api = Desk(tmp_path, config()), Api()
    desk.notifier = Notifier(
        desk.config, desk.senders, desk.outbox, desk.clock, NotifyMetrics(CollectorRegistry()), api.known
    )
    api.mute(60)
    await api.known.refresh({"default"})
    desk.notifier.take(rows(alert(), alert(revision=2, state="closed", ended_at=START_MS)))
    await desk.drain()
    assert desk.sender.told == []
    desk.clock.advance(60)
    desk.notifier.take(rows(alert(alert_id="a2"), appended_at=desk.clock.now_ms()))
    await desk.drain()
    assert desk.sender.told == [("a2", 1, "open")]
