"""`pulse channels`: the list as the command line changes and shows it."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from infra.cli import channels
from schemas.records import SourceStatus
from tests.unit.connectors.hub.fakes import NOW, MemoryJournal, Topics

Run = Callable[..., Result]


class OpenJournal(MemoryJournal):
    def __enter__(self) -> "OpenJournal":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    made = Topics()
    monkeypatch.setattr(channels, "missing_topics", lambda bootstrap, wanted: [])
    monkeypatch.setattr(channels, "KafkaJournal", lambda bootstrap, wanted: OpenJournal(made))
    return made


@pytest.fixture
def run(topics: Topics) -> Run:
    return lambda *arguments: CliRunner().invoke(channels.app, list(arguments))


def listed(run: Run, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("list", "--format", "json", *arguments).stdout.splitlines()]


def test_channels_come_and_go(run: Run) -> None:
    assert run("add", "twitch", "One", "#two").stdout.splitlines() == [
        "twitch:one is on the list",
        "twitch:two is on the list",
    ]
    assert run("remove", "twitch", "one").exit_code == 0
    assert [row["channel"] for row in listed(run)] == ["twitch:two"]
    assert listed(run, "--workspace", "label") == []


def test_the_table_says_how_each_stands(topics: Topics, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    topics.list_channel("twitch:room")
    topics.list_channel("twitch:idle", workspace="label")
    topics.beat(
        "host-1", SourceStatus(channel="twitch:room", state="degraded", reason="no PONG", heard_at=NOW)
    )
    shown = " ".join(run("list").stdout.split())
    assert "twitch:room default degraded: no PONG" in shown
    assert "nobody listens" in shown


def test_what_cannot_be_is_refused_and_what_is_missing_told(topics: Topics, run: Run) -> None:
    assert run("add", "mars", "x").exit_code == 2
    missing = run("remove", "twitch", "room")
    assert missing.exit_code == 1
    assert "not on the list" in missing.stderr
    topics.down = True
    assert run("list").exit_code == 1
