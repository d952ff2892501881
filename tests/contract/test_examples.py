"""Golden examples: what every producer may write and every consumer must read."""

from pathlib import Path
from typing import TypeVar

import jsonschema
import msgspec
import pytest

from schemas.codecs import decode_event, decode_message, encode
from schemas.json_schema import path_of
from schemas.labels import BASIC, EMOTIONS
from schemas.records import Alert, ScoredMessage, Window
from schemas.topics import EVENTS, MESSAGES, RECORD_TYPES

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
T = TypeVar("T")
ALL = sorted(EXAMPLES.glob("*/1/*.json"))


def _id(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def _topic(path: Path) -> str:
    return path.parts[-3]


def test_every_topic_has_several_examples() -> None:
    counts = {topic: sum(_topic(path) == topic for path in ALL) for topic in RECORD_TYPES}
    assert min(counts.values()) >= 3, counts
    assert {_topic(path) for path in ALL} == set(RECORD_TYPES)


@pytest.mark.parametrize("path", ALL, ids=_id)
def test_example_satisfies_the_committed_schema(path: Path) -> None:
    schema = msgspec.json.decode(path_of(_topic(path)).read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(msgspec.json.decode(path.read_bytes()), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", ALL, ids=_id)
def test_example_decodes_and_encodes_to_the_same_record(path: Path) -> None:
    record_type = RECORD_TYPES[_topic(path)]
    record = msgspec.json.decode(path.read_bytes(), type=record_type)
    assert msgspec.json.decode(encode(record), type=record_type) == record


@pytest.mark.parametrize("path", [path for path in ALL if _topic(path) == MESSAGES], ids=_id)
def test_message_passes_the_checks_of_its_readers(path: Path) -> None:
    message = decode_message(path.read_bytes())
    for emote in message.emotes:
        assert message.text[emote.start : emote.end] == emote.name


@pytest.mark.parametrize("path", [path for path in ALL if _topic(path) == EVENTS], ids=_id)
def test_event_passes_the_checks_of_its_readers(path: Path) -> None:
    assert decode_event(path.read_bytes()).event_id


def test_examples_show_what_readers_trip_over() -> None:
    messages = [decode_message(path.read_bytes()) for path in ALL if _topic(path) == MESSAGES]
    assert any(message.closing for message in messages)
    assert any(message.kind == "heartbeat" and message.span_from != message.span_to for message in messages)
    assert any(message.amount for message in messages)
    assert any(message.kind == "message" and not message.text for message in messages)
    assert any(ord(max(message.text, default="a")) > 0xFFFF for message in messages)
    scored = [_decode(path, ScoredMessage) for path in ALL if _topic(path) == "chat.scored.v1"]
    assert {record.counted for record in scored} == {record.abstained for record in scored} == {True, False}
    assert all(set(record.emotions) == set(EMOTIONS) and set(record.basic) == set(BASIC) for record in scored)
    windows = [_decode(path, Window) for path in ALL if _topic(path) == "pulse.windows.v1"]
    assert all(len(window.emotion_sum) == len(window.emotion_sumsq) == len(EMOTIONS) for window in windows)
    assert all(len(window.basic_sum) == len(BASIC) for window in windows)
    raid = [_decode(path, Alert) for path in ALL if path.stem.startswith("raid_")]
    assert [(alert.revision, alert.state) for alert in raid] == [(1, "open"), (2, "update"), (3, "closed")]
    assert len({alert.alert_id for alert in raid}) == 1


def _decode(path: Path, record_type: type[T]) -> T:
    return msgspec.json.decode(path.read_bytes(), type=record_type)
