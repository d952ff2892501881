"""The detect operator on its own: engines come back from Flink's state as they were."""

import copy
import random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pyflink.common import Row

from connectors.core.pseudonyms import Pseudonyms
from connectors.replay import recorded_records
from infra.cli.demo import BUNDLED
from pipelines.flink import detect_function
from pipelines.flink.detect_function import SEPARATOR, DetectFunction
from pipelines.flink.wave_function import WAVES
from schemas.codecs import encode
from schemas.records import Alert

BUCKET = 5
TICK_RECORDS = 200


CONTEXT: Any = SimpleNamespace(
    get_current_key=lambda: BUCKET,
    timer_service=lambda: SimpleNamespace(
        current_processing_time=lambda: 0, register_processing_time_timer=lambda _: None
    ),
)


class KeptState:
    """Flink's state of one key: it outlives the operator's instances."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get_state(self, descriptor: Any) -> Any:
        name = descriptor.name
        return SimpleNamespace(
            value=lambda: self.values.get(name), update=lambda value: self.values.update({name: value})
        )

    def get_list_state(self, descriptor: Any) -> Any:
        entries = self.values.setdefault(descriptor.name, [])
        return SimpleNamespace(get=lambda: list(entries), add=entries.append, clear=entries.clear)


def gathered() -> list[bytes]:
    """The bundled recording as the rows that the JVM hands over."""
    records = recorded_records(
        [BUNDLED],
        run_id="r",
        started_at_ms=1_893_456_000_000,
        pseudonyms=Pseudonyms("k", bytes(32), "replay"),
        dead_letter=lambda _: None,
        now_ms=lambda: 1_893_456_000_000,
        limit=3_000,
    )
    texts = [b"m" + encode(record) for record in records]
    return [SEPARATOR.join(texts[at : at + TICK_RECORDS]) for at in range(0, len(texts), TICK_RECORDS)]


def run(rows: list[bytes], crashes: set[int]) -> list[Row]:
    state = KeptState()
    operator = DetectFunction()
    operator.open(state)  # type: ignore[arg-type]
    found: list[Row] = []
    for number, row in enumerate(rows):
        if number in crashes:
            operator = DetectFunction()
            operator.open(state)  # type: ignore[arg-type]
        found += operator.process_element(Row(BUCKET, row), CONTEXT)
        found += operator.on_timer(0, CONTEXT)
    # how far the streams have come is told again after a crash, which does no harm
    return [row for row in found if row[0] != WAVES]


@pytest.mark.parametrize("log_bytes", [0, 20_000, 10**9])
def test_a_restored_engine_goes_on_as_if_nothing_had_happened(
    log_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect_function, "LOG_BYTES", log_bytes)
    monkeypatch.setattr(detect_function.time, "time_ns", lambda: 1_893_456_000_000 * 10**6)
    rows = gathered()
    undisturbed = run(rows, crashes=set())
    assert {row[0] for row in undisturbed} == {"pulse.alerts.v1", "pulse.activity.v1"}
    assert run(rows, crashes=set(random.Random(7).sample(range(len(rows)), 6))) == undisturbed


@pytest.mark.parametrize("crash", [False, True])
def test_a_blind_stream_is_remembered_over_a_crash(crash: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = [1_893_456_000_000]
    monkeypatch.setattr(detect_function.time, "time_ns", lambda: now_ms[0] * 10**6)
    first, second = gathered()[:2]
    state = KeptState()
    operator = DetectFunction()
    operator.open(state)  # type: ignore[arg-type]
    found = [*operator.process_element(Row(BUCKET, first), CONTEXT), *operator.on_timer(0, CONTEXT)]
    now_ms[0] += 60_000
    found += operator.on_timer(0, CONTEXT)
    if crash:
        operator = DetectFunction()
        operator.open(state)  # type: ignore[arg-type]
    found += [*operator.process_element(Row(BUCKET, second), CONTEXT), *operator.on_timer(0, CONTEXT)]
    alerts = [msgspec.json.decode(row[2], type=Alert) for row in found if row[0] == "pulse.alerts.v1"]
    told: dict[str, list[tuple[str, int]]] = {}
    for alert in alerts:
        if alert.kind == "blind":
            told.setdefault(alert.alert_id, []).append((alert.state, alert.revision))
    assert [("open", 1), ("closed", 2)] in told.values()
    assert all(states[0] == ("open", 1) and len(states) <= 2 for states in told.values())


def test_a_timer_that_tells_nothing_writes_nothing() -> None:
    state = KeptState()
    operator = DetectFunction()
    operator.open(state)  # type: ignore[arg-type]
    list(operator.process_element(Row(BUCKET, gathered()[0]), CONTEXT))
    before = copy.deepcopy(state.values)
    list(operator.on_timer(0, CONTEXT))
    assert state.values == before


def test_a_clock_that_is_set_back_stops_no_timer() -> None:
    now_ms, asked = [50_400], []
    context: Any = SimpleNamespace(
        get_current_key=lambda: BUCKET,
        timer_service=lambda: SimpleNamespace(
            current_processing_time=lambda: now_ms[0], register_processing_time_timer=asked.append
        ),
    )
    operator = DetectFunction()
    operator.open(KeptState())  # type: ignore[arg-type]
    row = Row(BUCKET, gathered()[0])
    for now_ms[0] in (50_400, 50_900, 2_300):
        list(operator.process_element(row, context))
    assert asked == [51_000, 3_000]
