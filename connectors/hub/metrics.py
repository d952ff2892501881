"""The metrics of a process that listens; `schemas/metrics.py` explains each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, get_args

from prometheus_client import REGISTRY, CollectorRegistry

from connectors.core.skew import ClockSkew
from connectors.core.source import Record
from schemas import metrics
from schemas.records import ChatEvent, ChatMessage, DeadLetter, SourceState, SourceStatus

_STATES: Final[tuple[SourceState, ...]] = get_args(SourceState)


class ListenerMetrics:
    """A listening process' metrics, registered once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._channels = metrics.LISTENER_CHANNELS.gauge(registry)
        self._records = metrics.LISTENER_RECORDS.counter(registry)
        self._gaps = metrics.LISTENER_GAPS.counter(registry)
        self._missed = metrics.LISTENER_MISSED.counter(registry)
        self._recovered = metrics.LISTENER_RECOVERED.counter(registry)
        self._skew = metrics.LISTENER_SKEW.gauge(registry)
        self._skews: dict[str, ClockSkew] = {}
        self._platforms: set[str] = set()

    def count(self, records: Sequence[Record]) -> None:
        """Take records that were handed to Kafka's client."""
        for record in records:
            if isinstance(record, DeadLetter):
                self._records.labels(record.stage, "dead_letter").inc()
                continue
            platform = record.channel.partition(":")[0]
            kind = record.kind if isinstance(record, ChatMessage) else "event"
            self._records.labels(platform, kind).inc()
            if isinstance(record, ChatMessage) and record.kind == "message":
                self._skews.setdefault(platform, ClockSkew()).observe(record.sent_at, record.received_at)
            if isinstance(record, ChatEvent) and record.kind == "gap":
                self._gaps.labels(platform, record.cause or "").inc()
                missed_ms = (record.span_to or 0) - (record.span_from or 0)
                self._missed.labels(platform).inc(max(0, missed_ms) / 1000)
                self._recovered.labels(platform).inc(record.recovered or 0)

    def show(self, statuses: Iterable[SourceStatus]) -> None:
        """Show how many channels stand how, and how far the clocks may differ."""
        counts = Counter((status.channel.partition(":")[0], status.state) for status in statuses)
        self._platforms.update(platform for platform, _ in counts)
        for platform in self._platforms:
            for state in _STATES:
                self._channels.labels(platform, state).set(counts[platform, state])
        for platform, skew in self._skews.items():
            if (bound_ms := skew.bound_ms) is not None:
                self._skew.labels(platform).set(bound_ms / 1000)
