import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.simulator.scenario import bundled
from infra.cli.simulate import app

SCENARIO = """
name: small
length_s: 60
channels: [{name: a, language: en, rate_per_s: 1, regulars: 10}]
events:
  - {kind: account_flood, channels: [a], start_s: 10}
  - {kind: hype, channels: [a], start_s: 500}
"""
runner = CliRunner()


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO, "utf-8")
    return str(path)


def test_list_names_the_bundled_scenarios() -> None:
    result = runner.invoke(app, ["list"])
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == sorted(bundled())


def test_stdout_holds_lines_only(scenario: str) -> None:
    result = runner.invoke(app, [scenario, "--seed", "3"])
    assert result.exit_code == 0
    assert all(json.loads(line)["stream"] == "a/small-3" for line in result.stdout.splitlines())
    assert "1 of 2 events begin after" in result.stderr


def test_a_file_gets_its_truth_beside_it(scenario: str, tmp_path: Path) -> None:
    result = runner.invoke(app, [scenario, "--output", str(tmp_path / "out.jsonl.gz")])
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).splitlines()[0])["author"]
    (truth,) = (tmp_path / "out.truth.jsonl").read_text("utf-8").splitlines()
    assert json.loads(truth)["kind"] == "account_flood"


def test_over_a_recording(scenario: str, tmp_path: Path) -> None:
    line = '{"stream":"s/1","offset_ms":%d,"author":"u1","text":"hi"}\n'
    recording = tmp_path / "chat.jsonl"
    recording.write_text("".join(line % at for at in range(0, 60_000, 500)), "utf-8")
    out = tmp_path / "out.jsonl"
    result = runner.invoke(app, [scenario, "--over", str(recording), "--shift", "5", "--output", str(out)])
    assert result.exit_code == 0
    merged = out.read_text("utf-8").splitlines()
    assert [raw for raw in merged if '"bits"' not in raw] == recording.read_text("utf-8").splitlines()
    truth = json.loads((tmp_path / "out.truth.jsonl").read_text("utf-8"))
    assert truth["stream"] == "s/1"
    assert truth["started_at_ms"] == 15_000
    assert truth["messages"] <= len(merged) - 120


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such"], "bundled are"),
        (["demo", "--speed", "fast"], "or max"),
        (["demo", "--into-stack", "--output", "x"], "pulse replay"),
    ],
)
def test_wrong_use_says_what_to_do(arguments: list[str], said: str) -> None:
    result = runner.invoke(app, arguments, terminal_width=200)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_a_recording_that_is_cut_short(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 1000)[:20])
    result = runner.invoke(app, [scenario, "--over", str(path)])
    assert result.exit_code == 2
    assert "not a whole gzip file" in result.stderr
