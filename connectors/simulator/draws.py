"""Seeded draws: every part of a scenario has its own generator, so that one part never shifts another."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def generator(*key: object) -> random.Random:
    """A generator for this key; the same key gives the same numbers on every machine (seeded by SHA-512)."""
    return random.Random("|".join(map(str, key)))


def draw_span(rng: random.Random, span: float | tuple[float, float]) -> float:
    """A number of the span, uniform."""
    return rng.uniform(*span) if isinstance(span, tuple) else float(span)


def draw_count(rng: random.Random, span: float | tuple[float, float], least: int = 1) -> int:
    """A whole number of the span, at least `least`."""
    return max(least, round(draw_span(rng, span)))


def mostly(rng: random.Random, options: Sequence[T], weights: Sequence[float]) -> T:
    """One option by weight."""
    return rng.choices(options, weights)[0]


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson count (arrivals of a unit-rate process up to `mean`)."""
    count, at = 0, rng.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count
