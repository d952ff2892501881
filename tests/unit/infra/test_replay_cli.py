import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.core.kafka_producer import KafkaProducer
from connectors.core.testing import FakeKafka
from infra.cli import replay
from infra.cli.main import COMMANDS, app
from schemas.codecs import decode_message


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeKafka:
    fake = FakeKafka()
    monkeypatch.setattr(KafkaProducer, "connect", lambda _: KafkaProducer(fake))
    monkeypatch.setattr(replay, "missing_topics", lambda *_: [])
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    return fake


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    lines = [
        json.dumps({"stream": "a/1", "offset_ms": n * 900, "author": "alice1", "text": "hi"})
        for n in range(40)
    ]
    path.write_text("\n".join([*lines, "bad"]))
    return path


def _pulse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def test_it_prints_one_json_summary(kafka: FakeKafka, recording: Path) -> None:
    result = _pulse(recording, "--speed", "max", "--run-id", "r1", "--workspace", "w1")
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary.pop("seconds") > 0
    assert summary == {
        "run_id": "r1", "messages": 40, "heartbeats": 1, "dead_letters": 1, "finished": True
    }  # fmt: skip
    assert [topic for topic, _, _ in kafka.sent].count("chat.messages.v1") == 41
    assert kafka.sent[1][1] == b"w1|replay:a"
    assert decode_message(kafka.sent[1][2]).workspace == "w1"


def test_a_finished_run_sends_nothing_when_resumed(kafka: FakeKafka, recording: Path) -> None:
    _pulse(recording, "--speed", "max", "--run-id", "r1", "--limit", "3")
    sent = len(kafka.sent)
    result = _pulse("--resume", "r1")
    assert json.loads(result.stdout)["messages"] == 0
    assert "finished already" in result.stderr
    assert len(kafka.sent) == sent == 4


def test_a_run_that_failed_is_resumed_with_its_settings(kafka: FakeKafka, recording: Path) -> None:
    kafka.fail_topic = "chat.messages.v1"
    failed = _pulse(recording, "--speed", "max", "--run-id", "r1")
    assert failed.exit_code == 1
    assert "pulse topics apply" in failed.stderr
    assert "--resume r1" in failed.stderr
    assert failed.stdout == ""
    kafka.fail_topic = ""
    resumed = _pulse("--resume", "r1")
    assert json.loads(resumed.stdout)["messages"] == 40


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--resume RUN_ID"),
        (("none.jsonl",), "none.jsonl"),
        (("FILE", "--speed", "fast"), "--speed"),
        (("FILE", "--speed", "0"), "--speed"),
        (("FILE", "--speed", "nan"), "--speed"),
        (("FILE", "--limit", "0"), "--limit"),
        (("FILE", "--resume", "r1"), "--resume"),
    ],
)
def test_wrong_usage_is_told(
    kafka: FakeKafka, recording: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = _pulse(*(recording if argument == "FILE" else argument for argument in arguments))
    assert result.exit_code == 2
    assert told in result.stderr
    assert kafka.sent == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--resume", "r9"), "no replay `r9`"),
        (("FILE", "--run-id", "a/b"), "only letters"),
        (("FILE", "--workspace", "../x"), "only letters"),
    ],
)
def test_what_cannot_be_done_is_told(
    kafka: FakeKafka, recording: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = _pulse(*(recording if argument == "FILE" else argument for argument in arguments))
    assert result.exit_code == 1
    assert told in result.stderr


def test_missing_topics_are_told(
    kafka: FakeKafka, recording: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(replay, "missing_topics", lambda *_: ["chat.dlq.v1"])
    result = _pulse(recording)
    assert result.exit_code == 1
    assert "pulse topics apply" in result.stderr
    assert not (tmp_path / "home" / "run").exists()


def test_the_command_table_lists_all_without_importing_them() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in COMMANDS)


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["nope"]).exit_code == 2
