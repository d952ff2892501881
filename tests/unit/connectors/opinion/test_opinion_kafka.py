"""Kafka on both sides: offsets, alerts that are read anew at each start, opinions that find no room."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from connectors.clickhouse.routes import Row
from connectors.opinion.kafka import KafkaOpinions, consume
from connectors.opinion.metrics import OpinionMetrics
from schemas.records import Opinion
from schemas.topics import ALERTS, OPINIONS, SCORED
from tests.contract.test_examples import EXAMPLES
from tests.fixtures.scripted_source import ScriptedSource

OPINION = msgspec.json.decode((EXAMPLES / OPINIONS / "1" / "cached.json").read_bytes(), type=Opinion)


class FakeProducer:
    """Takes `room` records; delivers at `poll`, with `error` where it has one, all but the `stuck`."""

    def __init__(self, room: int = 10, error: str | None = None, stuck: int = 0) -> None:
        self.room, self.error, self.stuck = room, error, stuck
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.config: dict[str, Any] = {}
        self._due: list[Callable[[Any, Any], None]] = []

    def __call__(self, config: dict[str, Any]) -> "FakeProducer":
        self.config = config
        return self

    def produce(
        self, topic: str, *, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], None]
    ) -> None:
        if len(self.sent) >= self.room:
            raise BufferError("full")
        self.sent.append((topic, key, value))
        self._due.append(on_delivery)

    def poll(self, timeout: float) -> int:
        assert timeout == 0
        due, self._due = self._due, []
        for delivered in due:
            delivered(self.error, None)
        return len(due)

    def flush(self, _timeout: float) -> int:
        return self.stuck


def _value(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(f"pulse_opinion_{name}_total")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> OpinionMetrics:
    return OpinionMetrics(registry)


def test_an_opinion_is_written_under_its_channel_s_key(metrics: OpinionMetrics) -> None:
    producer = FakeProducer()
    KafkaOpinions("broker:9092", metrics, producer).publish([OPINION])
    ((topic, key, value),) = producer.sent
    assert (topic, key) == (OPINIONS, b"default|twitch:somechannel")
    assert msgspec.json.decode(value, type=Opinion) == OPINION
    assert producer.config["partitioner"] == "murmur2_random"


def test_what_kafka_does_not_take_is_counted_and_holds_up_nothing(
    metrics: OpinionMetrics, registry: CollectorRegistry
) -> None:
    full = KafkaOpinions("b", metrics, FakeProducer(room=1))
    full.publish([OPINION, OPINION, OPINION])
    assert _value(registry, "lost_opinions") == 2
    KafkaOpinions("b", metrics, FakeProducer(error="timed out")).publish([OPINION])
    assert _value(registry, "lost_opinions") == 3
    KafkaOpinions("b", metrics, FakeProducer(stuck=4)).close()
    assert _value(registry, "lost_opinions") == 7


async def test_lines_are_committed_when_taken_in_and_alerts_never(metrics: OpinionMetrics) -> None:
    stopping = asyncio.Event()
    taken: list[str] = []
    lines = ScriptedSource(
        stopping, [Row(SCORED, 3, 41, None, None, b"x")], [Row(SCORED, 3, 42, None, None, b"y")]
    )
    alerts = ScriptedSource(asyncio.Event(), [Row(ALERTS, 0, 7, None, None, b"z")])
    await consume(
        lines,
        alerts,
        lambda rows: taken.extend(row.topic for row in rows),
        KafkaOpinions("b", metrics, FakeProducer()),
        metrics,
        stopping,
    )
    assert taken == [ALERTS, SCORED, SCORED]
    assert (lines.topics, alerts.topics) == ([SCORED], [ALERTS])
    assert lines.committed == [{(SCORED, 3): 42}, {(SCORED, 3): 43}]
    assert alerts.committed == []
    assert lines.closed and alerts.closed


async def test_a_refused_commit_is_counted(metrics: OpinionMetrics, registry: CollectorRegistry) -> None:
    stopping = asyncio.Event()
    lines = ScriptedSource(stopping, [Row(SCORED, 0, 1, None, None, b"x")], refuse=True)
    writer = KafkaOpinions("b", metrics, FakeProducer())
    await consume(lines, ScriptedSource(asyncio.Event()), lambda rows: None, writer, metrics, stopping)
    assert _value(registry, "commit_failures") == 1
