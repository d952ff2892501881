from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli import api_access
from infra.cli.mark import app
from infra.cli.marks import app as marks


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PULSE_API_TOKEN", "the-token")


def answers(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def request(method: str, url: str, **call: Any) -> httpx.Response:
        asked.append({"method": method, "url": url, **call})
        return answer

    monkeypatch.setattr(api_access.httpx, "request", request)
    return asked


def test_a_mute_is_posted_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, httpx.Response(201, json={}))
    done = CliRunner().invoke(app, ["a/1", "muted", "--for", "2h", "--note", "party"])
    assert done.exit_code == 0, done.output
    assert asked[0]["url"] == "http://127.0.0.1:9/api/v1/default/alerts/a%2F1/marks"
    assert asked[0]["json"] == {"verdict": "muted", "note": "party", "mute_for_s": 7_200}
    assert asked[0]["headers"] == {"Authorization": "Bearer the-token"}


def test_an_unknown_alert_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, httpx.Response(404, json={"detail": "no alert x in workspace default"}))
    done = CliRunner().invoke(app, ["x", "right"])
    assert done.exit_code == 1
    assert "no alert x" in done.output


@pytest.mark.parametrize(
    "wrong", [["x", "great"], ["x", "right", "--for", "1h"], ["x", "muted", "--for", "soon"], ["x"]]
)
def test_what_makes_no_mark_is_a_usage_error(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, wrong).exit_code == 2


def test_without_a_stack_it_says_what_to_do() -> None:
    done = CliRunner().invoke(app, ["x", "right"])
    assert done.exit_code == 1
    assert "pulse status" in done.output


def test_precision_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    point = {"start_ms": 0, "right": 3, "wrong": 1, "precision": 0.75, "low": 0.3, "high": 0.954}
    answers(monkeypatch, httpx.Response(200, json={"step_ms": 1, "points": [point]}))
    assert "0\t3\t1\t0.75\t0.30\t0.95" in CliRunner().invoke(marks, ["precision"]).output
