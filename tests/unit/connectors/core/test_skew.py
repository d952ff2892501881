from hypothesis import given
from hypothesis import strategies as st

from connectors.core.skew import ClockSkew


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5_000)), min_size=1, max_size=200))
def test_the_bound_is_the_least_delay_of_the_window(messages: list[tuple[int, int]]) -> None:
    skew, now, heard = ClockSkew(window_ms=1_000), 0, []
    for pause, delay in messages:
        now += pause
        heard.append((now, delay))
        skew.observe(now - delay, now)
        assert skew.bound_ms == min(delay for at, delay in heard if at >= now - 1_000)


def test_without_messages_nothing_is_known() -> None:
    assert ClockSkew().bound_ms is None


def test_a_clock_that_was_set_right_is_believed_after_the_window() -> None:
    skew = ClockSkew(window_ms=1_000)
    skew.observe(0, 40)
    skew.observe(100, 7_100)
    assert skew.bound_ms == 7_000, "the first message is older than the window"
