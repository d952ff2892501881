import random

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.core.coverage import Coverage, Gap
from connectors.core.pacing import Backoff, RateLimit
from connectors.core.seen import SeenIds


@settings(deadline=None)
@given(seed=st.integers(), tries=st.integers(1, 200))
def test_pauses_are_jittered_and_capped(seed: int, tries: int) -> None:
    backoff = Backoff(1.0, 60.0, random.Random(seed))
    for number in range(tries):
        assert 0.0 <= backoff.next_s() <= min(60.0, 2.0**number)
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_many_that_fall_at_once_do_not_come_back_at_once() -> None:
    jitter = random.Random(7)
    third = []
    for _ in range(1000):
        backoff = Backoff(1.0, 60.0, jitter)
        third.append([backoff.next_s() for _ in range(6)][-1])
    busiest = max(sum(at <= pause < at + 1 for pause in third) for at in range(32))
    assert busiest < 70  # of 1000; a fixed pause would bring all 1000 within one second


@settings(deadline=None)
@given(
    count=st.integers(1, 30),
    per_s=st.floats(0.1, 60),
    steps=st.lists(st.floats(0, 20), min_size=1, max_size=120),
)
def test_no_span_has_more_than_the_limit(count: int, per_s: float, steps: list[float]) -> None:
    limit = RateLimit(count, per_s)
    now, granted = 0.0, []
    for step in steps:
        now += step
        granted.append(now + limit.reserve(now))
    assert granted == sorted(granted)
    for first, beyond in zip(granted, granted[count:], strict=False):
        assert beyond - first >= per_s * (1 - 1e-9)


def test_coverage_ends_a_gap_only_where_nobody_heard() -> None:
    coverage = Coverage()
    assert coverage.hear(1, "a", 100) is None
    assert coverage.hear(2, "a", 200) is None
    assert coverage.lose(1, 250, "reconnect") == []
    assert coverage.covers("a")
    assert coverage.lose(2, 300, "stalled") == ["a"]
    assert coverage.unheard(350) == [Gap("a", 300, 350, "stalled")]
    assert coverage.hear(3, "a", 400) == Gap("a", 300, 400, "stalled")
    assert coverage.unheard(500) == []
    assert not coverage.leave(9, "a", 500, "blocked")
    assert coverage.leave(3, "a", 500, "blocked")
    assert not coverage.covers("a")


@settings(deadline=None)
@given(ids=st.lists(st.integers(0, 12).map(str)))
def test_the_newest_ids_are_known(ids: list[str]) -> None:
    seen = SeenIds(5)
    kept: list[str] = []
    for identity in ids:
        assert seen.is_new(identity) == (identity not in kept)
        if identity not in kept:
            kept = [*kept, identity][-5:]
