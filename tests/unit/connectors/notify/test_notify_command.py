import asyncio
import fcntl
import json
import socket
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from connectors.notify.config import EXAMPLE
from connectors.notify.outbox import Outbox
from infra.cli.notify import app
from tests.unit.connectors.notify.fake_server import Answer, fake_server
from tests.unit.connectors.notify.notices import START_MS, Desk, alert, config, rows

runner = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    (tmp_path / "notify").mkdir()
    return tmp_path


def written(home: Path, url: str) -> Path:
    path = home / "notify.yaml"
    targets = [
        {"name": "good", "kind": "webhook", "url": f"{url}/hook"},
        {"name": "bot", "kind": "telegram", "token_env": "BOT_TOKEN", "chat": 5, "api_url": url},
    ]
    rules = [{"name": "all", "to": ["good", "bot"]}]
    path.write_text(yaml.safe_dump({"version": 1, "targets": targets, "rules": rules}))
    return path


def test_check_tells_what_the_example_does() -> None:
    result = runner.invoke(app, ["check", "--config", str(EXAMPLE)])
    assert result.exit_code == 0
    assert "attacks: attack.*, flood.account, spam.links from high on" in result.stdout
    assert "quiet 23:00 to 08:00 Europe/Moscow" in result.stdout


def test_check_names_what_is_wrong(home: Path) -> None:
    (home / "notify.yaml").write_text("version: 1\ntargets: []\nrules: []\n")
    result = runner.invoke(app, ["check", "--config", str(home / "notify.yaml")])
    assert result.exit_code == 1
    assert "targets" in result.stderr
    assert "Traceback" not in result.stderr


async def test_a_test_message_reaches_each_target(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "1:abc")
    async with fake_server(Answer(body=b'{"ok":true}')) as server:
        path = written(home, server.url)
        result = await asyncio.to_thread(runner.invoke, app, ["test", "--config", str(path)])
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["target"], one["sent"]) for one in outcomes] == [("good", True), ("bot", True)]
    assert result.exit_code == 0
    assert len(server.requests) == 2
    assert "test message" in server.requests[0].body.decode()


async def test_a_target_that_refuses_the_test_message_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "1:abc")
    async with fake_server(Answer(404, b'{"ok":false,"error_code":404,"description":"Not Found"}')) as server:
        path = written(home, server.url)
        result = await asyncio.to_thread(
            runner.invoke, app, ["test", "--config", str(path), "--target", "bot"]
        )
    (outcome,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert outcome["sent"] is False
    assert "check the token in BOT_TOKEN" in outcome["detail"]


def test_a_missing_secret_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOT_TOKEN", raising=False)
    result = runner.invoke(app, ["test", "--config", str(written(home, "http://127.0.0.1:9"))])
    assert result.exit_code == 1
    assert "BOT_TOKEN (for target `bot`)" in result.stderr.replace("\n", " ")


def test_dead_letters_are_shown_and_owed_again(home: Path) -> None:
    desk = Desk(home / "notify", config())
    desk.take(alert())
    claimed = desk.outbox.claim("hook", "default|twitch:somechannel", START_MS, 9)
    desk.outbox.give_up(claimed, "it answered 410", START_MS)
    desk.notifier.take([rows(alert())[0]._replace(value=b"\xff\x1b[2J", offset=3)])
    desk.outbox.close()

    shown = runner.invoke(app, ["dead"]).stdout
    assert "it answered 410" in shown
    assert "\x1b" not in shown
    letters = [
        json.loads(line) for line in runner.invoke(app, ["dead", "--format", "json"]).stdout.splitlines()
    ]
    assert [letter["target"] for letter in letters] == ["hook", None]
    assert json.loads(letters[0]["record"])["alert_id"] == "a1"

    assert runner.invoke(app, ["retry"]).exit_code == 2
    assert runner.invoke(app, ["retry", "--id", "999"]).exit_code == 1
    assert runner.invoke(app, ["retry", "--all"]).stdout == "1\n"
    again = Outbox(home / "notify" / "outbox.sqlite3")
    assert again.waiting() == {"hook": 1}
    again.close()


def test_a_second_notifier_on_the_same_folder_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.cli.notify.missing_topics", lambda *_: [])
    monkeypatch.setenv("BOT_TOKEN", "1:abc")
    with (home / "notify" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = runner.invoke(app, ["run", "--config", str(written(home, "http://127.0.0.1:9"))])
    assert result.exit_code == 1
    assert "another notifier runs" in result.stderr.replace("\n", " ")


def test_a_taken_port_of_the_metrics_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.cli.notify.missing_topics", lambda *_: [])
    monkeypatch.setenv("BOT_TOKEN", "1:abc")
    path = written(home, "http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = runner.invoke(app, ["run", "--config", str(path), "--metrics-port", str(port)])
    assert result.exit_code == 1
    assert f"port {port}" in result.stderr.replace("\n", " ")
