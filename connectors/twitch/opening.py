"""Opens connections, one try after another, and waits for what comes first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from connectors.core.clock import Clock
from connectors.core.pacing import Backoff, RateLimit
from connectors.twitch.transport import Connect, Transport, TransportError


class Opener:
    """Opens one connection at a time: within the rate limit, with a pause after each try that failed."""

    def __init__(
        self,
        connect: Connect,
        clock: Clock,
        *,
        backoff: Backoff,
        limit: RateLimit,
        timeout_s: float,
        failed: Callable[[str, int], Awaitable[None]],
    ) -> None:
        """Prepare.

        Args:
            connect: opens a connection.
            clock: all pauses go by it.
            backoff: the pauses between tries.
            limit: how often it may be tried, over all connections.
            timeout_s: a try that takes longer has failed.
            failed: told the reason of each try that failed, and which in a row it was.
        """
        self._connect = connect
        self._clock = clock
        self._backoff = backoff
        self._limit = limit
        self._timeout_s = timeout_s
        self._failed = failed
        self._tries = 0

    async def open(self, url: str) -> Transport:
        """A connection to that address, however long it takes."""
        while True:
            try:
                return await self.open_once(url)
            except TransportError as error:
                self._tries += 1
                await self._failed(str(error), self._tries)
                await self._clock.sleep(self._backoff.next_s())

    async def open_once(self, url: str) -> Transport:
        """A connection at the first try.

        Raises:
            TransportError: it cannot be opened, or not in time.
        """
        await self._clock.sleep(self._limit.reserve(self._clock.monotonic()))
        opening = asyncio.create_task(_as_coroutine(self._connect, url))
        try:
            await first(opening, lambda: self._clock.sleep(self._timeout_s))
            if opening.done():
                return opening.result()
        finally:
            await cancel([opening] if not opening.done() else [])
        raise TransportError(f"no connection within {self._timeout_s:g} s")

    def succeeded(self) -> None:
        """A connection was of use: failures count from one again."""
        self._tries = 0


async def first(task: "asyncio.Task[Any]", other: Callable[[], Awaitable[object]]) -> None:
    """Return when the task is done or the other has come."""
    waiting = asyncio.ensure_future(other())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def cancel(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancel and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _as_coroutine(connect: Connect, url: str) -> Transport:
    return await connect(url)
