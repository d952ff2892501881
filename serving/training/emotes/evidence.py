"""What stands near each emote: members of known groups, and how the text around it scores.

An emote must not explain itself: its own name is no evidence on it, and texts are scored without any emotes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Lines before and behind in the same stream that count as near, if no further away in time.
_NEIGHBOURS: Final = 2
_NEAR_MS: Final = 15_000

Scores = NDArray[np.float32]
Units = Callable[[str], Iterable[str]]
"""Emote → what is learned about: the emote itself, or parts of its name."""


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line taken apart."""

    stream: str
    offset_ms: int
    emotes: frozenset[str]
    """Distinct canonical names of emotes in the line."""
    members: Mapping[str, str]
    """Emote, emoji or word of a known group that stands in the line → the group."""
    rest: str
    """The text without its emotes."""

    @property
    def channel(self) -> str:
        """The part of `stream` before the broadcast."""
        return self.stream.partition("/")[0]


@dataclass(slots=True)
class Near:
    """What was seen near one unit, and what the channels it is used in let expect."""

    lines: int = 0
    """Lines with the unit; of equal lines with text in a stream the first alone."""
    streams: set[str] = field(default_factory=set)
    observed: Counter[str] = field(default_factory=Counter)
    """Group → sightings of its other members: in the same line, and in each near line."""
    expected: dict[str, float] = field(default_factory=dict)
    """Group → sightings near an average emote of the same channels."""
    texts: int = 0
    lift: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    """Sum over `texts` of (score of a near text − mean of its stream), one entry a score."""

    def ratio(self, group: str, prior: float) -> float:
        """Observed over expected sightings, shrunk to 1 as by `prior` sightings as expected."""
        return (self.observed[group] + prior) / (self.expected.get(group, 0.0) + prior)

    def surprise(self, group: str) -> float:
        """(observed − expected) in standard deviations of a Poisson count, one pseudo-count added."""
        expected = self.expected.get(group, 0.0)
        return float((self.observed[group] - expected) / np.sqrt(expected + 1.0))


def gather(lines: Sequence[MarkedLine], scores: Scores, units: Units) -> dict[str, Near]:
    """Evidence on every unit of the emotes in `lines`, which stand stream by stream in time order.

    Args:
        lines: The recordings.
        scores: One row a line: scores of its `rest`, sentiment last; NaN where there is nothing to score.
        units: What is learned about.
    """
    gathered = _Gathered(scores.shape[1])
    start = 0
    for _, of_stream in groupby(lines, key=lambda line: line.stream):
        stream = list(of_stream)
        gathered.add(stream, scores[start : start + len(stream)], units)
        start += len(stream)
    return gathered.with_expectations()


class _Gathered:
    def __init__(self, scores: int) -> None:
        self._near: dict[str, Near] = defaultdict(lambda: Near(lift=np.zeros(scores)))
        self._uses: dict[str, Counter[str]] = defaultdict(Counter)
        """Unit → channel → lines."""
        self._seen: dict[str, Counter[str]] = defaultdict(Counter)
        """Channel → group → sightings near any unit."""
        self._chances: Counter[str] = Counter()
        """Channel → lines, once for each of their units."""

    def add(self, stream: Sequence[MarkedLine], scores: Scores, units: Units) -> None:
        scored = scores[~np.isnan(scores[:, 0])]
        base = scored.mean(axis=0) if len(scored) else np.zeros(scores.shape[1])
        earlier: set[tuple[frozenset[str], str]] = set()
        for at, line in enumerate(stream):
            is_new = (line.emotes, line.rest) not in earlier
            earlier.add((line.emotes, line.rest))
            if not line.emotes or (line.rest and not is_new):  # a paste says nothing about where it stands
                continue
            near = list(near_lines(stream, at))
            texts = scores[[at, *near]]
            texts = texts[~np.isnan(texts[:, 0])] - base
            places = [at, *near] if is_new else near
            for unit, kin in _units_of(line.emotes, units).items():
                sightings = Counter(
                    group
                    for place in places
                    for group in {
                        group for member, group in stream[place].members.items() if member not in kin
                    }
                )
                entry = self._near[unit]
                entry.lines += 1
                entry.streams.add(line.stream)
                entry.observed.update(sightings)
                entry.texts += len(texts)
                entry.lift += texts.sum(axis=0)
                self._uses[unit][line.channel] += 1
                self._seen[line.channel].update(sightings)
                self._chances[line.channel] += 1

    def with_expectations(self) -> dict[str, Near]:
        for unit, entry in self._near.items():
            for channel, uses in self._uses[unit].items():
                for group, sightings in self._seen[channel].items():
                    share = uses * sightings / self._chances[channel]
                    entry.expected[group] = entry.expected.get(group, 0.0) + share
        return dict(self._near)


def near_lines(stream: Sequence[MarkedLine], at: int) -> Iterator[int]:
    """Indices of the lines near line `at` of a stream, itself left out."""
    for other in range(max(0, at - _NEIGHBOURS), min(len(stream), at + _NEIGHBOURS + 1)):
        if other != at and abs(stream[other].offset_ms - stream[at].offset_ms) <= _NEAR_MS:
            yield other


def _units_of(emotes: Iterable[str], units: Units) -> dict[str, set[str]]:
    """Unit → emotes of the line that have it."""
    kin: dict[str, set[str]] = defaultdict(set)
    for emote in emotes:
        for unit in units(emote):
            kin[unit].add(emote)
    return kin
