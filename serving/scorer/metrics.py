"""The scorer's metrics; `schemas/metrics.py` explains each."""

from prometheus_client import CollectorRegistry

from schemas import metrics


class ScorerMetrics:
    """What one replica answered; `registry` is what its /metrics shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = metrics.SCORER_REQUESTS.counter(self.registry)
        self.lines = metrics.SCORER_LINES.counter(self.registry)
        self.abstained = metrics.SCORER_ABSTAINED.counter(self.registry)
        self.model_seconds = metrics.SCORER_MODEL_SECONDS.counter(self.registry)
        self.trial_failures = metrics.SCORER_TRIAL_FAILURES.counter(self.registry)
        self.seconds = metrics.SCORER_SECONDS.histogram(self.registry)
        for outcome in ("scored", "refused", "failed"):
            self.requests.labels(outcome)
        for by_arm in (self.lines, self.abstained, self.model_seconds):
            by_arm.labels("a")
