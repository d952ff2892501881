from collections.abc import Iterator

import pytest

from infra.local.acceptance.drain import Flow, StalledError, wait_until_drained

DONE = Flow(10, 9, 1, 9, 9, 10, 3, 0, {"sink": 0})
LINES = 11


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def _wait(readings: list[Flow | OSError], stall_s: float = 5.0) -> tuple[Flow, list[Flow]]:
    clock, seen = _Clock(), []
    source: Iterator[Flow | OSError] = iter(readings)
    last: list[Flow | OSError] = [readings[-1]]

    def read() -> Flow:
        value = next(source, last[0])
        if isinstance(value, OSError):
            raise value
        return value

    flow = wait_until_drained(
        read, LINES, on_progress=seen.append, stall_s=stall_s, clock=clock, pause=clock.pause
    )
    return flow, seen


def test_it_waits_for_every_figure_and_reports_progress() -> None:
    readings = [Flow(), Flow(5, 5), Flow(10, 9, 1, 9, 9, 10, 3, 1), DONE]
    flow, seen = _wait(readings)
    assert flow == DONE
    assert seen == readings


def test_one_drained_reading_is_not_enough() -> None:
    flow, seen = _wait([DONE, Flow(10, 9, 1, 9, 9, 10, 3, 1), DONE])
    assert flow == DONE
    assert len(seen) == 3


def test_it_waits_until_activity_and_alerts_stand_still() -> None:
    early = Flow(10, 9, 1, 9, 9, 4, 0, 0, {"sink": 0})
    flow, seen = _wait([early, early, DONE, DONE, DONE, DONE])
    assert flow == DONE
    assert seen == [early, DONE]


def test_a_part_that_restarts_is_ridden_out() -> None:
    assert _wait([Flow(3), ConnectionError("refused"), ConnectionError("refused"), DONE])[0] == DONE


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        (Flow(8, 8, 1, 8, 8, 10), "9 of 11 lines scored"),
        (Flow(10, 10, 0, 10, 10, 10), "10 of 11 lines scored, or refused"),
        (Flow(10, 10, 1, 9, 10, 10), "9 of 10 lines in 1 s windows"),
        (Flow(10, 10, 1, 10, 9, 10), "9 of 10 lines in 10 s windows"),
        (Flow(10, 10, 1, 10, 10, 10, 2, 2), "2 alert episodes still open"),
        (Flow(10, 10, 1, 10, 10, 10, 0, 0, {"sink": 4}), "sink is 4 records behind"),
    ],
)
def test_what_is_missing_is_said(flow: Flow, said: str) -> None:
    with pytest.raises(StalledError, match=said):
        _wait([flow])


def test_a_store_that_never_answers_is_said() -> None:
    with pytest.raises(StalledError, match="no route"):
        _wait([ConnectionError("no route")])
