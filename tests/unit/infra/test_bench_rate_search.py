import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.acceptance.rate_search import RateSearch, slope_per_s


@given(capacity=st.floats(1_000, 50_000))
def test_the_search_ends_below_the_capacity_and_near_it(capacity: float) -> None:
    search = RateSearch(rate=1_000.0)
    backlog = 0.0
    for _ in range(60):
        rate = search.rate
        done = min(capacity, rate + backlog / 5)
        backlog = max(0.0, backlog + (rate - done) * 5)
        search.observe(backlog, done)
    assert 0.6 * capacity <= search.chosen() <= capacity


def test_a_stack_that_stores_nothing_does_not_end_in_zero() -> None:
    search = RateSearch(rate=1_000.0)
    for _ in range(100):
        search.observe(1e9, 0.0)
    assert search.chosen() > 0


def test_slope() -> None:
    assert slope_per_s([0, 1, 2, 3], [5, 7, 9, 11]) == pytest.approx(2)
    assert slope_per_s([0, 1], [0, 9]) == 0
    assert slope_per_s([1, 1, 1], [0, 5, 9]) == 0
