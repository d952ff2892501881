import re
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connectors.clickhouse.metrics import RemovalMetrics, SinkMetrics, StreamMetrics, StreamStates
from connectors.clickhouse.reader import StoreBusyError
from connectors.hub.metrics import ListenerMetrics
from connectors.notify.metrics import NotifyMetrics
from connectors.opinion.metrics import OpinionMetrics
from schemas.metrics import CATALOGUE
from schemas.records import Activity, Alert, Window
from serving.api.app import create_app
from serving.scorer.metrics import ScorerMetrics
from tests.fixtures.store import NEVER_MS, NOW_MS, TestStore, line

ROOT = Path(__file__).parents[4]
EXAMPLES = ROOT / "schemas" / "examples"


def store_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    SinkMetrics(registry)
    StreamMetrics(registry)
    RemovalMetrics(registry)
    StreamStates(lambda sql: [{"platform": "twitch", "open": 3, "silent": 1}], registry)
    return registry


def notifier_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    NotifyMetrics(registry)
    return registry


def listener_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ListenerMetrics(registry)
    return registry


def opinion_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    OpinionMetrics(registry)
    return registry


def exported(page: str) -> dict[str, tuple[str, str]]:
    """Name to kind and help, without the `_created` companions of the client library."""
    families = text_string_to_metric_families(page)
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in families
        if not family.name.endswith("_created")
    }


@pytest.mark.parametrize(
    ("process", "registry"),
    [
        ("store", store_registry()),
        ("notifier", notifier_registry()),
        ("listener", listener_registry()),
        ("opinion", opinion_registry()),
        ("scorer", ScorerMetrics().registry),
    ],
)
def test_a_process_exports_what_the_catalogue_lists_and_nothing_else(
    process: str, registry: CollectorRegistry
) -> None:
    listed = {
        name: (metric.kind, metric.help)
        for name, metric in CATALOGUE.items()
        if metric.exported_by == process
    }
    assert exported(generate_latest(registry).decode()) == listed


def test_the_api_s_page_is_the_registry() -> None:
    registry = store_registry()
    app = create_app(None, "token", registry=registry)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1") as client:
        page = client.get("/metrics", headers={"Authorization": "Bearer token"})
    assert page.status_code == 200
    assert exported(page.text) == exported(generate_latest(registry).decode())


def test_names_follow_the_convention() -> None:
    for name, metric in CATALOGUE.items():
        assert re.fullmatch(r"pulse_[a-z0-9]+(_[a-z0-9]+)*", name), name
        assert name.endswith("_total") == (metric.kind == "counter"), name
        assert metric.help.endswith("."), name
        assert bool(metric.buckets) == (metric.kind == "histogram"), name
        assert not {"channel", "stream_id", "author"} & set(metric.labels), name


def test_no_metric_is_made_elsewhere() -> None:
    made = re.compile(r"""\b(?:Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*["']pulse_""")
    rooms = ("connectors", "pipelines", "serving", "infra", "dashboards", "schemas")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 50
    assert [path.name for path in files if made.search(path.read_text(encoding="utf-8"))] == []


def example(topic: str, kind: type[msgspec.Struct]) -> msgspec.Struct:
    path = min((EXAMPLES / topic / "1").glob("*.json"))
    return msgspec.json.decode(path.read_bytes(), type=kind)


def test_lines_count_once_however_often_their_records_come() -> None:
    registry = CollectorRegistry()
    counted = StreamMetrics(registry)
    activity = msgspec.structs.replace(example("pulse.activity.v1", Activity), messages=7)
    window = msgspec.structs.replace(
        example("pulse.windows.v1", Window), size_ms=10_000, scored=3, abstained=1
    )
    grown = msgspec.structs.replace(window, scored=5)
    one_second = msgspec.structs.replace(window, size_ms=1_000, scored=99)
    raised = msgspec.structs.replace(example("pulse.alerts.v1", Alert), revision=1, kind="hype")
    revised = msgspec.structs.replace(raised, revision=2)
    counted.count([activity, activity, window, grown, window, grown, one_second, raised, revised])
    later = msgspec.structs.replace(activity, second_ms=activity.second_ms + 1_000)  # type: ignore[attr-defined]
    counted.count([later, activity])
    assert registry.get_sample_value("pulse_lines_seen_total") == 14
    assert registry.get_sample_value("pulse_lines_processed_total", {"outcome": "scored"}) == 5
    assert registry.get_sample_value("pulse_lines_processed_total", {"outcome": "abstained"}) == 1
    assert registry.get_sample_value("pulse_alerts_opened_total", {"kind": "hype"}) == 1


def test_streams_are_counted_as_open_and_as_silent_after_half_a_minute(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with TestStore.open(tmp_path) as store:
        StreamStates(store.reader.rows, registry)

        def heard(stream_id: str, seconds_ago: int, **more: object) -> None:
            at = NOW_MS - seconds_ago * 1_000
            times = {"sent_at": at, "received_at": at, "expires_at": NEVER_MS}
            store.put(
                "chat.messages.v1", line("w", f"{stream_id}-{at}", stream_id=stream_id, **times, **more)
            )

        def silent() -> tuple[float | None, float | None]:
            names = ("pulse_streams_open", "pulse_streams_silent")
            opened, quiet = (registry.get_sample_value(name, {"platform": "twitch"}) for name in names)
            return opened, quiet

        assert silent() == (None, None)
        heard("running", -3_600)
        heard("lost", 40)
        heard("forgotten", 7 * 3_600)
        heard("ended", 50, kind="heartbeat", text="", author="", closing=True)
        assert silent() == (2, 1)
        heard("lost", -3_600)
        assert silent() == (2, 0)


def test_a_store_that_does_not_answer_costs_only_its_own_samples() -> None:
    def busy(_sql: str) -> list[dict[str, object]]:
        raise StoreBusyError("all reading clients are in use")

    registry = CollectorRegistry()
    SinkMetrics(registry)
    StreamStates(busy, registry)
    names = exported(generate_latest(registry).decode())
    assert "pulse_sink_stalled" in names
    assert "pulse_streams_silent" not in names
