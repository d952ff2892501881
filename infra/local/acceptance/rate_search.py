"""Finds the highest rate that the stack keeps up with: raise while it does, fall back when it does not."""

from dataclasses import dataclass, field
from typing import Final

CALM_S: Final = 2.0
"""Below this backlog, in seconds of the rate, the stack keeps up (the store alone gathers about 1 s)."""
BEHIND_S: Final = 4.0
"""Above it the stack does not keep up."""
RAISE: Final = 1.15
LOWER: Final = 0.85
SAFETY: Final = 0.92
"""Share of the best rate that is then held: a search of seconds sees no long pauses."""


@dataclass
class RateSearch:
    """Multiplicative increase and decrease on the backlog; a pure object, the caller measures."""

    rate: float
    best: float = field(default=0.0)

    def observe(self, backlog: float, done_per_s: float) -> float:
        """The next rate; `backlog` is messages sent and not stored, `done_per_s` what the store took."""
        backlog_s = backlog / self.rate
        if backlog_s < CALM_S:
            self.best = max(self.best, min(self.rate, done_per_s))
            self.rate *= RAISE
        elif backlog_s > BEHIND_S:
            self.rate = max(1.0, LOWER * min(self.rate, done_per_s or self.rate))
        return self.rate

    def chosen(self) -> float:
        """The rate to hold; the last one tried where none was kept up with."""
        return SAFETY * (self.best or self.rate)


def slope_per_s(seconds: list[float], values: list[float]) -> float:
    """Least-squares slope of a series, in units of the values a second; 0 below three points."""
    if len(seconds) < 3:
        return 0.0
    mean_x, mean_y = sum(seconds) / len(seconds), sum(values) / len(values)
    spread = sum((x - mean_x) ** 2 for x in seconds)
    shared = sum((x - mean_x) * (y - mean_y) for x, y in zip(seconds, values, strict=True))
    return shared / spread if spread else 0.0
