"""When to try again and when to join: pure objects; the caller tells the time."""

import random
from collections import deque


class Backoff:
    """Capped exponential backoff with full jitter: uniform in 0..min(cap, base · 2ⁿ).

    Many connections that fall at once come back spread over the whole span, so there is no thundering herd.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015).
    """

    def __init__(self, base_s: float, cap_s: float, jitter: random.Random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._jitter = jitter
        self._tries = 0

    def next_s(self) -> float:
        """Seconds to wait before the next try."""
        most = min(self._cap_s, self._base_s * 2.0 ** min(self._tries, 60))
        self._tries += 1
        return self._jitter.uniform(0.0, most)

    def reset(self) -> None:
        """The last try went well: begin with short pauses again."""
        self._tries = 0


class RateLimit:
    """At most `count` grants in any span of `per_s` seconds (sliding window), reserved in order."""

    def __init__(self, count: int, per_s: float) -> None:
        self._per_s = per_s
        self._granted: deque[float] = deque(maxlen=count)

    def reserve(self, now_s: float) -> float:
        """Take the next grant; returns how many seconds from now it may be used."""
        at = now_s
        if len(self._granted) == self._granted.maxlen:
            at = max(now_s, self._granted[0] + self._per_s)
        if self._granted:
            at = max(at, self._granted[-1])
        self._granted.append(at)
        return at - now_s
