import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import bench_detect
from infra.cli.bench import app
from tests.unit.infra.detection_bench.test_scoring import raised, tally, truth


def test_one_json_line_and_a_page_with_table_and_plots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = tally([truth(), truth("slow_drip", start_s=400)], [raised()])
    naive = tally([truth(), truth("slow_drip", start_s=400)], [raised(late_s=9), raised(start_s=900)])
    monkeypatch.setattr(bench_detect, "run_suite", lambda *_, **__: (pulse, naive))
    run = CliRunner().invoke(
        app, ["detect", "--only", "quality", "--no-model", "--seeds", "3", "--report", str(tmp_path)]
    )
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert found["quality"]["seeds"] == [201, 202, 203]
    assert found["quality"]["pulse"]["recall"] == 0.5
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| hate_raid.some | 1 | 1 | 5 | 5 | 1 |" in page
    assert "| precision, all hostile kinds | 1 | 0.5 |" in page
    for name in ("recall_over_size.svg", "delays.svg"):
        assert name in page
        assert (tmp_path / name).read_text().startswith("<?xml")
