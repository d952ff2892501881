"""`pulse bench model` prints one JSON line, or says what is missing."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.bench import app
from serving.training.throughput import FILES
from tests.unit.serving.scorer.stub_model import write_stub_model


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSE_SHARED", str(tmp_path / "shared"))
    logs = tmp_path / "shared" / "data" / "logs"
    logs.mkdir(parents=True)
    (tmp_path / "shared" / "data" / "labelled").mkdir()
    for name in FILES:
        with gzip.open(logs / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
            lines.write('{"text": "hello @you"}\n' * 3)
    return logs


def test_one_json_line_with_figures_settings_and_machine(shared: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["model", "--model", str(write_stub_model(tmp_path / "stub"))])
    assert result.exit_code == 0, result.output
    line = json.loads(result.stdout)
    assert line["messages"] == 3 * len(FILES)
    assert line["messages_per_s"] > 0
    assert line["prepared_messages_per_s"] > 0
    assert line["settings"]["batch_rows"] == 256
    assert line["machine"]["cores"] >= 1


def test_missing_recordings_are_named(shared: Path, tmp_path: Path) -> None:
    (shared / f"{FILES[0]}.jsonl.gz").unlink()
    result = CliRunner().invoke(app, ["model", "--model", str(write_stub_model(tmp_path / "stub"))])
    assert result.exit_code == 1
    assert FILES[0] in result.stderr


def test_a_device_that_is_not_there_is_named(shared: Path, tmp_path: Path) -> None:
    stub = str(write_stub_model(tmp_path / "stub"))
    result = CliRunner().invoke(app, ["model", "--model", stub, "--device", "abacus"])
    assert result.exit_code == 1
    assert "set device to cpu" in result.stderr
