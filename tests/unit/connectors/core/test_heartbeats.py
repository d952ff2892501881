import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.core.heartbeats import Heartbeats, Silence


def test_a_silent_stream_gets_one_a_step() -> None:
    heartbeats = Heartbeats(1000)
    heartbeats.begin(7, 500)
    assert list(heartbeats.before(3600)) == [
        Silence(7, 500, 1500),
        Silence(7, 1500, 2500),
        Silence(7, 2500, 3500),
    ]
    assert list(heartbeats.before(3600)) == []


def test_a_message_puts_it_off() -> None:
    heartbeats = Heartbeats(1000)
    heartbeats.begin(1, 0)
    heartbeats.hear(1, 900)
    assert list(heartbeats.before(1900)) == []
    assert list(heartbeats.before(1901)) == [Silence(1, 900, 1900)]


def test_an_ended_stream_gets_none_and_may_begin_again() -> None:
    heartbeats = Heartbeats(1000)
    heartbeats.begin(1, 0)
    heartbeats.end(1)
    heartbeats.end(1)
    assert list(heartbeats.before(10_000)) == []
    heartbeats.begin(1, 10_000)
    assert [silence.to_ms for silence in heartbeats.before(11_001)] == [11_000]


def test_a_step_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Heartbeats(0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2500)), max_size=40), st.integers(200, 3000))
def test_no_silence_is_missed_and_none_overlaps_a_message(steps: list[tuple[int, int]], step: int) -> None:
    heartbeats = Heartbeats(step)
    clocks = dict.fromkeys(range(4), 0)
    for stream in clocks:
        heartbeats.begin(stream, 0)
    now = 0
    for stream, pause in steps:
        now += pause
        last = 0
        for silence in heartbeats.before(now):
            assert last <= silence.to_ms < now
            assert silence.from_ms == clocks[silence.stream]
            assert silence.to_ms == silence.from_ms + step
            clocks[silence.stream] = last = silence.to_ms
        assert all(now - clock <= step for clock in clocks.values())
        heartbeats.hear(stream, now)
        clocks[stream] = now
