"""How far the readers of the topics are behind: end offsets less committed offsets, summed per group."""

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.structs import TopicPartition

TIMEOUT_MS = 5000
PREFIX = "pulse"


def lags(bootstrap: str) -> dict[str, int]:
    """Records that each consumer group of ours has not committed yet.

    The jobs commit on each checkpoint and the store after each insert, so a few seconds of traffic
    are normal.

    Raises:
        kafka.errors.KafkaError: The broker does not answer.
    """
    client = KafkaAdminClient(
        bootstrap_servers=bootstrap.split(","), request_timeout_ms=TIMEOUT_MS, bootstrap_timeout_ms=TIMEOUT_MS
    )
    try:
        groups = [name for group in client.list_groups() if (name := group["group_id"]).startswith(PREFIX)]
        if not groups:
            return {}
        committed = client.list_group_offsets(groups)
        partitions: set[TopicPartition] = {tp for offsets in committed.values() for tp in offsets}
        ends = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        return {
            group: sum(
                max(0, ends[tp].offset - max(0, at.offset)) for tp, at in offsets.items() if tp in ends
            )
            for group, offsets in committed.items()
        }
    finally:
        client.close()
