"""What people see of a window: means with an interval, shrunk to what is usual on the channel, and z.

A mean over few lines says little, so it is drawn to the channel's own mean: the credibility estimate of
Bühlmann and Straub (1970, "Glaubwürdigkeit für Schadensätze"; Bühlmann and Gisler 2005, A Course in
Credibility Theory, ch. 4, with its unbiased estimators of both variances). With k = within / between, the
shrunk mean of n lines is (k * usual + sum) / (k + n): k lines' worth of the usual, then the window speaks.

The view `indices` (schemas/clickhouse) holds the same formulas for dashboards; a test holds them equal.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.labels import BASIC, SCALE

Z95: Final = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""
MIN_WINDOWS: Final = 30
"""Ten-second windows with scored lines (five minutes) before a channel's own norm replaces the prior."""
MIN_VARIANCE: Final = 1e-4
"""Floor of both variances (a spread of 0.01): a channel of one endlessly repeated line has none."""


@dataclass(frozen=True)
class Norm:
    """What is usual on a channel for one index.

    Attributes:
        mean: usual mean of a line.
        within: variance of single lines inside a window.
        between: variance of the windows' true means.
    """

    mean: float
    within: float
    between: float


@dataclass(frozen=True)
class Index:
    """One index of one window: shrunk mean, its 95 % interval, and how unusual the plain mean is (z)."""

    mean: float
    low: float
    high: float
    z: float


@dataclass(frozen=True)
class History:
    """Sums over a channel's ten-second windows that had scored lines, on the scale of SCALE.

    Attributes:
        windows: number of windows.
        lines: scored lines, and `lines_sq` the sum of the windows' squared line counts.
        total, total_sq: sums of the scores and of their squares.
        means_sq: sum over the windows of (sum of scores)^2 / lines.
    """

    windows: int
    lines: float
    lines_sq: float
    total: float
    total_sq: float
    means_sq: float


# Weakly held until a channel has its own: sentiment runs from -1 to 1 around 0; toxicity is rare; the seven
# basic emotions share 1. Their spreads let about 10 lines outweigh them.
PRIORS: Final[Mapping[str, Norm]] = {
    "sentiment": Norm(0.0, 0.16, 0.01),
    "toxicity": Norm(0.05, 0.02, 0.002),
    **{label: Norm(1 / len(BASIC), 0.05, 0.005) for label in BASIC},
}


def norm_of(name: str, history: History | None) -> Norm:
    """The norm of a channel from its windows so far, or the prior of the index while they are too few."""
    if history is None or history.windows < MIN_WINDOWS or history.lines <= history.windows:
        return PRIORS[name]
    h, n = history, history.lines
    mean = h.total / n
    within = (h.total_sq - h.means_sq) / (n - h.windows) / SCALE**2
    spread = (h.means_sq - h.total * mean) / SCALE**2 - (h.windows - 1) * within
    between = spread / (n - h.lines_sq / n)
    return Norm(mean / SCALE, max(within, MIN_VARIANCE), max(between, MIN_VARIANCE))


def index_of(name: str, total: int, total_sq: int, lines: int, norm: Norm) -> Index | None:
    """The index of a window of `lines` scored lines with integer sums `total` and `total_sq`.

    The interval's variance pools the window's own with the usual, k lines' worth. z compares the plain mean
    with the usual, in standard deviations of what windows of this size show. None without lines.
    """
    if lines == 0:
        return None
    own, own_sq = total / SCALE, total_sq / SCALE**2
    prior_lines = norm.within / norm.between
    mean = (prior_lines * norm.mean + own) / (prior_lines + lines)
    inner = max(own_sq - own * own / lines, 0.0)
    variance = (prior_lines * norm.within + inner) / (prior_lines + lines)
    half = Z95 * math.sqrt(variance / (prior_lines + lines))
    least = -1.0 if name == "sentiment" else 0.0
    z = (own / lines - norm.mean) / math.sqrt(norm.between + norm.within / lines)
    return Index(mean, max(mean - half, least), min(mean + half, 1.0), z)
