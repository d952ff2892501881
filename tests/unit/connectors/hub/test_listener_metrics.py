from prometheus_client import CollectorRegistry

from connectors.hub.metrics import ListenerMetrics
from schemas.records import SourceStatus
from tests.fixtures.store import NOW_MS, event, line


def test_records_gaps_and_clocks_are_counted_by_platform() -> None:
    registry = CollectorRegistry()
    metrics = ListenerMetrics(registry)
    metrics.count([line("w", "m1", received_at=NOW_MS + 90), line("w", "m2", received_at=NOW_MS + 70)])
    metrics.count([line("w", "b1", kind="heartbeat", sent_at=NOW_MS), event("w", "g1", recovered=7)])
    metrics.show([])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"pulse_listener_{name}", {"platform": "twitch"} | labels)

    assert value("records_total", kind="message") == 2
    assert value("records_total", kind="heartbeat") == value("records_total", kind="event") == 1
    assert value("gaps_total", cause="reconnect") == 1
    assert value("missed_seconds_total") == 5
    assert value("recovered_lines_total") == 7
    assert value("clock_skew_seconds") == 0.07


def test_channels_are_shown_by_state_and_go_to_zero() -> None:
    registry = CollectorRegistry()
    metrics = ListenerMetrics(registry)
    metrics.show(
        [SourceStatus(channel="twitch:a", state="live"), SourceStatus(channel="twitch:b", state="blocked")]
    )
    labels = {"platform": "twitch", "state": "live"}
    assert registry.get_sample_value("pulse_listener_channels", labels) == 1
    metrics.show([])
    assert registry.get_sample_value("pulse_listener_channels", labels) == 0
