"""`pulse erase`: what it asks for in Kafka, and its receipt."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from connectors.core.pseudonym_keys import load_pseudonyms
from infra.cli import erase
from schemas.records import Erasure
from schemas.topics import ERASURES
from tests.unit.connectors.hub.fakes import MemoryJournal, Topics

Run = Callable[..., Result]


class OpenJournal(MemoryJournal):
    def __enter__(self) -> "OpenJournal":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Topics:
    made = Topics()
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setattr(erase, "missing_topics", lambda bootstrap, wanted: [])
    monkeypatch.setattr(erase, "KafkaJournal", lambda bootstrap, wanted: OpenJournal(made))
    monkeypatch.setattr(erase, "api_answers", lambda endpoints: False)
    return made


@pytest.fixture
def run(topics: Topics) -> Run:
    return lambda *arguments: CliRunner().invoke(erase.app, list(arguments))


def asked(topics: Topics) -> Erasure:
    entry = topics.entries[-1]
    assert entry.topic == ERASURES and entry.value
    record = msgspec.json.decode(entry.value, type=Erasure)
    assert entry.key == f"{record.workspace}|{record.author}".encode()
    return record


def test_a_name_becomes_the_pseudonym_of_its_platform_and_is_told_to_nobody(
    topics: Topics, run: Run, tmp_path: Path
) -> None:
    result = run("SomeOne", "--platform", "twitch")
    assert result.exit_code == 0, result.output
    pseudonym = load_pseudonyms("default", "twitch", tmp_path).author("someone")
    assert (asked(topics).author, asked(topics).opted_out) == (pseudonym, False)
    assert asked(topics).erase_before == asked(topics).requested_at
    assert "omeone" not in (result.output + str(topics.entries)).lower()
    receipt = json.loads(result.stdout)
    assert receipt["left_in_store"] is None
    assert receipt["topics_forget_within_hours"] == {
        "chat.messages.v1": 24,
        "chat.scored.v1": 24,
        "chat.events.v1": 24,
    }


def test_a_pseudonym_is_taken_as_it_is(topics: Topics, run: Run) -> None:
    pseudonym = "k3f9a1c.0c77b0a1f2e94d6688aa3b7c1d2e9f10"
    assert run(pseudonym, "--workspace", "label").exit_code == 0
    assert (asked(topics).workspace, asked(topics).author) == ("label", pseudonym)


def test_an_opt_out_stays_through_an_erasure_and_ends_when_taken_back(topics: Topics, run: Run) -> None:
    run("someone", "--opt-out")
    assert asked(topics).opted_out
    run("someone")
    again = asked(topics)
    assert again.opted_out
    run("someone", "--opt-in")
    assert not asked(topics).opted_out
    assert asked(topics).erase_before == again.erase_before, "nothing more is erased"
    run("stranger", "--opt-in")
    assert asked(topics).erase_before == 0


def test_it_waits_until_the_store_is_clean(topics: Topics, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[str, Any]] = [
        {"chat_lines": 3, "channel_events": 1, "known": 0},
        {"chat_lines": 3, "channel_events": 0, "known": 1},
        {"chat_lines": 0, "channel_events": 0, "known": 1},
    ]
    monkeypatch.setattr(erase, "api_answers", lambda endpoints: True)
    monkeypatch.setattr(erase, "query", lambda e, sql, output: json.dumps(answers.pop(0)).encode())
    monkeypatch.setattr(erase.time, "sleep", lambda seconds: None)
    result = run("someone")
    assert json.loads(result.stdout)["left_in_store"] == {"chat_lines": 0, "channel_events": 0}
    assert not answers


@pytest.mark.parametrize("arguments", [("a", "--workspace", "x' OR 1"), ("a", "--opt-out", "--opt-in")])
def test_what_makes_no_sense_is_refused(topics: Topics, run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert not topics.entries


def test_without_kafka_it_says_so(topics: Topics, run: Run) -> None:
    topics.down = True
    result = run("someone")
    assert result.exit_code == 1
    assert "Kafka does not answer" in result.stderr
