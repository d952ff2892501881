import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from infra.cli import dlq
from infra.cli.dead_letters import REINJECTED_HEADER, Found
from infra.cli.kafka_access import KafkaUnreachableError
from infra.cli.main import app
from schemas.records import DeadLetter

RAW = b'{"workspace":"w","channel":"twitch:c","text":"\x1b[31mred \xff"}'


def _letter(number: int, **changes: Any) -> Found:
    fields: dict[str, Any] = {
        "dlq_id": f"chat.messages.v1/0/{number}",
        "stage": "score",
        "source": "chat.messages.v1",
        "partition": 0,
        "position": number,
        "error_class": "not_json",
        "error": "invalid character",
        "raw": RAW,
        "seen_at": 1_767_225_600_000 + number,
    }
    return Found(DeadLetter(**fields | changes), b"key")


class FakeProducer:
    sent: list[tuple[str, bytes | None, bytes, list[tuple[str, bytes]]]]

    def __init__(self, **_: Any) -> None: ...

    def send(
        self, topic: str, *, value: bytes, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> "FakeProducer":
        self.sent.append((topic, key, value, headers))
        return self

    def get(self, timeout: float) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Found]:
    """The dead letters that Kafka holds; a test fills them in."""
    there: list[Found] = []
    monkeypatch.setattr(dlq, "read_dead_letters", lambda _: iter(there))
    monkeypatch.setattr(FakeProducer, "sent", [], raising=False)
    monkeypatch.setattr(dlq, "KafkaProducer", FakeProducer)
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    return there


def _pulse(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dlq", *arguments])


def _rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_shows_the_newest_each_once_oldest_first(kafka: list[Found]) -> None:
    kafka += [_letter(3), _letter(1), _letter(2), _letter(2)]
    rows = _rows(_pulse("list", "--format", "json", "--limit", "2"))
    assert [row["position"] for row in rows] == [2, 3]


def test_list_filters_by_class(kafka: list[Found]) -> None:
    kafka += [_letter(1), _letter(2, error_class="oversized")]
    assert [
        row["error_class"] for row in _rows(_pulse("list", "--class", "oversized", "--format", "json"))
    ] == ["oversized"]


def test_raw_bytes_are_escaped_and_cut(kafka: list[Found]) -> None:
    kafka.append(_letter(1, raw=RAW + b"x" * 500))
    (row,) = _rows(_pulse("list", "--format", "json"))
    assert "\\x1b[31mred \\xff" in row["raw"]
    assert row["raw"].endswith("…")
    assert row["raw_bytes"] == len(RAW) + 500
    assert "\x1b" not in _pulse("list").stdout


@given(st.binary(max_size=300))
def test_any_bytes_show_as_printable_text(raw: bytes) -> None:
    assert dlq.escaped(raw).isprintable()


def test_an_empty_topic_prints_nothing(kafka: list[Found]) -> None:
    result = _pulse("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 of 0" in result.stderr


def test_original_bytes_go_back_with_the_channels_key_and_a_note(kafka: list[Found]) -> None:
    good = b'{"workspace":"w","channel":"twitch:c"}'
    kafka += [_letter(1), _letter(2, raw=good)]
    rows = _rows(_pulse("replay", "--all"))
    assert [row["sent_to"] for row in rows] == ["chat.messages.v1"] * 2
    assert FakeProducer.sent == [
        ("chat.messages.v1", b"key", RAW, [(REINJECTED_HEADER, b"chat.messages.v1/0/1")]),
        ("chat.messages.v1", b"w|twitch:c", good, [(REINJECTED_HEADER, b"chat.messages.v1/0/2")]),
    ]


def test_what_was_handed_back_is_not_handed_back_twice(kafka: list[Found]) -> None:
    kafka.append(_letter(1))
    _pulse("replay", "--all")
    kafka.append(_letter(2))
    assert [row["dlq_id"][-1] for row in _rows(_pulse("replay", "--all"))] == ["2"]
    assert [row["dlq_id"][-1] for row in _rows(_pulse("replay", "--all", "--again"))] == ["1", "2"]


def test_replay_by_id_and_class(kafka: list[Found]) -> None:
    kafka += [_letter(1), _letter(2), _letter(3, error_class="oversized")]
    assert len(_rows(_pulse("replay", "--id", "chat.messages.v1/0/2"))) == 1
    assert [row["dlq_id"][-1] for row in _rows(_pulse("replay", "--class", "oversized"))] == ["3"]


def test_what_cannot_go_back_says_why(kafka: list[Found]) -> None:
    kafka += [
        _letter(1, raw=b"", error_class="empty_record"),
        _letter(2, dlq_id="run9/chat.jsonl:7", source="chat.jsonl"),
        _letter(3, source="chat.dlq.v1"),
    ]
    result = _pulse("replay", "--all")
    assert result.exit_code == 1
    rows = {row["dlq_id"]: row for row in _rows(result)}
    assert all(row["sent_to"] is None for row in rows.values())
    assert "no replay `run9`" in rows["run9/chat.jsonl:7"]["detail"]
    assert FakeProducer.sent == []


def test_an_unknown_id_is_told(kafka: list[Found]) -> None:
    result = _pulse("replay", "--id", "nope")
    assert result.exit_code == 1
    assert "no dead letter nope" in result.stderr


@pytest.mark.parametrize("arguments", [("replay",), ("list", "--class", "odd"), ("list", "--limit", "0")])
def test_wrong_usage_is_told(kafka: list[Found], arguments: tuple[str, ...]) -> None:
    assert _pulse(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [("list",), ("replay", "--all")])
def test_without_kafka_it_says_what_to_do(
    kafka: list[Found], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    def refuse(_: str) -> Iterator[Found]:
        raise KafkaUnreachableError("Kafka does not answer at h:1; start it with `pulse up`")
        yield

    monkeypatch.setattr(dlq, "read_dead_letters", refuse)
    result = _pulse(*arguments)
    assert result.exit_code == 1
    assert "pulse up" in result.stderr
