import re
from typing import Any

import numpy as np
import pytest

from infra.local.acceptance.visibility import VisibilityProbe, latencies, percentiles


def _probe() -> VisibilityProbe:
    return VisibilityProbe(lambda _: [], workspace="w", run_id="r")


def test_a_line_is_queryable_at_the_first_answer_that_counts_it() -> None:
    probe = _probe()
    for at, lines, windowed in ((100, 2, 0), (200, 2, 1), (300, 5, 4), (400, 5, 5)):
        probe.note("r/s", at, lines, windowed)
    assert probe.lines_at("r/s", np.arange(1, 7)).tolist() == [100, 100, 300, 300, 300, -1]
    assert probe.windowed_at("r/s", np.array([1, 4, 5])).tolist() == [200, 300, 400]
    assert probe.lines_at("r/other", np.array([1])).tolist() == [-1]
    assert probe.first_window_at == 0.2


def _rows(query: str) -> list[dict[str, Any]]:
    if "DISTINCT" in query:
        return [{"stream_id": "r/s"}]
    if re.search(r"FROM windows", query):
        return [{"starts": [0, 1000], "counts": [2, 1]}]
    return [{"at": [100, 900, 1500], "delays": [10, 20, 30]}]


@pytest.mark.parametrize(("live", "over"), [(True, [1_000, 500]), (False, [1_100, 1_000])])
def test_latencies_join_what_was_sent_with_what_was_seen(live: bool, over: list[int]) -> None:
    probe = _probe()
    probe.note("r/s", 1_200, 2, 0)
    probe.note("r/s", 2_000, 3, 2)
    probe.note("r/s", 2_500, 3, 3)
    found = latencies(_rows, probe, workspace="w", run_id="r", live=live)
    assert found["sent_to_scored"]["max"] == 30
    assert found["sent_to_queryable"] == {"count": 3, "p50": 500, "p90": 980, "p99": 1088, "max": 1100} | {
        key: found["sent_to_queryable"][key] for key in ("p90", "p99")
    }
    assert found["window_end_to_queryable"]["max"] == max(over)


def test_percentiles_of_nothing() -> None:
    assert percentiles([]) == {"count": 0}


def test_the_probe_rides_out_a_store_that_does_not_answer() -> None:
    def rows(_: str) -> list[dict[str, Any]]:
        raise ConnectionError

    with VisibilityProbe(rows, workspace="w", run_id="r", every_s=0.01) as probe:
        probe.look()
    assert probe.first_window_at is None
