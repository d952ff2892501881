"""A clock that stands still until everybody waits for it."""

import asyncio
import heapq


class ManualClock:
    """A clock that only moves when all wait for it: `sleep` returns as soon as nobody has anything to do.

    So a test of an hour of pauses takes no time and always takes the same course. Sleepers wake in the order
    of their times.
    """

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:
        self._began_ms = now_ms
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        """The time it was made with, plus what was slept."""
        return self._began_ms + round(self._seconds * 1000)

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move on by hand; sleepers whose time has come wake."""
        self._move_to(self._seconds + seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on; it moves on to the first sleeper when the loop is idle."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._seconds + max(0.0, seconds), self._count, woken))
        # others that are ready run first; threads' results come through the loop too
        await asyncio.sleep(0)
        while not woken.done():
            self._move_to(self._sleepers[0][0])
            await asyncio.sleep(0)

    def _move_to(self, seconds: float) -> None:
        self._seconds = max(self._seconds, seconds)
        while self._sleepers and self._sleepers[0][0] <= self._seconds:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class HeldClock:
    """A clock that stands still until the test moves it on."""

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:
        self._began_ms = now_ms
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        """The time it was made with, plus what it was moved on."""
        return self._began_ms + round(self._now_s * 1000)

    def monotonic(self) -> float:
        """Seconds it was moved on."""
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        """Wait until it was moved on so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now_s + seconds, self._count, woken))
        await woken

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

    async def _settle(self) -> None:
        await asyncio.sleep(0.001)  # real sockets lie between the two sides
