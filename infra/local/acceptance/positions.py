"""How many scored lines there are and how many of them are stored: offsets, asked cheaply every second."""

from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import SCORED

SINK_GROUP: Final = "pulse-sink"
TIMEOUT_S: Final = 5.0


class Positions:
    """Counts since it was made; it never joins the group whose commits it reads.

    Every call raises ConnectionError where Kafka does not answer.
    """

    def __init__(self, bootstrap: str) -> None:
        self._client = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": SINK_GROUP, "enable.auto.commit": False}
        )
        topic = self._client.list_topics(SCORED, TIMEOUT_S).topics[SCORED]
        self._partitions = [TopicPartition(SCORED, number) for number in topic.partitions]
        self._began = self._ends()

    def scored(self) -> int:
        """Lines appended to the scored topic."""
        return self._ends() - self._began

    def stored(self) -> int:
        """Of these, lines that the sink has on disk."""
        try:
            committed = self._client.committed(self._partitions, TIMEOUT_S)
        except KafkaException as error:
            raise ConnectionError(str(error)) from error
        return sum(max(0, at.offset) for at in committed) - self._began

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ends(self) -> int:
        try:
            return sum(self._client.get_watermark_offsets(part, TIMEOUT_S)[1] for part in self._partitions)
        except KafkaException as error:
            raise ConnectionError(str(error)) from error
