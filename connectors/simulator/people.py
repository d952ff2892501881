"""Who writes: regulars with heavy-tailed activity, newcomers, moderators and the channel's bot."""

import itertools
import math
import random
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from connectors.simulator.event_kinds import Span
from connectors.simulator.scenario import Channel

DAY_S: Final = 86_400
TRIES: Final = 12
TYPING_S_PER_CHARACTER: Final = 1 / 9
"""Fast typists reach about 9 characters a second; nobody of the audience writes faster."""


def new_id(rng: random.Random) -> str:
    """A pseudonym in the form of the recorded logs: `u` and 12 hexadecimal digits."""
    return f"u{rng.getrandbits(48):012x}"


@dataclass
class Viewer:
    """Someone who writes."""

    id: str
    age_s: int
    badges: tuple[str, ...] = ()
    new: bool = False
    """Never wrote here before; false after the first line."""
    lower_case: bool = True
    punctuates: bool = False
    fond_of_emotes: float = 0.2
    here_from_s: float = 0.0
    here_to_s: float = math.inf
    free_at_s: float = field(default=0.0)
    """When this person can have typed another line."""


class Audience:
    """The people of one channel, the most active first."""

    def __init__(
        self, regulars: list[Viewer], weights: Iterable[float], bot: Viewer, rng: random.Random
    ) -> None:
        self._rng = rng
        self.bot = bot
        self.regulars = regulars
        self._cumulative = list(itertools.accumulate(weights))

    @classmethod
    def simulated(cls, channel: Channel, length_s: float, rng: random.Random) -> "Audience":
        """Regulars by Zipf's law, half of whom come later or leave earlier."""
        bot = Viewer(new_id(rng), 4 * 365 * DAY_S, ("moderator/1", "bot/1"))
        regulars = [_regular(rng, rank, channel, length_s) for rank in range(channel.regulars)]
        weights = ((rank + 1.0) ** -channel.activity_exponent for rank in range(channel.regulars))
        return cls(regulars, weights, bot, rng)

    def pick(self, at_s: float) -> Viewer:
        """A regular who is here and free at that time, by activity (the last one drawn if nobody is free)."""
        for _ in range(TRIES):
            viewer = self.regulars[bisect(self._cumulative, self._rng.random() * self._cumulative[-1])]
            if viewer.free_at_s <= at_s and viewer.here_from_s <= at_s <= viewer.here_to_s:
                break
        return viewer

    def crowd(self, count: int) -> list[Viewer]:
        """Distinct regulars, at most as many as there are."""
        return self._rng.sample(self.regulars, min(count, len(self.regulars)))


def _regular(rng: random.Random, rank: int, channel: Channel, length_s: float) -> Viewer:
    viewer = newcomer(rng, (60, 4000))
    viewer.new = False
    if rank and rng.random() < 0.5:  # the most active one stays, so that somebody is always here
        viewer.here_from_s = max(0.0, rng.uniform(-0.5, 0.7) * length_s)
        viewer.here_to_s = viewer.here_from_s + rng.uniform(0.2, 1.2) * length_s
    if rank in (1, 4):
        viewer.badges = ("moderator/1",)
    elif rng.random() < channel.subscribers:
        viewer.badges = (f"subscriber/{rng.choice((0, 1, 3, 6, 12, 24))}",)
    elif rng.random() < 0.1:
        viewer.badges = (rng.choice(("vip/1", "premium/1", "bits/100")),)
    return viewer


def newcomer(rng: random.Random, age_days: Span) -> Viewer:
    """Somebody who never wrote here; the account's age is log-uniform over the span."""
    span = age_days if isinstance(age_days, tuple) else (age_days, age_days)
    low, high = (math.log1p(days) for days in span)
    return Viewer(
        id=new_id(rng),
        age_s=round(math.expm1(rng.uniform(low, high)) * DAY_S) + rng.randrange(600, 7200),
        new=True,
        lower_case=rng.random() < 0.75,
        punctuates=rng.random() < 0.25,
        fond_of_emotes=rng.betavariate(1.2, 4),
    )


def busy_for(text: str) -> float:
    """Seconds until the author of `text` can have sent another line."""
    return 1.2 + len(text) * TYPING_S_PER_CHARACTER
