"""The notifier's metrics; `schemas/metrics.py` explains each."""

from prometheus_client import REGISTRY, CollectorRegistry

from schemas import metrics


class NotifyMetrics:
    """The notifier's metrics, registered once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.revisions = metrics.NOTIFY_REVISIONS.counter(registry)
        self.sent = metrics.NOTIFY_SENT.counter(registry)
        self.messages = metrics.NOTIFY_MESSAGES.counter(registry)
        self.failures = metrics.NOTIFY_FAILURES.counter(registry)
        self.dead = metrics.NOTIFY_DEAD.counter(registry)
        self.waiting = metrics.NOTIFY_WAITING.gauge(registry)
        self.delay = metrics.NOTIFY_DELAY.histogram(registry)
        self.mute_failures = metrics.NOTIFY_MUTE_FAILURES.counter(registry)
        self.commit_failures = metrics.NOTIFY_COMMIT_FAILURES.counter(registry)
