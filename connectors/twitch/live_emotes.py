"""Keeps the emote catalogues of the channels that are listened to."""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx

from connectors.core.clock import Clock
from connectors.twitch.emote_store import EmoteStore
from connectors.twitch.emotes import EmoteCatalogue
from connectors.twitch.helix import Helix
from connectors.twitch.settings import TwitchSettings

_AGAIN_S: Final = 300.0
"""A provider that could not be asked is asked again after this."""

Learned = Callable[[EmoteCatalogue, str], None]
"""Told a channel's catalogue, and which providers could not be asked, and why; empty where all could."""


class LiveEmotes:
    """One task a channel; lines that come before its first catalogue go without."""

    def __init__(self, settings: TwitchSettings, clock: Clock, helix: Helix | None) -> None:
        """Prepare; `helix` asks Twitch itself, where there is a token."""
        self._ttl_s = settings.emote_ttl_s
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=settings.open_timeout_s) if settings.emote_urls else None
        self._store = (
            EmoteStore(
                settings.emote_cache,
                self._http,
                clock,
                urls=settings.emote_urls,
                ttl_s=self._ttl_s,
                helix=helix,
            )
            if self._http
            else None
        )
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def learn(self, channel: str, number: str, learned: Learned) -> None:
        """Tell the catalogue of the channel of that number, now and whenever it was asked for anew."""
        if self._store and channel not in self._tasks:
            self._tasks[channel] = asyncio.create_task(self._keep(self._store, number, learned))

    def forget(self, channel: str) -> None:
        """Ask for that channel's no more."""
        if task := self._tasks.pop(channel, None):
            task.cancel()

    async def close(self) -> None:
        """Ask no more."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http:
            await self._http.aclose()

    async def _keep(self, store: EmoteStore, number: str, learned: Learned) -> None:
        while True:
            catalogue, missing = await store.of(number)
            learned(catalogue, "; ".join(f"{provider}: {why}" for provider, why in missing.items()))
            await self._clock.sleep(min(self._ttl_s, _AGAIN_S) if missing else self._ttl_s)
