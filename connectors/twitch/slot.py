"""Keeps one group of channels heard: connects, connects anew, and swaps on RECONNECT."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Protocol

from connectors.core.clock import Clock
from connectors.core.pacing import Backoff, RateLimit
from connectors.twitch.connection import Connection, End, Listener
from connectors.twitch.opening import Opener, cancel, first
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.transport import Connect

link_numbers = count(1)
"""Tells the connections of a process apart, whatever they speak."""


class SlotListener(Listener, Protocol):
    """Hears connections, and of their ends."""

    async def ended(self, connection: Connection, end: End) -> None:
        """The connection is over."""

    async def cannot_connect(self, channels: Sequence[str], reason: str, tries: int) -> None:
        """A try to connect failed, the n-th in a row."""


class Slot:
    """One group of channels, at most one connection's worth; `run` ends only where Twitch blocks us.

    On RECONNECT the new connection joins first, then the old one is closed: what both hear comes twice, and
    nothing is missed.
    """

    def __init__(
        self,
        channels: Sequence[str],
        listener: SlotListener,
        *,
        connect: Connect,
        settings: TwitchSettings,
        backoff: Backoff,
        joins: RateLimit,
        logins: RateLimit,
        clock: Clock,
    ) -> None:
        self._channels = dict.fromkeys(channels)
        self._listener = listener
        self._settings = settings
        self._backoff = backoff
        self._joins = joins
        self._clock = clock
        self._opener = Opener(
            connect,
            clock,
            backoff=backoff,
            limit=logins,
            timeout_s=settings.open_timeout_s,
            failed=lambda reason, tries: listener.cannot_connect(self.channels, reason, tries),
        )
        self._live: dict[asyncio.Task[End], Connection] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it keeps heard."""
        return tuple(self._channels)

    def follow(self, channel: str) -> None:
        """Keep one more channel heard."""
        self._channels[channel] = None
        for connection in self._live.values():
            connection.follow(channel)

    async def unfollow(self, channel: str) -> None:
        """Let one channel go."""
        self._channels.pop(channel, None)
        for connection in list(self._live.values()):
            await connection.unfollow(channel)

    async def run(self) -> End:
        """Keep the channels heard until cancelled, or until Twitch blocks us: then that end."""
        live = self._live
        try:
            while True:
                for task in [task for task in live if task.done()]:
                    del live[task]
                    task.result()  # raises where it broke
                transport = await self._opener.open(self._settings.url)
                connection = Connection(
                    next(link_numbers),
                    transport,
                    self.channels,
                    self._listener,
                    settings=self._settings,
                    joins=self._joins,
                    clock=self._clock,
                )
                began_s = self._clock.monotonic()
                task = asyncio.create_task(self._hear(connection))
                live[task] = connection
                await first(task, connection.settled.wait)
                if not task.done():
                    self._opener.succeeded()
                    for older in live.values():
                        if older is not connection:
                            await older.leave()
                    await first(task, connection.wants_replacement.wait)
                if task.done():
                    del live[task]
                    if task.result().blocked:
                        return task.result()
                healthy = self._clock.monotonic() - began_s >= self._settings.healthy_after_s
                if healthy:
                    self._backoff.reset()
                if task.done() or not healthy:
                    await self._clock.sleep(self._backoff.next_s())
        finally:
            await cancel(list(live))

    async def _hear(self, connection: Connection) -> End:
        end = End("stopped", "closed by us")
        try:
            end = await connection.run()
        finally:
            await self._listener.ended(connection, end)
        return end
