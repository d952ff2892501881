"""When people write: self-exciting background chat, shared reactions, ramps of crowds; times in seconds.

Background chat is a Hawkes process (Hawkes 1971) in its cluster form (Hawkes & Oakes 1974): independent lines
come by a Poisson process whose rate drifts, and each line draws a Poisson number of replies after a typing
delay. Typing delays are log-normal, as times between human messages are (Malmgren et al. 2008).
"""

import math
import random
from typing import Final

from connectors.simulator.draws import poisson

REPLIES: Final = 0.3
"""Mean replies to a line (the branching ratio); below 1, so a conversation ends."""
REPLY_MEDIAN_S: Final = 6.0
DRIFT_STEP_S: Final = 15.0
DRIFT_SIGMA: Final = 0.35
"""Standard deviation of the drift of the logarithm of the rate."""


def background(rng: random.Random, rate_per_s: float, length_s: float) -> list[tuple[float, bool]]:
    """Times of ordinary lines and whether each is a reply, unsorted; the mean rate is `rate_per_s`."""
    immigrants = rate_per_s * (1 - REPLIES) / math.exp(DRIFT_SIGMA**2 / 2)
    times: list[tuple[float, bool]] = []
    level = rng.gauss(0, DRIFT_SIGMA)
    at = 0.0
    while at < length_s:
        step = min(DRIFT_STEP_S, length_s - at)
        for _ in range(poisson(rng, immigrants * math.exp(level) * step)):
            times.extend(_conversation(rng, at + rng.random() * step, length_s))
        level = 0.8 * level + 0.6 * rng.gauss(0, DRIFT_SIGMA)  # stationary: 0.8² + 0.6² = 1
        at += step
    return times


def _conversation(rng: random.Random, start: float, length_s: float) -> list[tuple[float, bool]]:
    lines = [(start, False)]
    for at, _ in lines:
        for _ in range(poisson(rng, REPLIES)):
            reply = at + typing_delay(rng, REPLY_MEDIAN_S)
            if reply < length_s:
                lines.append((reply, True))
    return lines


def typing_delay(rng: random.Random, median_s: float) -> float:
    """Seconds until somebody has read and typed; at least 0.8."""
    return max(0.8, rng.lognormvariate(math.log(median_s), 0.6))


def reaction(rng: random.Random, count: int, length_s: float) -> list[float]:
    """Delays of a crowd that reacts to one moment: a steep rise, then a decay over `length_s`."""
    return [min(0.7 + rng.gammavariate(1.8, length_s / 5), 1.5 * length_s) for _ in range(count)]


def plateau(rng: random.Random, count: int, length_s: float) -> list[float]:
    """Delays spread over `length_s`, denser in the first half."""
    return sorted(length_s * rng.betavariate(1.2, 1.8) for _ in range(count))


def ramp(rng: random.Random, count: int, ramp_s: float) -> list[float]:
    """Delays of accounts that turn up within `ramp_s`: the first at 0, the others uniform."""
    return [0.0, *sorted(rng.random() * ramp_s for _ in range(count - 1))][:count]
