"""The store process' metrics; `schemas/metrics.py` explains each."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry

from schemas import metrics
from schemas.records import Activity, Alert, Window

_WINDOW_MS: Final = 10_000
_MAX_STREAMS: Final = 10_000
_MAX_WINDOWS: Final = 50_000


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
