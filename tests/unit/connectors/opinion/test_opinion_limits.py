"""Requests and tokens a minute, on a clock that tests move."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from connectors.core.testing.clock import ManualClock
from connectors.opinion.limits import SPAN_S, Limits, TokenWindow


@given(st.lists(st.integers(1, 120), min_size=1, max_size=40))
def test_no_minute_holds_more_tokens_than_allowed(wanted: list[int]) -> None:
    window, now, sent = TokenWindow(100), 0.0, []
    for tokens in wanted:
        now = window.ready_at(now, tokens)
        assert window.ready_at(now, tokens) == now
        window.take(now, tokens)
        sent.append((now, tokens))
    for at, _ in sent:
        within = [tokens for other, tokens in sent if at <= other < at + SPAN_S]
        assert sum(within) <= 100 or len(within) == 1


async def test_requests_wait_for_their_minute() -> None:
    clock = ManualClock()
    limits = Limits(clock, requests_per_minute=2, tokens_per_minute=1_000)
    times = []
    for _ in range(5):
        await limits.wait(10)
        times.append(clock.monotonic())
    assert times == [0, 0, 60, 60, 120]


async def test_what_the_endpoint_reports_counts() -> None:
    clock = ManualClock()
    limits = Limits(clock, requests_per_minute=100, tokens_per_minute=100)
    (await limits.wait(10)).tokens = 95
    await limits.wait(10)
    assert clock.monotonic() == SPAN_S


async def test_a_pause_holds_everybody_and_order_is_kept() -> None:
    clock = ManualClock()
    limits = Limits(clock, requests_per_minute=1, tokens_per_minute=100)
    limits.pause(30)
    came: list[int] = []

    async def one(number: int) -> None:
        await limits.wait(1)
        came.append(number)

    await asyncio.gather(*(one(number) for number in range(3)))
    assert came == [0, 1, 2]
    assert clock.monotonic() == 150
