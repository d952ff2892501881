"""The consumer that is lost for good is replaced: a sink that is up must never stand still for ever."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.clickhouse.source import CommitRefusedError, KafkaRowSource


class Message:
    def __init__(self, error: KafkaError | None = None, offset: int = 0) -> None:
        self._error, self._offset = error, offset

    def error(self) -> KafkaError | None:
        return self._error

    def timestamp(self) -> tuple[int, int]:
        return 0, 0

    def topic(self) -> str:
        return "chat.scored.v1"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"


class FakeConsumer:
    """As librdkafka's: after a fatal error it gives nothing but errors."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.answers: list[list[Message]] = []
        self.topics: list[str] = []
        self.closed = False
        self.commit_error: KafkaError | None = None

    def subscribe(self, topics: list[str], **_: Any) -> None:
        self.topics = topics

    def consume(self, limit: int, timeout_s: float) -> list[Message]:
        return self.answers.pop(0) if self.answers else []

    def commit(self, **_: Any) -> list[Any]:
        if self.commit_error is not None:
            raise KafkaException(self.commit_error)
        return []

    def close(self) -> None:
        self.closed = True


class World:
    def __init__(self) -> None:
        self.made: list[FakeConsumer] = []
        self.now = 100.0
        self.changes = 0
        self.source = KafkaRowSource("nowhere:1", consumer=self._make, clock=lambda: self.now)
        self.source.subscribe(["chat.scored.v1"], self._changed)

    def _make(self, settings: dict[str, Any]) -> FakeConsumer:
        self.made.append(FakeConsumer(settings))
        return self.made[-1]

    def _changed(self) -> None:
        self.changes += 1


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID])
def test_a_fatal_error_while_reading_brings_another_consumer(code: int) -> None:
    world = World()
    world.made[0].answers = [[Message(offset=7)], [Message(offset=8), Message(KafkaError(code))]]
    assert [row.offset for row in world.source.poll(10, 0)] == [7]
    assert world.source.poll(10, 0) == [], "what a lost consumer read is read again"
    world.now += 3
    world.source.poll(10, 0)
    first, second = world.made
    assert first.closed and not second.closed
    assert second.topics == ["chat.scored.v1"]
    assert world.changes == 1, "batches that were read but not committed are dropped"


def test_a_fenced_commit_is_refused_and_brings_another_consumer() -> None:
    world = World()
    world.made[0].commit_error = KafkaError(KafkaError.FENCED_INSTANCE_ID)
    with pytest.raises(CommitRefusedError):
        world.source.commit({("chat.scored.v1", 0): 8})
    world.now += 3
    world.source.poll(10, 0)
    assert len(world.made) == 2


def test_passing_trouble_keeps_the_consumer() -> None:
    world = World()
    world.made[0].answers = [[Message(KafkaError(KafkaError._TRANSPORT)), Message(offset=9)]]
    world.now += 3
    assert [row.offset for row in world.source.poll(10, 0)] == [9]
    assert len(world.made) == 1


def test_two_processes_of_one_name_do_not_chase_each_other() -> None:
    world = World()
    for _ in range(5):
        world.made[-1].answers = [[Message(KafkaError(KafkaError.FENCED_INSTANCE_ID))]]
        world.source.poll(10, 0)
    assert len(world.made) == 1
