"""Small topics that every process reads from their beginning and writes record by record."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

_TIMEOUT_S: Final = 10.0


class JournalError(Exception):
    """Kafka does not answer or refused a record; the message says what to do."""


class Entry(NamedTuple):
    """One record; `appended_at` is the broker's time in ms."""

    topic: str
    key: bytes
    value: bytes | None
    appended_at: int


class Journal(Protocol):
    """What is asked of the topics; blocking calls, one thread at a time."""

    def read(self, timeout_s: float) -> Sequence[Entry]:
        """The next records, in the order of each topic; waits at most so long for the first."""

    def read_to_end(self) -> Sequence[Entry]:
        """All records up to what is the end now. Raises JournalError."""

    def write(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Append one record, acknowledged on return. Raises JournalError."""

    def close(self) -> None:
        """Leave Kafka."""


class KafkaJournal:
    """`Journal` over confluent-kafka; a context manager. Nothing is committed: everybody reads everything."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        """Prepare; connects with the first call.

        Args:
            bootstrap: Kafka's brokers.
            topics: those to read, of one partition each.
        """
        self._bootstrap, self._topics = bootstrap, tuple(topics)
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None
        self._ends: dict[str, int] = {}
        self._at: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave Kafka."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def read(self, timeout_s: float) -> Sequence[Entry]:
        """See Journal; passing trouble with the brokers is librdkafka's to retry."""
        entries = []
        for message in self._reader().consume(1_000, timeout_s):
            if message.error() is None:
                self._at[message.topic() or ""] = (message.offset() or 0) + 1
                entries.append(_entry(message))
        return entries

    def read_to_end(self) -> Sequence[Entry]:
        """See Journal."""
        consumer = self._reader()
        ends = {}
        try:
            for topic in self._topics:
                _, ends[topic] = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=_TIMEOUT_S)
            entries: list[Entry] = []
            deadline = time.monotonic() + _TIMEOUT_S
            while any(self._position(topic) < end for topic, end in ends.items()):
                entries += self.read(0.2)
                if time.monotonic() > deadline:
                    raise JournalError(self._silent())
        except KafkaException as error:
            raise JournalError(f"{self._silent()}: {error.args[0].str()}") from error
        return entries

    def write(self, topic: str, key: bytes, value: bytes | None) -> None:
        """See Journal."""
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self._bootstrap,
                    "enable.idempotence": True,
                    "message.timeout.ms": int(_TIMEOUT_S * 1000),
                }
            )
        refused: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Any) -> None:
            if error is not None:
                refused.append(error)

        self._producer.produce(topic, value=value, key=key, on_delivery=delivered)
        if self._producer.flush(_TIMEOUT_S + 1) or refused:
            reason = refused[0].str() if refused else "no answer"
            raise JournalError(f"Kafka did not take a record for {topic} ({reason}); check `pulse status`")

    def _reader(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    "bootstrap.servers": self._bootstrap,
                    "group.id": "pulse-journal",  # asked for, never joined: partitions are assigned by hand
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "log.connection.close": False,
                }
            )
            self._consumer.assign([TopicPartition(topic, 0, 0) for topic in self._topics])
        return self._consumer

    def _position(self, topic: str) -> int:
        """Where the reader stands; compaction leaves holes, so the last record's offset is not enough."""
        (place,) = self._reader().position([TopicPartition(topic, 0)])
        return max(int(place.offset), self._at.get(topic, 0))

    def _silent(self) -> str:
        return (
            f"Kafka does not answer at {self._bootstrap}; start it with `pulse up`, or set KAFKA_BOOTSTRAP "
            "(a topic that is missing: `pulse topics apply`)"
        )


def _entry(message: Message) -> Entry:
    return Entry(message.topic() or "", message.key() or b"", message.value(), message.timestamp()[1])
