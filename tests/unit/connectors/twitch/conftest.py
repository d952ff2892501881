import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet

from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.testing import HeldClock
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from schemas.retention import load_retention
from tests.unit.connectors.running import Running
from tests.unit.connectors.twitch.frames import AT

PSEUDONYMS = Pseudonyms("k1", bytes(32), "twitch")
SEALER = Sealer(Fernet.generate_key())


class MemoryClock(HeldClock):
    """For both sides in one process: lets all work be done between two moments."""

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)


Start = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_emote_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that want some name their own on loopback."""
    monkeypatch.setenv("PULSE_TWITCH_EMOTE_URLS", "{}")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(AT + 60_000)


@pytest.fixture
def start(clock: HeldClock) -> Start:
    """A context with a source that runs against a server's address."""

    @asynccontextmanager
    async def started(
        url: str, *channels: str, settings: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[Running]:
        source = TwitchSource(
            channels or ("room",),
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=clock,
            settings=TwitchSettings(url=url, **(settings or {})),
            jitter=random.Random(1),
            **options,
        )
        running = Running(source)
        try:
            yield running
        finally:
            await running.stop()

    return started
