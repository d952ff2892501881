"""`pulse opinion` at its edges; the whole way is in tests/integration/test_opinion.py."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.opinion import app, thresholds
from tests.unit.connectors.opinion import fake_llm
from tests.unit.connectors.opinion.fake_llm import FakeLlm, status, threaded

KEY = "sk-a-very-secret-key"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("PULSE_OPINION_MODEL", "tiny")
    monkeypatch.setenv("PULSE_OPINION_API_KEY", KEY)


def _test_against(llm: FakeLlm, monkeypatch: pytest.MonkeyPatch) -> Result:
    with threaded(llm):
        monkeypatch.setenv("PULSE_OPINION_URL", llm.base)
        return CliRunner().invoke(app, ["test"])


@pytest.mark.parametrize("command", ["run", "test"])
def test_it_is_off_without_an_endpoint(command: str) -> None:
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == 2
    assert "it is off: set PULSE_OPINION_URL" in result.output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PULSE_OPINION_URL", "http://llm.example.com/v1"),
        ("PULSE_OPINION_SHARE", "2"),
        ("PULSE_OPINION_CHANNELS", "x"),
    ],
)
def test_a_wrong_setting_is_named_and_the_key_is_not(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("PULSE_OPINION_URL", "https://llm.example.com/v1")
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 2
    assert name.removeprefix("PULSE_OPINION_").lower() in result.output
    assert KEY not in result.output


def test_the_endpoint_is_tried_on_lines_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = FakeLlm()
    result = _test_against(llm, monkeypatch)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.keys() for line in lines] == [{"text", "sarcasm", "sentiment", "toxicity"}] * 3
    assert lines[0]["toxicity"] == 0.95


def test_a_wrong_key_is_said_so_without_telling_it(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = FakeLlm()
    llm.script = [status(401, body=KEY.encode())]
    result = _test_against(llm, monkeypatch)
    assert result.exit_code == 1
    assert "401" in result.output
    assert "PULSE_OPINION_API_KEY" in result.output
    assert KEY not in result.output


def test_a_model_that_cannot_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(messages: fake_llm.Messages) -> str:
        return json.dumps(
            {"opinions": [{"id": one["id"], "sarcasm": 0, "sentiment": 0, "toxicity": 0} for one in messages]}
        )

    result = _test_against(FakeLlm(blind), monkeypatch)
    assert result.exit_code == 1
    assert "takes an insult" in result.output


def test_decision_lines_are_those_of_the_model_that_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text(
        json.dumps({"name": "own", "version": "2", "thresholds": {"toxicity": 0.3}, "bits": 18})
    )
    (tmp_path / "scorer.yaml").write_text(f"model: {own}\n")
    lines_of = thresholds(tmp_path)
    assert lines_of("own", "2") == {"toxicity": 0.3}
    assert lines_of("own", "3") == {}
    assert lines_of("hf:something", "main") == {}
    shipped = json.loads((Path(__file__).parents[3] / "serving/models/fast/config.json").read_text())
    assert lines_of("fast", shipped["version"]) == shipped["thresholds"]
