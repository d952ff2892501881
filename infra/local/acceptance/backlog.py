"""Whether every consumer group has passed a moment: end offsets then, committed offsets now."""

from typing import Final

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from schemas.topics import ACTIVITY, ALERTS, DEAD_LETTERS, EVENTS, MESSAGES, SCORED, WINDOWS

READERS: Final = {
    "pulse-score": (MESSAGES,),
    "pulse-detect": (MESSAGES, EVENTS, WINDOWS),
    "pulse-sink": (MESSAGES, EVENTS, SCORED, WINDOWS, ALERTS, ACTIVITY, DEAD_LETTERS),
}
"""The topics of each consumer group. The jobs commit with their checkpoints, the sink after each insert."""
TOPICS: Final = READERS["pulse-sink"]
TIMEOUT_MS: Final = 5_000

Ends = dict[TopicPartition, int]


class Backlog:
    """Asks one cluster for offsets; every call raises OSError where it does not answer."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap.split(",")

    def ends(self) -> Ends:
        """The next offset of each partition of our topics."""
        with _Admin(self._bootstrap) as admin:
            partitions = [
                TopicPartition(topic["name"], part["partition_index"])
                for topic in admin.describe_topics(list(TOPICS))
                for part in topic["partitions"]
            ]
            found = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
            return {partition: at.offset for partition, at in found.items()}

    def behind(self, mark: Ends) -> dict[str, int]:
        """How many records before `mark` each group has not committed."""
        with _Admin(self._bootstrap) as admin:
            committed = admin.list_group_offsets(list(READERS))
        return {
            group: sum(
                max(0, end - _offset(committed.get(group, {}), partition))
                for partition, end in mark.items()
                if partition.topic in topics
            )
            for group, topics in READERS.items()
        }


def per_topic(before: Ends, after: Ends) -> dict[str, int]:
    """Records appended to each topic between two moments."""
    counts = dict.fromkeys(TOPICS, 0)
    for partition, end in after.items():
        counts[partition.topic] += end - before.get(partition, 0)
    return counts


def _offset(committed: dict[TopicPartition, object], partition: TopicPartition) -> int:
    return max(0, int(getattr(committed.get(partition), "offset", 0)))


class _Admin:
    """An admin client as a context; Kafka's errors come out as OSError."""

    def __init__(self, bootstrap: list[str]) -> None:
        self._bootstrap = bootstrap
        self._client: KafkaAdminClient | None = None

    def __enter__(self) -> KafkaAdminClient:
        try:
            self._client = KafkaAdminClient(
                bootstrap_servers=self._bootstrap,
                request_timeout_ms=TIMEOUT_MS,
                bootstrap_timeout_ms=TIMEOUT_MS,
            )
        except KafkaError as error:
            raise ConnectionError(f"Kafka does not answer: {error!r}") from error
        return self._client

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._client is not None:
            self._client.close()
        if isinstance(error, KafkaError):
            raise ConnectionError(f"Kafka does not answer: {error!r}") from error
