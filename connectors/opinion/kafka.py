"""Kafka on both sides of the second opinion; nothing here waits for the endpoint."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import Producer

from connectors.clickhouse.routes import Row
from connectors.clickhouse.source import CommitRefusedError, RowSource
from connectors.opinion.metrics import OpinionMetrics
from schemas.codecs import encode, record_key
from schemas.records import Opinion
from schemas.topics import ALERTS, OPINIONS, SCORED

log = logging.getLogger(__name__)

_POLL_ROWS: Final = 2_000
_POLL_S: Final = 0.2
_FLUSH_S: Final = 5.0
_MAX_QUEUED: Final = 10_000


class KafkaOpinions:
    """Writes opinions; one that Kafka does not take, or has no room for, is counted and lost."""

    def __init__(
        self,
        bootstrap: str,
        metrics: OpinionMetrics,
        producer: Callable[[dict[str, Any]], Any] = Producer,
    ) -> None:
        self._metrics = metrics
        self._producer = producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "pulse-opinion",
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": _MAX_QUEUED,
            }
        )

    def publish(self, opinions: Sequence[Opinion]) -> None:
        """Queue opinions; does not wait."""
        for opinion in opinions:
            key = record_key(opinion.workspace, opinion.channel)
            try:
                self._producer.produce(OPINIONS, value=encode(opinion), key=key, on_delivery=self._delivered)
            except BufferError:
                self._metrics.lost.inc()
        self.poll()

    def poll(self) -> None:
        """Learn what was delivered."""
        self._producer.poll(0)

    def close(self) -> None:
        """Deliver what is queued, for some seconds at most."""
        self._metrics.lost.inc(self._producer.flush(_FLUSH_S))

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._metrics.lost.inc()


async def consume(
    lines: RowSource,
    alerts: RowSource,
    take: Callable[[Sequence[Row]], None],
    writer: KafkaOpinions,
    metrics: OpinionMetrics,
    stopping: asyncio.Event,
) -> None:
    """Read scored lines and alerts until told to stop.

    Offsets of lines are committed once they are taken in: what waits when the process dies gets no opinion.
    Those of alerts never are, so that each start learns which are open.
    """
    alerts.subscribe([ALERTS], lambda: None)
    lines.subscribe([SCORED], lambda: None)
    try:
        while not stopping.is_set():
            take(await asyncio.to_thread(alerts.poll, _POLL_ROWS, 0.0))
            rows = await asyncio.to_thread(lines.poll, _POLL_ROWS, _POLL_S)
            take(rows)
            writer.poll()
            if rows:
                await _commit(lines, rows, metrics)
    finally:
        await asyncio.to_thread(alerts.close)
        await asyncio.to_thread(lines.close)


async def _commit(lines: RowSource, rows: Sequence[Row], metrics: OpinionMetrics) -> None:
    offsets = {(row.topic, row.partition): row.offset + 1 for row in rows}
    try:
        await asyncio.to_thread(lines.commit, offsets)
    except CommitRefusedError as error:
        metrics.commit_failures.inc()
        log.warning("offsets are not committed, young lines may be asked again: %s", error)
