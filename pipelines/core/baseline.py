"""Baselines that age by time stamps, so that a silent hour costs nothing and gives the same numbers."""

import math
from typing import Final

import msgspec

LEARNING_BLOCKS: Final = 6
"""Blocks of a new baseline that are taken as they are, whatever the prior says."""


class Ewma(msgspec.Struct, array_like=True):
    """Exponentially weighted mean and variance of a value per block of time, missing blocks counting as zero.

    Robust by winsorising: a value above mean + `clip` standard deviations enters as that bound, so that a
    burst does not become its own baseline. Starts from a prior which weighs as `prior_blocks` blocks.
    Sources: West (1979), incremental variance; Huber's psi as clipping, "Robust Statistics" (1981).
    """

    mean: float
    var: float
    alpha: float
    clip: float = 3.0
    prior_blocks: int = 0
    last_block: int = -1
    seen: int = 0

    def add(self, block: int, value: float) -> None:
        """Take the value of a finished block; blocks between the last one and this one were zero.

        Args:
            block: index of the block; must grow from call to call, others are ignored.
            value: what was counted in it.
        """
        if self.last_block >= 0:
            if block <= self.last_block:
                return
            self._decay(block - self.last_block - 1)
        self.last_block = block
        bound = self.mean + self.clip * math.sqrt(self.var + self.mean + 1.0)
        if self.seen < LEARNING_BLOCKS:
            bound = math.inf
        delta = min(value, bound) - self.mean
        weight = max(self.alpha, 1.0 / (self.prior_blocks + self.seen + 1))
        self.seen += 1
        self.mean += weight * delta
        self.var = (1.0 - weight) * (self.var + weight * delta * delta)

    def at(self, block: int) -> tuple[float, float]:
        """Mean and variance as they stand just before `block`, aged over the silent blocks in between."""
        gap = block - self.last_block - 1
        if self.last_block < 0 or gap <= 0:
            return self.mean, self.var
        keep = (1.0 - self.alpha) ** gap
        return self.mean * keep, self.var * keep + self.mean * self.mean * keep * (1.0 - keep)

    def _decay(self, gap: int) -> None:
        if gap > 0:
            keep = (1.0 - self.alpha) ** gap
            self.var = self.var * keep + self.mean * self.mean * keep * (1.0 - keep)
            self.mean *= keep
            self.seen += gap


class LineMean(msgspec.Struct, array_like=True):
    """Slowly forgetting mean and variance of a score per line, started from a prior worth `prior` lines.

    Weighted incremental moments: West (1979); a line weighs 1 / MEMORY_LINES once that many were seen.
    """

    mean: float
    var: float
    lines: float = 0.0
    prior: int = 200
    """Lines that the first mean and variance weigh."""

    def add(self, count: int, total: float, total_sq: float, weight: float = 1.0) -> None:
        """Take `count` lines with their sum of scores and of squares; `weight` < 1 makes them count less."""
        if count <= 0:
            return
        share = weight * count / (min(self.lines, MEMORY_LINES) + self.prior + count)
        delta = total / count - self.mean
        spread = max(total_sq / count - (total / count) ** 2, 0.0)
        self.var = (1.0 - share) * (self.var + share * delta * delta) + share * spread
        self.mean += share * delta
        self.lines += weight * count

    def shrunk(self, count: int, total: float) -> tuple[float, float]:
        """Mean of `count` lines drawn to the baseline by SHRINK_LINES lines, and its standard error.

        Source: credibility estimate, Bühlmann and Gisler, "A Course in Credibility Theory" (2005), ch. 4.
        """
        mean = (SHRINK_LINES * self.mean + total) / (SHRINK_LINES + count)
        return mean, math.sqrt(max(self.var, MIN_VARIANCE) / (SHRINK_LINES + count))


MEMORY_LINES: Final = 3_000
SHRINK_LINES: Final = 8
MIN_VARIANCE: Final = 1e-3
