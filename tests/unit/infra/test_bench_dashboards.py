"""`pulse bench dashboards` on a small store: what is filled, and the line that it prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.clickhouse.client import connect
from dashboards.grafana.queries import board_queries
from infra.cli.bench import app
from infra.local.acceptance.grown_store import Growth
from infra.local.store_settings import StoreSettings, store_address
from schemas.endpoints import Endpoints


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grown")


def test_one_json_line_tells_of_every_query(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = list(board_queries())[::9]
    monkeypatch.setattr("infra.local.acceptance.board_times.board_queries", lambda: iter(chosen))
    options = [
        "--messages",
        "3000",
        "--streams",
        "3",
        "--hours",
        "2",
        "--rounds",
        "2",
        "--folder",
        str(folder),
    ]
    done = CliRunner().invoke(app, ["dashboards", *options])
    assert done.exit_code in (0, 1), done.output
    line = json.loads(done.stdout)
    assert line["messages"] == pytest.approx(3_000, abs=10)
    assert line["queries"] > len(chosen)
    assert line["p95_ms"] == line["slowest"]["p95_ms"] > 0
    assert (done.exit_code == 1) == bool(line["slow"])
    assert line["whole"]["slowest"]["span_s"] == 7_200
    assert line["machine"]["cores"] >= 1


def test_windows_and_activity_are_the_sums_of_the_lines(folder: Path) -> None:
    client = connect(store_address(Endpoints(pulse_home=folder, clickhouse_url=""), StoreSettings()))
    try:

        def one(sql: str) -> tuple[int, ...]:
            return tuple(client.query(sql).result_rows[0])

        lines = one("SELECT count(), countIf(NOT abstained), sum(length(emotes)) FROM messages")
        for size_ms in (1_000, 10_000):
            held = one(f"SELECT sum(messages), sum(scored) FROM windows WHERE size_ms = {size_ms}")
            assert held == lines[:2]
        assert one("SELECT sum(messages), sum(emotes) FROM activity") == (lines[0], lines[2])
        assert one("SELECT uniqExact(stream_id) FROM streams") == (3,)
        for view in ("alerts", "events", "gaps", "dead_letters"):
            assert one(f"SELECT count() > 0 FROM {view}") == (1,)
    finally:
        client.close()


def test_streams_differ_in_size_and_hold_all_lines() -> None:
    growth = Growth(10_000_000, 40, 24, 1_800_000_000_000)
    hourly = growth.hourly()
    assert hourly == sorted(hourly, reverse=True)
    assert hourly[0] > 8 * hourly[-1]
    assert sum(hourly) * 24 == pytest.approx(10_000_000, rel=1e-4)
    assert growth.stream_ids()[0] == "replay:channel0/1"


def test_an_end_within_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="not a multiple of 10000"):
        Growth(1_000, 3, 2, 1_800_000_000_000 + 4_000)
