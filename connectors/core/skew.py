"""How far our clock is ahead of a platform's, as far as its messages tell; pure."""

from collections import deque
from typing import Final

WINDOW_MS: Final = 300_000


class ClockSkew:
    """The least delay of the last five minutes: the fastest message bounds the clocks' difference.

    `received - sent` of a message is the time of its way plus our clock's lead, so the least one is the best
    upper bound of the lead (the minimum filter of NTP: RFC 5905, section 10). Connectors never let a message
    be sent after it was received: a bound of 0 says that our clock is behind, however far.
    """

    def __init__(self, window_ms: int = WINDOW_MS) -> None:
        self._window_ms = window_ms
        self._least: deque[tuple[int, int]] = deque()
        """(received_at, delay), delays growing: those that may yet be the least."""

    def observe(self, sent_ms: int, received_ms: int) -> None:
        """Take in one message; in the order of their receipt."""
        delay = received_ms - sent_ms
        while self._least and self._least[-1][1] >= delay:
            self._least.pop()
        self._least.append((received_ms, delay))
        while self._least[0][0] < received_ms - self._window_ms:
            self._least.popleft()

    @property
    def bound_ms(self) -> int | None:
        """Our clock's lead in ms is at most this; None before any message."""
        return self._least[0][1] if self._least else None
