import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import bench_detect
from infra.cli.bench import app
from infra.detection_bench import adjudicated, report
from infra.detection_bench.adjudicated import Verdict
from infra.detection_bench.report import write_report
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


def test_the_page_tells_the_verdict_on_each_hostile_alert_of_real_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Verdict(stream="chan/1", kind="spam.links", started_ms=61_000, right=True, note="one offer twice")
    flood = Verdict(stream="chan/1", kind="flood.account", started_ms=0, right=False, note="a talker")
    for module in (adjudicated, report):
        monkeypatch.setattr(module, "verdicts", lambda: (known, flood))
    figures = tally([truth()], [raised()])
    row = {
        "stream_hours": 9.0,
        "alerts": {"flood.account": 2},
        "hostile": [["chan/1", "spam.links", 62_000], ["chan/1", "attack.raid", 62_000]],
        "friendly_raids": None,
    }
    quality = {
        "split": "test",
        "seeds": [1],
        "pulse": figures.figures(),
        "naive": figures.figures(),
        "families": figures.families(),
        "families_naive": figures.families(),
        "called_hostile": {"calm.clips": 1},
    }
    write_report(
        tmp_path, "pulse bench detect", {"quality": quality, "real": {"chan": row}}, figures, figures
    )
    page = (tmp_path / "RESULTS.md").read_text()
    assert "| chan/1 | spam.links | 62 | right: one offer twice |" in page
    assert "| chan/1 | attack.raid | 62 | not yet judged |" in page
    assert "Of 1 flood.account alerts that were judged, 0 were right." in page
    assert "calm.clips 1" in page


def test_the_committed_verdicts_name_each_alert_once() -> None:
    named = [(known.stream, known.kind, known.started_ms) for known in adjudicated.verdicts()]
    assert named
    assert len(set(named)) == len(named)
