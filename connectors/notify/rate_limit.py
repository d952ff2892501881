"""How often a target may be written to; pure arithmetic on an injected clock."""

from collections import deque
from collections.abc import Sequence

from connectors.core.clock import Clock


class SlidingWindow:
    """At most `count` in any span of `span_s` seconds."""

    def __init__(self, count: int, span_s: float) -> None:
        self._span_s = span_s
        self._times: deque[float] = deque(maxlen=count)

    def ready_at(self, now: float) -> float:
        """The moment from which on one more is allowed."""
        full = len(self._times) == self._times.maxlen
        return max(now, self._times[0] + self._span_s) if full else now

    def take(self, now: float) -> None:
        """Count one."""
        self._times.append(now)


class Pause:
    """Nothing until a moment that somebody names: what a 429 asks for."""

    def __init__(self) -> None:
        self._until = 0.0

    def ready_at(self, now: float) -> float:
        """As SlidingWindow."""
        return max(now, self._until)

    def take(self, now: float) -> None:
        """Nothing to count."""

    def until(self, moment: float) -> None:
        """Wait until then; never shortens a pause."""
        self._until = max(self._until, moment)


class Turnstile:
    """Lets callers through one by one as soon as all limits allow it; they may be shared."""

    def __init__(self, clock: Clock, limits: Sequence[SlidingWindow | Pause]) -> None:
        self._clock, self._limits = clock, limits

    async def wait(self) -> None:
        """Return when the caller may send; it counts as sent."""
        while True:
            now = self._clock.monotonic()
            ready = max((limit.ready_at(now) for limit in self._limits), default=now)
            if ready <= now:
                break
            await self._clock.sleep(ready - now)
        for limit in self._limits:
            limit.take(now)
