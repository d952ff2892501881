"""Keeps one group of channels heard: connects, connects anew, and swaps on RECONNECT."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Protocol

from connectors.core.clock import Clock
from connectors.core.pacing import Backoff, RateLimit
from connectors.twitch.connection import Connection, End, Listener
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.transport import Connect, Transport, TransportError

_numbers = count(1)


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
        self._connect = connect
        self._settings = settings
        self._backoff = backoff
        self._joins = joins
        self._logins = logins
        self._clock = clock
        self._tries = 0
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
                transport = await self._open()
                connection = Connection(
                    next(_numbers),
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
                await _first(task, connection.settled.wait)
                if not task.done():
                    self._tries = 0
                    for older in live.values():
                        if older is not connection:
                            await older.leave()
                    await _first(task, connection.wants_replacement.wait)
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
            await _cancel(list(live))

    async def _hear(self, connection: Connection) -> End:
        end = End("stopped", "closed by us")
        try:
            end = await connection.run()
        finally:
            await self._listener.ended(connection, end)
        return end

    async def _open(self) -> Transport:
        while True:
            await self._clock.sleep(self._logins.reserve(self._clock.monotonic()))
            opening = asyncio.create_task(_as_coroutine(self._connect, self._settings.url))
            try:
                await _first(opening, self._open_timeout)
                if opening.done():
                    return opening.result()
                reason = f"no connection within {self._settings.open_timeout_s:g} s"
            except TransportError as error:
                reason = str(error)
            finally:
                await _cancel([opening] if not opening.done() else [])
            self._tries += 1
            await self._listener.cannot_connect(self.channels, reason, self._tries)
            await self._clock.sleep(self._backoff.next_s())

    async def _open_timeout(self) -> None:
        await self._clock.sleep(self._settings.open_timeout_s)


async def _as_coroutine(connect: Connect, url: str) -> Transport:
    return await connect(url)


async def _first(
    task: "asyncio.Task[End] | asyncio.Task[Transport]", other: Callable[[], Awaitable[object]]
) -> None:
    """Return when the task is done or the other has come."""
    waiting = asyncio.ensure_future(other())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def _cancel(tasks: "Sequence[asyncio.Task[End] | asyncio.Task[Transport]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
