"""A Kafka client that keeps what it is given and delivers when the poller asks."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class FakeKafka:
    """Stands in for confluent_kafka.Producer.

    `sent` holds (topic, key, value) in order, `headers` what went with each. While `held` is set nothing is
    delivered. Records for `fail_topic` are refused as of an unknown topic.
    """

    def __init__(self, room: int = 10_000) -> None:
        """Take at most `room` records before they are delivered, then raise BufferError."""
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.headers: list[list[tuple[str, bytes]] | None] = []
        self.most_under_way = 0
        self.held = threading.Event()
        self.fail_topic = ""
        self._room = room
        self._queue: deque[tuple[str, Callable[[Any, Any], None]]] = deque()
        self._changed = threading.Condition()

    def produce(
        self, topic: str, value: bytes, key: bytes, *, on_delivery: Callable[[Any, Any], None], **more: Any
    ) -> None:
        """As confluent_kafka's."""
        with self._changed:
            if len(self._queue) >= self._room:
                raise BufferError("queue full")
            self.sent.append((topic, key, value))
            self.headers.append(more.get("headers"))
            self._queue.append((topic, on_delivery))
            self.most_under_way = max(self.most_under_way, len(self._queue))
            self._changed.notify()

    def poll(self, timeout: float) -> int:
        """As confluent_kafka's; waits at most `timeout` seconds for something to deliver."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue and not self.held.is_set(), timeout)
            if self.held.is_set():
                return 0
            due, self._queue = self._queue, deque()
        for topic, delivered in due:
            failed = topic == self.fail_topic
            delivered(_UnknownTopic() if failed else None, _Message(topic))
        return len(due)

    def release(self) -> None:
        """Deliver what was held."""
        self.held.clear()
        with self._changed:
            self._changed.notify()


class _UnknownTopic:
    def name(self) -> str:
        return "UNKNOWN_TOPIC_OR_PART"

    def str(self) -> str:
        return "Broker: Unknown topic or partition"


class _Message:
    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        return self._topic
