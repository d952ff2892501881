"""Time as a parameter: nothing in a connector reads the clock or sleeps but through this."""

import asyncio
import time
from typing import Protocol


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
