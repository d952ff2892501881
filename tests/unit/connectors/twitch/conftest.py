import asyncio
import heapq
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet

from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Record
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from schemas.records import ChatEvent, ChatMessage
from schemas.retention import load_retention
from tests.unit.connectors.twitch.frames import AT

PSEUDONYMS = Pseudonyms("k1", bytes(32), "twitch")
SEALER = Sealer(Fernet.generate_key())


class HeldClock:
    """Stands still until the test moves it on."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        return AT + 60_000 + round(self._now_s * 1000)

    def monotonic(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now_s + seconds, self._count, woken))
        await woken

    async def _settle(self) -> None:
        await asyncio.sleep(0.001)  # real sockets lie between the two sides

    async def advance(self, seconds: float) -> None:
        """Move on, waking sleepers one after another and letting each do its work."""
        until_s = self._now_s + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= until_s:
            at_s, _, woken = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, at_s)
            if not woken.done():
                woken.set_result(None)
                await self._settle()
        self._now_s = until_s


class MemoryClock(HeldClock):
    """For both sides in one process: lets all work be done between two moments."""

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)


class Running:
    """A source under way, and what it gave so far."""

    def __init__(self, source: TwitchSource) -> None:
        self.source = source
        self.records: list[Record] = []
        self.error: BaseException | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def texts(self) -> list[str]:
        return [r.text for r in self.records if isinstance(r, ChatMessage) and r.kind == "message"]

    def events(self, kind: str) -> list[ChatEvent]:
        return [r for r in self.records if isinstance(r, ChatEvent) and r.kind == kind]

    @property
    def states(self) -> list[tuple[str | None, str | None]]:
        return [(event.state, event.cause) for event in self.events("source_state")]

    async def stop(self) -> None:
        self.source.stop()
        await self._task

    async def _run(self) -> None:
        try:
            async for batch in self.source.batches():
                self.records.extend(batch.records)
        except Exception as error:
            self.error = error
        finally:
            await self.source.close()


Start = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_emote_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that want some name their own on loopback."""
    monkeypatch.setenv("PULSE_TWITCH_EMOTE_URLS", "{}")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


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
