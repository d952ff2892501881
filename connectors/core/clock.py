"""Time as a parameter: nothing in a connector reads the clock or sleeps but through this."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Wall time for records, a monotonic time for pauses, and the only way to sleep."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch; may jump."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of `monotonic`; at once for 0 and less, but lets others run."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """The machine's wall time."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """The machine's monotonic time."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(max(0.0, seconds))


async def within(clock: Clock, seconds: float, call: Coroutine[Any, Any, T]) -> T:
    """The call's result; it is cancelled where it takes longer.

    Raises:
        TimeoutError: so many seconds have passed on that clock.
    """
    calling = asyncio.ensure_future(call)
    waiting = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({calling, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if calling.done():
            return calling.result()
        raise TimeoutError(f"nothing within {seconds:g} s")
    finally:
        for task in (calling, waiting):
            task.cancel()
        await asyncio.gather(calling, waiting, return_exceptions=True)
