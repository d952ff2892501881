"""`pulse shadow`: sampled lines become acknowledged records, unreadable ones are counted."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.clickhouse.routes import Row
from infra.cli.shadow import compare_rows
from schemas.records import ScoreDifference
from schemas.topics import SHADOW
from serving.scorer.fast import FastScorer
from serving.shadow.compare import Summary
from tests.unit.serving.scorer.stub_model import write_stub_model

LINE = Path(__file__).parents[3] / "schemas" / "examples" / "chat.scored.v1" / "1" / "line.json"


class FakeProducer:
    """Acknowledges at flush, or fails the deliveries with `error`."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self._error, self._waiting = error, []

    def produce(self, topic: str, *, value: bytes, key: bytes, on_delivery: Any) -> None:
        self.sent.append((topic, key, value))
        self._waiting.append(on_delivery)

    def flush(self, _timeout: float) -> int:
        for on_delivery in self._waiting:
            on_delivery(self._error, None)
        return 0


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> FastScorer:
    return FastScorer.load(write_stub_model(tmp_path_factory.mktemp("models") / "stub"))


def _rows(*values: bytes | None) -> list[Row]:
    return [Row("chat.scored.v1", 0, at, None, None, value) for at, value in enumerate(values)]


def test_a_sampled_line_is_written_under_its_channels_key(candidate: FastScorer) -> None:
    producer, summary = FakeProducer(), Summary()
    rows = _rows(LINE.read_bytes(), b"not json", None)
    assert compare_rows(rows, candidate, 1.0, producer, summary) == 1
    ((topic, key, value),) = producer.sent
    assert (topic, key) == (SHADOW, b"default|twitch:somechannel")
    assert msgspec.json.decode(value, type=ScoreDifference).candidate == "stub"
    assert (summary.values()["lines"], summary.values()["unreadable"]) == (1, 2)


def test_what_is_not_sampled_costs_no_model_call(candidate: FastScorer) -> None:
    producer = FakeProducer()
    assert compare_rows(_rows(LINE.read_bytes()), candidate, 0.0, producer, Summary()) == 0
    assert producer.sent == []


def test_a_difference_that_kafka_does_not_take_stops_the_command(candidate: FastScorer) -> None:
    producer = FakeProducer(KafkaError(KafkaError._MSG_TIMED_OUT))
    with pytest.raises(KafkaException):
        compare_rows(_rows(LINE.read_bytes()), candidate, 1.0, producer, Summary())
