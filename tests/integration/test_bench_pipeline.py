"""`pulse bench pipeline`: one JSON line whose figures agree with the store."""

import json

import pytest

from infra.local.acceptance.api_rows import ApiRows
from infra.local.acceptance.stored import of_run
from infra.local.settings import Stack
from tests.integration.commands import pulse


@pytest.mark.stack
@pytest.mark.timeout(1_200)
def test_a_short_bench_says_what_the_store_holds(stack: Stack) -> None:
    result = pulse("bench", "pipeline", "--duration", "10", "--rate", "200", "--channels", "4")
    assert result.returncode == 0, result.stderr[-3_000:]
    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    assert (found["lost"], found["duplicates"], found["problem"]) == (0, 0, "")
    assert found["messages"] == found["sent"] > 200
    assert found["coverage"] >= 0.99
    assert found["sustained_msg_per_s"] == pytest.approx(found["messages"] / found["seconds"], rel=0.01)
    for figure in ("sent_to_scored", "sent_to_queryable", "window_end_to_queryable"):
        for latency in (found["latency_ms"], found["latency_ms_at_2000"]):
            assert 0 < latency[figure]["p50"] <= latency[figure]["p99"] <= latency[figure]["max"]
    run = of_run("bench", f"{found['run_id']}-sustained")
    (row,) = ApiRows(stack)(f"SELECT count() AS lines, uniqExact(text) AS texts FROM messages WHERE {run}")
    assert row["lines"] == row["texts"] == found["messages"]
