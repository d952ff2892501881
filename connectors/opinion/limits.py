"""How much may be asked in a minute; pure arithmetic on an injected clock, and the wait on top of it."""

import asyncio
from collections import deque
from typing import Final

from connectors.core.clock import Clock
from connectors.notify.rate_limit import Pause, SlidingWindow

SPAN_S: Final = 60.0


class Spent:
    """What one request takes of the tokens; corrected when the endpoint reports the true number."""

    __slots__ = ("at", "tokens")

    def __init__(self, at: float, tokens: int) -> None:
        self.at, self.tokens = at, tokens


class TokenWindow:
    """At most `limit` tokens in any `span_s` seconds; a larger request passes when none are counted."""

    def __init__(self, limit: int, span_s: float = SPAN_S) -> None:
        self._limit, self._span_s = limit, span_s
        self._spent: deque[Spent] = deque()

    def ready_at(self, now: float, tokens: int) -> float:
        """The moment from which on so many more are allowed."""
        while self._spent and self._spent[0].at + self._span_s <= now:
            self._spent.popleft()
        used, ready = sum(spent.tokens for spent in self._spent), now
        for spent in self._spent:
            if used + tokens <= self._limit:
                break
            used -= spent.tokens
            ready = spent.at + self._span_s
        return ready

    def take(self, now: float, tokens: int) -> Spent:
        """Count them."""
        spent = Spent(now, tokens)
        self._spent.append(spent)
        return spent


class Limits:
    """Lets requests through one by one, in the order in which they came."""

    def __init__(self, clock: Clock, requests_per_minute: int, tokens_per_minute: int) -> None:
        self._clock = clock
        self._requests = SlidingWindow(requests_per_minute, SPAN_S)
        self._tokens = TokenWindow(tokens_per_minute)
        self._pause = Pause()
        self._turn = asyncio.Lock()

    async def wait(self, tokens: int) -> Spent:
        """Return when a request of about so many tokens may go; it counts as sent."""
        async with self._turn:
            while True:
                now = self._clock.monotonic()
                ready = max(
                    self._requests.ready_at(now),
                    self._tokens.ready_at(now, tokens),
                    self._pause.ready_at(now),
                )
                if ready <= now:
                    break
                await self._clock.sleep(ready - now)
            self._requests.take(now)
            return self._tokens.take(now, tokens)

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long."""
        self._pause.until(self._clock.monotonic() + seconds)
