"""Indices: the formulas' own properties, and the view `indices` against them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.indices import MIN_WINDOWS, PRIORS, History, Norm, index_of, norm_of
from schemas.labels import SCALE

NORM = Norm(0.1, 0.04, 0.005)
scores = st.lists(st.integers(0, SCALE), min_size=1, max_size=200)


def sums(values: list[int]) -> tuple[int, int, int]:
    return sum(values), sum(v * v for v in values), len(values)


@given(scores)
def test_interval_holds_its_mean_and_stays_in_range(values: list[int]) -> None:
    index = index_of("toxicity", *sums(values), NORM)
    assert index is not None
    assert 0 <= index.low <= index.mean <= index.high <= 1


@given(scores)
def test_mean_lies_between_the_usual_and_the_plain_mean(values: list[int]) -> None:
    index = index_of("toxicity", *sums(values), NORM)
    plain = sum(values) / len(values) / SCALE
    assert index is not None
    assert min(plain, NORM.mean) - 1e-12 <= index.mean <= max(plain, NORM.mean) + 1e-12


def test_more_of_the_same_lines_narrow_the_interval_and_raise_z() -> None:
    few, many = (index_of("toxicity", *sums([1000, 9000] * n), NORM) for n in (2, 200))
    assert few is not None and many is not None
    assert many.high - many.low < (few.high - few.low) / 4
    assert many.z > few.z > 0
    assert abs(many.mean - 0.5) < 0.02 < abs(few.mean - 0.5)


def test_no_lines_no_index() -> None:
    assert index_of("sentiment", 0, 0, 0, PRIORS["sentiment"]) is None


def test_norm_recovers_the_variances_that_made_the_windows() -> None:
    draw = random.Random(7)
    windows = []
    for _ in range(2000):
        true = draw.gauss(0.3, 0.05)
        windows.append([round(draw.gauss(true, 0.2) * SCALE) for _ in range(draw.randint(5, 40))])
    norm = norm_of("sentiment", history(windows))
    assert norm.mean == pytest.approx(0.3, abs=0.01)
    assert norm.within == pytest.approx(0.04, rel=0.05)
    assert norm.between == pytest.approx(0.0025, rel=0.25)


def test_prior_until_there_are_windows_enough() -> None:
    assert norm_of("joy", None) == PRIORS["joy"]
    assert norm_of("joy", history([[5000, 6000]] * (MIN_WINDOWS - 1))) == PRIORS["joy"]
    assert norm_of("joy", history([[5000, 6000]] * MIN_WINDOWS)) != PRIORS["joy"]


def history(windows: list[list[int]]) -> History:
    return History(
        windows=len(windows),
        lines=sum(len(w) for w in windows),
        lines_sq=sum(len(w) ** 2 for w in windows),
        total=sum(sum(w) for w in windows),
        total_sq=sum(v * v for w in windows for v in w),
        means_sq=sum(sum(w) ** 2 / len(w) for w in windows),
    )
