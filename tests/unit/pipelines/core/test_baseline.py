import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.baseline import Ewma, LineMean


def ewma() -> Ewma:
    return Ewma(mean=2.0, var=4.0, alpha=1 / 60, prior_blocks=1)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1000)), max_size=60))
def test_a_baseline_stays_finite_and_not_negative(steps: list[tuple[int, float]]) -> None:
    baseline, block = ewma(), 0
    for gap, value in steps:
        block += gap
        baseline.add(block, value)
    mean, var = baseline.at(block + 5)
    assert math.isfinite(mean) and math.isfinite(var) and mean >= 0 and var >= 0


@given(st.integers(1, 500), st.integers(1, 500))
def test_ageing_in_two_steps_equals_ageing_in_one(one: int, other: int) -> None:
    baseline = ewma()
    for block in range(20):
        baseline.add(block, 30)
    mean, _ = baseline.at(20 + one + other)
    keep = (1 - baseline.alpha) ** (one + other)
    assert mean == pytest.approx(baseline.mean * keep)


def test_looking_does_not_change_a_baseline() -> None:
    baseline = ewma()
    baseline.add(0, 10)
    before = (baseline.mean, baseline.var, baseline.seen)
    baseline.at(10_000)
    assert (baseline.mean, baseline.var, baseline.seen) == before


def test_a_burst_does_not_become_its_own_baseline() -> None:
    baseline = ewma()
    for block in range(60):
        baseline.add(block, 10)
    calm = baseline.mean
    for block in range(60, 63):
        baseline.add(block, 500)
    assert baseline.mean < 2 * calm


def test_a_new_channel_is_learnt_within_a_minute() -> None:
    baseline = ewma()
    for block in range(6):
        baseline.add(block, 50)
    assert baseline.mean == pytest.approx(50, rel=0.2)


def test_few_lines_say_little_and_with_a_wide_interval() -> None:
    usual = LineMean(mean=0.1, var=0.05)
    few, few_error = usual.shrunk(2, 2 * 0.9)
    many, many_error = usual.shrunk(200, 200 * 0.9)
    assert few < 0.5 * many
    assert few_error > 3 * many_error


def test_lines_of_an_episode_move_the_baseline_less() -> None:
    plain, cautious = LineMean(mean=0.1, var=0.05), LineMean(mean=0.1, var=0.05)
    plain.add(100, 90.0, 81.0)
    cautious.add(100, 90.0, 81.0, weight=0.1)
    assert 0.1 < cautious.mean < plain.mean
