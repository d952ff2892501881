import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from connectors.core.sealing import Sealer
from connectors.core.testing import ManualClock
from connectors.twitch.approvals import VALID_MS, ApprovalError, Approvals
from connectors.twitch.moderation import ACTION, preview
from infra.cli.moderate import app
from tests.unit.connectors.twitch.conftest import PSEUDONYMS
from tests.unit.connectors.twitch.fake_helix import FakeHelix

runner = CliRunner()


@pytest.fixture
def twitch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHelix]:
    with FakeHelix() as fake:
        monkeypatch.setenv("PULSE_HOME", str(tmp_path))
        monkeypatch.setenv("PULSE_TWITCH_TOKEN", "t0")
        monkeypatch.setenv("PULSE_TWITCH_API_URL", fake.settings["api_url"])
        monkeypatch.setenv("PULSE_TWITCH_AUTH_URL", fake.settings["auth_url"])
        yield fake


def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "t0" not in result.output.replace("t0.", "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_nothing_is_sent_before_it_is_approved_and_executed(twitch: FakeHelix) -> None:
    (proposed,) = run(
        "timeout", "Room", "Alice", "--seconds", "60", "--reason", "spam by alice", "--by", "eve"
    )
    (shown,) = run("approve", proposed["id"])
    assert "dry run" in shown["status"]
    assert shown["request"]["body"] == {
        "data": {"user_id": "<id of alice>", "duration": 60, "reason": "spam by alice"}
    }
    assert twitch.asked == []
    (done,) = run("approve", proposed["id"], "--execute", "--by", "bob")
    assert done["status"] == "done"
    sent = twitch.asked[-1]
    assert (sent.method, sent.path) == ("POST", "/moderation/bans")
    assert sent.params == {"broadcaster_id": ["100"], "moderator_id": ["900"]}
    assert sent.body == {"data": {"user_id": "200", "duration": 60, "reason": "spam by alice"}}
    run("approve", proposed["id"], "--execute", code=1)
    assert len(twitch.asked) == 2  # the lookup and the action, once
    assert run("list") == []


def test_the_audit_log_tells_who_did_what_without_names(twitch: FakeHelix, tmp_path: Path) -> None:
    (proposed,) = run("ban", "room", "alice", "--reason", "alice spams", "--by", "eve")
    run("approve", proposed["id"], "--execute", "--by", "bob")
    (other,) = run("shield", "room", "--by", "eve")
    run("reject", other["id"], "--reason", "too early", "--by", "bob")
    told = [(entry["who"], entry["event"]) for entry in run("log")]
    assert told == [
        ("eve", "proposed"),
        ("bob", "approved"),
        ("bob", "done"),
        ("eve", "proposed"),
        ("bob", "rejected"),
    ]
    path = tmp_path / "moderation" / "actions.sqlite"
    assert b"alice" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("DELETE FROM audit")


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (["slow", "room", "30"], "PATCH", "/chat/settings", {"slow_mode": True, "slow_mode_wait_time": 30}),
        (["slow", "room", "0"], "PATCH", "/chat/settings", {"slow_mode": False}),
        (["followers-only", "room", "--off"], "PATCH", "/chat/settings", {"follower_mode": False}),
        (
            ["followers-only", "room", "10"],
            "PATCH",
            "/chat/settings",
            {"follower_mode": True, "follower_mode_duration": 10},
        ),
        (["shield", "room"], "PUT", "/moderation/shield_mode", {"is_active": True}),
        (["unban", "room", "alice"], "DELETE", "/moderation/bans", None),
        (["delete", "room", "m1"], "DELETE", "/moderation/chat", None),
        (
            ["announce", "room", "hi 🙂"],
            "POST",
            "/chat/announcements",
            {"message": "hi 🙂", "color": "primary"},
        ),
    ],
)
def test_each_action_is_the_request_that_twitch_documents(
    twitch: FakeHelix, arguments: list[str], method: str, path: str, body: Any
) -> None:
    twitch.scopes = ["moderator:manage:chat_settings", "moderator:manage:shield_mode"]
    twitch.scopes += ["moderator:manage:chat_messages", "moderator:manage:banned_users"]
    twitch.scopes += ["moderator:manage:announcements"]
    (proposed,) = run(*arguments)
    run("approve", proposed["id"], "--execute")
    sent = twitch.asked[-1]
    assert (sent.method, sent.path, sent.body) == (method, path, body)
    assert sent.params["moderator_id"] == ["900"]


def test_what_twitch_refuses_is_failed_and_never_sent_again(twitch: FakeHelix) -> None:
    (proposed,) = run("shield", "room")
    run("approve", proposed["id"], "--execute", code=1)  # the token lacks the scope
    (unknown,) = run("ban", "room", "nobody")
    run("approve", unknown["id"], "--execute", code=1)
    failed = [entry for entry in run("log") if entry["event"] == "failed"]
    assert "moderator:manage:shield_mode" in failed[0]["detail"]
    assert failed[1]["detail"] == "Twitch knows no such person"
    assert all(asked.method == "GET" for asked in twitch.asked)
    run("approve", unknown["id"], "--execute", code=1)


def test_a_missing_token_leaves_the_proposal(twitch: FakeHelix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_TWITCH_TOKEN")
    (proposed,) = run("ban", "room", "alice")
    run("approve", proposed["id"], "--execute", code=1)
    assert [waiting["id"] for waiting in run("list")] == [proposed["id"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["slow", "room", "2"],
        ["slow", "room", "121"],
        ["timeout", "room", "alice", "--seconds", "0"],
        ["ban", "a/b", "alice"],
        ["announce", "room", "x" * 501],
        ["announce", "room", "x", "--color", "pink"],
    ],
)
def test_what_twitch_would_not_take_is_not_proposed(twitch: FakeHelix, arguments: list[str]) -> None:
    run(*arguments, code=2)
    assert run("list") == []


def test_a_proposal_lapses_and_its_name_is_forgotten(tmp_path: Path) -> None:
    clock, sealer, path = ManualClock(), Sealer(Fernet.generate_key()), tmp_path / "actions.sqlite"
    approvals = Approvals(path, sealer, clock)
    action = ACTION.validate_python({"kind": "ban", "channel": "room", "user": "alice"})
    action_id = approvals.propose("default", action, "eve", PSEUDONYMS)
    first, second = approvals.proposal(action_id), approvals.proposal(action_id)
    assert preview(first.action).params["broadcaster_id"] == "<id of room>"
    clock.advance(VALID_MS / 1000 + 1)
    approvals.close()
    approvals = Approvals(path, sealer, clock)
    with pytest.raises(ApprovalError, match="expired"):
        approvals.proposal(action_id)
    with pytest.raises(ApprovalError, match="meanwhile"):
        approvals.claim(second, "bob")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT sealed FROM actions").fetchall() == [(None,)]
    approvals.close()
