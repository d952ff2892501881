"""What the evidence near an emote lets say about its meaning; conservative."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.training.emotes.evidence import Near

_FEWEST_LINES: Final = 30
_PRIOR: Final = 5.0
"""Sightings as expected by which a ratio is shrunk to 1."""
_LEAST_SURPRISE: Final = 3.0
_LEAST_RATIO: Final = 1.25
_LEAST_LEAD: Final = 1.3
"""The first group's surprise over the second's."""
_TEXT_PRIOR: Final = 50.0
"""Texts without lift by which the mean lift is shrunk to 0."""
_LEAST_LIKENESS: Final = 0.0
_FEWEST_TEXTS: Final = 50


@dataclass(frozen=True)
class Proposal:
    """What was learned about one emote or part of a name."""

    unit: str
    lines: int
    streams: int
    group: str | None
    """The proposed group; None where the evidence is weak or mixed."""
    nearest: str | None
    """The group whose members are seen near it most above what its channels let expect."""
    surprise: float
    """By how many standard deviations `nearest` is seen more often than expected."""
    ratio: float
    """By which factor, shrunk to 1."""
    likeness: float
    """Cosine of the lifts of the texts near it and near the other emotes of `nearest`; 0 with few texts."""
    sentiment: float
    """Mean sentiment of the texts near it over that of their streams, shrunk to 0."""


def propose(found: Mapping[str, Near], known: Mapping[str, str]) -> list[Proposal]:
    """A proposal for each unit with enough lines, most lines first.

    A group is proposed where its members stand near the unit clearly more often than chance and than those of
    any other group, and the texts near the unit do not score against those near the group's other emotes.

    Args:
        found: Evidence on each unit.
        known: Unit → its group in today's lexicon; gives each group's lifts. A unit is no evidence on itself.
    """
    lifts = {unit: _lift(near) for unit, near in found.items()}
    by_group: dict[str, list[str]] = {}
    for unit in lifts:
        if unit in known:
            by_group.setdefault(known[unit], []).append(unit)
    chosen = sorted(
        (unit for unit, near in found.items() if near.lines >= _FEWEST_LINES),
        key=lambda unit: (-found[unit].lines, unit),
    )
    return [_proposal(unit, found[unit], lifts, by_group) for unit in chosen]


def _proposal(
    unit: str, near: Near, lifts: Mapping[str, NDArray[np.float64]], by_group: Mapping[str, Iterable[str]]
) -> Proposal:
    ranked = sorted(near.expected, key=near.surprise, reverse=True)
    if not ranked:
        return Proposal(
            unit, near.lines, len(near.streams), None, None, 0.0, 1.0, 0.0, float(lifts[unit][-1])
        )
    first = ranked[0]
    surprise, ratio = near.surprise(first), near.ratio(first, _PRIOR)
    second = near.surprise(ranked[1]) if len(ranked) > 1 else 0.0
    others = [lifts[other] for other in by_group.get(first, ()) if other != unit]
    enough = near.texts >= _FEWEST_TEXTS and others
    likeness = _cosine(lifts[unit], np.mean(others, axis=0)) if enough else 0.0
    clear = (
        surprise >= _LEAST_SURPRISE
        and ratio >= _LEAST_RATIO
        and surprise >= _LEAST_LEAD * second
        and likeness >= _LEAST_LIKENESS
    )
    return Proposal(
        unit, near.lines, len(near.streams), first if clear else None, first, surprise, ratio, likeness,
        float(lifts[unit][-1]),
    )  # fmt: skip


def _lift(near: Near) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = near.lift / (near.texts + _TEXT_PRIOR)
    return mean


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norm if norm else 0.0
