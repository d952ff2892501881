"""Alerts, records, configurations and a scripted target for the notifier's tests."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from connectors.clickhouse.routes import Row
from connectors.core.testing.clock import ManualClock
from connectors.notify.config import NotifyConfig
from connectors.notify.message import Message, Sender
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.notifier import Notifier
from connectors.notify.outbox import Outbox
from schemas.codecs import encode
from schemas.records import Alert
from schemas.topics import ALERTS

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, a Thursday


def alert(**changes: Any) -> Alert:
    base = Alert(
        channel="twitch:somechannel",
        stream_id="twitch:somechannel/40123456789",
        alert_id="a1",
        revision=1,
        kind="attack.raid",
        severity="high",
        state="open",
        started_at=START_MS,
        detected_at=START_MS + 4_200,
        ended_at=None,
        why={"hostile_newcomers": 9, "summary": "9 of 12 newcomers look hostile."},
        evidence=("secret-message-id",),
        authors=9,
        messages=14,
        channels=("twitch:somechannel/40123456789",),
    )
    return msgspec.structs.replace(base, **changes)


def rows(*alerts: Alert, appended_at: int | None = START_MS, first_offset: int = 0) -> list[Row]:
    return [
        Row(ALERTS, 0, first_offset + at, appended_at, b"default|x", encode(each))
        for at, each in enumerate(alerts)
    ]


def config(*rules: dict[str, Any], targets: Iterable[dict[str, Any]] = (), **more: Any) -> NotifyConfig:
    chosen = list(targets) or [{"name": "hook", "kind": "webhook", "url": "http://127.0.0.1:9/hook"}]
    to = [target["name"] for target in chosen]
    given = [{"name": f"r{at}", "to": to, **rule} for at, rule in enumerate(rules or ({},))]
    return NotifyConfig.model_validate({"version": 1, "targets": chosen, "rules": given, **more})


class ScriptedSender:
    """Answers each attempt with the next of `script` (an exception, or None for acceptance), then accepts."""

    def __init__(self, clock: ManualClock, *script: Exception | None) -> None:
        self._clock, self._script = clock, list(script)
        self.attempts: list[tuple[int, Message]] = []
        self.accepted: list[Message] = []

    async def ready(self) -> None:
        return None

    async def send(self, message: Message) -> None:
        self.attempts.append((self._clock.now_ms(), message))
        answer = self._script.pop(0) if self._script else None
        if answer is not None:
            raise answer
        self.accepted.append(message)

    @property
    def told(self) -> list[tuple[str, int, str]]:
        return [(due.alert.alert_id, due.alert.revision, due.news) for m in self.accepted for due in m.due]


class Desk:
    """A notifier on a scripted target, with its file and clock; `reopen` is a restart."""

    def __init__(self, folder: Path, chosen: NotifyConfig, *script: Exception | None) -> None:
        self.path, self.config = folder / "outbox.sqlite3", chosen
        self.clock = ManualClock(START_MS)
        self.sender = ScriptedSender(self.clock, *script)
        self.senders: Mapping[str, Sender] = {target.name: self.sender for target in chosen.targets}
        self.reopen()

    def reopen(self) -> None:
        self.outbox = Outbox(self.path)
        self.registry = CollectorRegistry()
        metrics = NotifyMetrics(self.registry)
        self.notifier = Notifier(self.config, self.senders, self.outbox, self.clock, metrics)

    def take(self, *alerts: Alert, **how: Any) -> None:
        self.notifier.take(rows(*alerts, appended_at=how.get("appended_at", self.clock.now_ms())))

    async def drain(self) -> None:
        """Run until nothing is owed."""
        stopping = asyncio.Event()
        running = asyncio.create_task(self.notifier.run(stopping))
        while self.outbox.waiting() and not running.done():
            await asyncio.sleep(0)
        stopping.set()
        await running

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"pulse_notify_{name}", labels) or 0
