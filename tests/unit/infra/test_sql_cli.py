"""`pulse sql` at its edges; the whole way is in tests/integration/test_store_process.py."""

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli import store_access
from infra.cli.sql import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CLICKHOUSE_URL", "")
    monkeypatch.delenv("PULSE_API_TOKEN", raising=False)
    return tmp_path


def answers(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception) -> list[dict[str, object]]:
    """Lets a running API answer; returns what it was asked."""
    asked: list[dict[str, object]] = []

    def post(url: str, **call: object) -> httpx.Response:
        asked.append({"url": url, **call})
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(store_access, "api_answers", lambda _endpoints: True)
    monkeypatch.setattr(store_access.httpx, "post", post)
    return asked


def test_an_empty_query_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["  "]).exit_code == 2
    assert CliRunner().invoke(app, ["-"], input="").exit_code == 2
    assert CliRunner().invoke(app, ["SELECT 1", "--format", "xml"]).exit_code == 2


def test_without_a_store_it_says_how_to_get_one() -> None:
    done = CliRunner().invoke(app, ["SELECT 1"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "pulse up" in done.stderr


def test_a_running_stack_is_asked_with_its_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "run").mkdir()
    (home / "run" / "token").write_text("secret\n")
    asked = answers(monkeypatch, httpx.Response(200, content=b'{"x":1}\n'))
    done = CliRunner().invoke(app, ["-", "--format", "json"], input="SELECT 1 AS x")
    assert (done.exit_code, done.stdout) == (0, '{"x":1}\n')
    assert asked[0]["json"] == {"query": "SELECT 1 AS x", "format": "json"}
    assert asked[0]["headers"] == {"Authorization": "Bearer secret"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(400, json={"detail": "Syntax error"}), "Syntax error"),
        (httpx.Response(401, json={"detail": "no"}), "not the one whose token"),
        (httpx.ConnectTimeout("too slow"), "too slow"),
    ],
)
def test_refusals_are_told_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception, says: str
) -> None:
    monkeypatch.setenv("PULSE_API_TOKEN", "secret")
    answers(monkeypatch, answer)
    done = CliRunner().invoke(app, ["SELECT 1"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert says in done.stderr


def test_a_stack_without_a_token_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, httpx.Response(200))
    done = CliRunner().invoke(app, ["SELECT 1"])
    assert done.exit_code == 1
    assert "token" in done.stderr
