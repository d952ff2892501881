"""The store process' metrics; `schemas/metrics.py` explains each."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.exceptions import Error as DriverError
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connectors.clickhouse.reader import StoreBusyError
from schemas import metrics
from schemas.records import Activity, Alert, Window

_WINDOW_MS: Final = 10_000
_MAX_STREAMS: Final = 10_000
_MAX_WINDOWS: Final = 50_000
_STREAM_STATES: Final = """
SELECT platform, count() AS open, countIf(last_received_at < now64(3) - INTERVAL 30 SECOND) AS silent
FROM streams
WHERE NOT ended AND last_received_at > now64(3) - INTERVAL 6 HOUR
GROUP BY platform"""

log = logging.getLogger(__name__)


class SinkMetrics:
    """The sink's metrics, registered once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.rows = metrics.SINK_ROWS.counter(registry)
        self.inserts = metrics.SINK_INSERTS.histogram(registry)
        self.refused = metrics.SINK_REFUSED.counter(registry)
        self.retries = metrics.SINK_RETRIES.counter(registry)
        self.stalled = metrics.SINK_STALLED.gauge(registry)
        self.commit_failures = metrics.SINK_COMMIT_FAILURES.counter(registry)
        self.buffered = metrics.SINK_BUFFERED.gauge(registry)
        self.lag = metrics.SINK_LAG.gauge(registry)
        self.last_insert = metrics.SINK_LAST_INSERT.gauge(registry)


class RemovalMetrics:
    """What the passes over removed lines did, registered once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.rows = metrics.REMOVED_ROWS.counter(registry)
        self.failures = metrics.REMOVAL_FAILURES.counter(registry)
        self.last_pass = metrics.REMOVAL_LAST_PASS.gauge(registry)


class StreamMetrics:
    """What the stored live records say: lines seen and processed, alerts opened.

    Records come more than once (a window's partial rows; repeats after a crash): of a window only what it
    grew by is counted, of an activity only seconds after the stream's last. Both memories are bounded; a
    restart forgets them, so a window that was half counted then counts whole, once.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._seen = metrics.LINES_SEEN.counter(registry)
        self._processed = metrics.LINES_PROCESSED.counter(registry)
        self._opened = metrics.ALERTS_OPENED.counter(registry)
        self._seconds: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._windows: OrderedDict[tuple[str, str, int], tuple[int, int]] = OrderedDict()
        for outcome in ("scored", "abstained"):
            self._processed.labels(outcome)

    def count(self, records: Sequence[msgspec.Struct]) -> None:
        """Take freshly stored records; one thread, returns at once."""
        for record in records:
            if isinstance(record, Activity):
                self._count_activity(record)
            elif isinstance(record, Window) and record.size_ms == _WINDOW_MS:
                self._count_window(record)
            elif isinstance(record, Alert) and record.revision == 1:
                self._opened.labels(record.kind).inc()

    def _count_activity(self, activity: Activity) -> None:
        key = (activity.workspace, activity.stream_id)
        if activity.second_ms <= self._seconds.get(key, -1):
            return
        self._seconds[key] = activity.second_ms
        self._seconds.move_to_end(key)
        if len(self._seconds) > _MAX_STREAMS:
            self._seconds.popitem(last=False)
        self._seen.inc(activity.messages)

    def _count_window(self, window: Window) -> None:
        key = (window.workspace, window.stream_id, window.start_ms)
        scored, abstained = self._windows.get(key, (0, 0))
        self._windows[key] = (max(scored, window.scored), max(abstained, window.abstained))
        if len(self._windows) > _MAX_WINDOWS:
            self._windows.popitem(last=False)
        self._processed.labels("scored").inc(max(0, window.scored - scored))
        self._processed.labels("abstained").inc(max(0, window.abstained - abstained))


class StreamStates(Collector):
    """How many streams run and how many of them have gone silent: asked of the store when Prometheus scrapes.

    Where the store does not answer, the two metrics are missing from that scrape.
    """

    def __init__(
        self, rows: Callable[[str], Sequence[Mapping[str, Any]]], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._rows = rows
        registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name and help, without asking the store."""
        yield from self._families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample a platform."""
        opened, silent = self._families()
        try:
            found = self._rows(_STREAM_STATES)
        except (DriverError, StoreBusyError, OSError) as error:
            log.warning("the streams' states are missing from a scrape: %s", type(error).__name__)
            return
        for row in found:
            opened.add_metric([row["platform"]], row["open"])
            silent.add_metric([row["platform"]], row["silent"])
        yield opened
        yield silent

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                metrics.STREAMS_OPEN.name, metrics.STREAMS_OPEN.help, labels=metrics.STREAMS_OPEN.labels
            ),
            GaugeMetricFamily(
                metrics.STREAMS_SILENT.name, metrics.STREAMS_SILENT.help, labels=metrics.STREAMS_SILENT.labels
            ),
        )
