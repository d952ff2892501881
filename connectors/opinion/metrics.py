"""The metrics of the second opinion; `schemas/metrics.py` explains each."""

from prometheus_client import REGISTRY, CollectorRegistry

from schemas import metrics


class OpinionMetrics:
    """The metrics of `pulse opinion run`, registered once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.lines = metrics.OPINION_LINES.counter(registry)
        self.requests = metrics.OPINION_REQUESTS.counter(registry)
        self.seconds = metrics.OPINION_SECONDS.histogram(registry)
        self.tokens = metrics.OPINION_TOKENS.counter(registry)
        self.faults = metrics.OPINION_FAULTS.counter(registry)
        self.waiting = metrics.OPINION_WAITING.gauge(registry)
        self.degraded = metrics.OPINION_DEGRADED.gauge(registry)
        self.lost = metrics.OPINION_LOST.counter(registry)
        self.commit_failures = metrics.OPINION_COMMIT_FAILURES.counter(registry)
