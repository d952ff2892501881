"""Both operators of job `detect` in a row: waves come out as they do offline, restarts included."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pyflink.common import Row

from connectors.replay import recorded_records
from connectors.simulator.generator import simulate
from connectors.simulator.recording import encode_lines
from connectors.simulator.scenario import Scenario
from infra.cli.recorded_detection import PSEUDONYMS, RUN_ID, STARTED_AT_MS, RecordedDetection
from pipelines.flink import wave_function
from pipelines.flink.detect_function import SEPARATOR, DetectFunction
from pipelines.flink.wave_function import WAVES, WaveFunction, read_key
from schemas.codecs import encode
from schemas.records import Alert, ChatMessage

CHANNELS = ("one_en", "two_en", "three_en", "four_en")
SCENARIO = Scenario.model_validate(
    {
        "name": "campaign",
        "length_s": 420,
        "channels": [
            {"name": name, "language": "en", "rate_per_s": 0.6, "regulars": 40} for name in CHANNELS
        ],
        "events": [
            {"kind": "wave", "channels": list(CHANNELS), "start_s": 260, "accounts": [4, 5], "ramp_s": 20}
        ],
    }
)


class Operator:
    """An operator with Flink's state of each key, which outlives its instances."""

    def __init__(self, kind: type[DetectFunction] | type[WaveFunction]) -> None:
        self._kind = kind
        self._values: dict[Any, dict[str, Any]] = {}
        self._key: Any = None
        self._timer: Any = None
        self.restart()

    def restart(self) -> None:
        """As after a crash: what was in memory is gone."""
        self._instance = self._kind()
        self._instance.open(self)  # type: ignore[arg-type]

    def get_state(self, descriptor: Any) -> Any:
        name = descriptor.name
        return SimpleNamespace(
            value=lambda: self._of_key().get(name),
            update=lambda value: self._of_key().update({name: value}),
            clear=lambda: self._of_key().pop(name, None),
        )

    def get_list_state(self, descriptor: Any) -> Any:
        def entries() -> list[Any]:
            return self._of_key().setdefault(descriptor.name, [])  # type: ignore[no-any-return]

        return SimpleNamespace(
            get=lambda: list(entries()), add=lambda e: entries().append(e), clear=lambda: entries().clear()
        )

    def take(self, key: Any, row: Row) -> list[Row]:
        self._key = key
        return list(self._instance.process_element(row, self._context()))

    def pass_time(self) -> list[Row]:
        """Fire the timer of every key."""
        found: list[Row] = []
        for key in list(self._values):
            self._key = key
            found += self._instance.on_timer(0, self._context())
        return found

    def _of_key(self) -> dict[str, Any]:
        return self._values.setdefault(self._key, {})

    def _context(self) -> Any:
        return SimpleNamespace(
            get_current_key=lambda: self._key,
            timer_service=lambda: SimpleNamespace(
                current_processing_time=lambda: 0, register_processing_time_timer=lambda _: None
            ),
        )


def records(path: Path) -> list[ChatMessage]:
    return list(
        recorded_records(
            [path],
            run_id=RUN_ID,
            started_at_ms=STARTED_AT_MS,
            pseudonyms=PSEUDONYMS,
            dead_letter=lambda _: None,
            now_ms=lambda: STARTED_AT_MS,
        )
    )


def live(path: Path, monkeypatch: pytest.MonkeyPatch, *, restart_every: int = 10**9) -> list[Alert]:
    """The closed alerts of both operators, each channel a bucket of its own that runs at its own pace."""
    clock = [STARTED_AT_MS]
    monkeypatch.setattr(wave_function, "_now_ms", lambda: clock[0])
    by_channel: dict[str, list[bytes]] = {}
    for record in records(path):
        by_channel.setdefault(record.channel, []).append(b"m" + encode(record))
    queues = {
        bucket: [texts[at : at + 60 + 40 * bucket] for at in range(0, len(texts), 60 + 40 * bucket)]
        for bucket, texts in enumerate(by_channel.values())
    }
    detect, wave = Operator(DetectFunction), Operator(WaveFunction)
    found: list[Row] = []
    step = 0
    while any(queues.values()):
        for bucket, queue in queues.items():
            rows = detect.take(bucket, Row(bucket, SEPARATOR.join(queue.pop(0)))) if queue else []
            for row in rows:
                told = Row(row[1], row[2])
                found += wave.take(read_key(told), told) if row[0] == WAVES else [row]
            step += 1
            if step % restart_every == 0:
                detect.restart()
                wave.restart()
        clock[0] += 1_000
    clock[0] += 10_000
    found += wave.pass_time()
    alerts = [msgspec.json.decode(row[2], type=Alert) for row in found if row[0] == "pulse.alerts.v1"]
    return [alert for alert in alerts if alert.state == "closed"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("waves") / "campaign.jsonl.gz"
    path.write_bytes(gzip.compress(encode_lines(simulate(SCENARIO, 4).lines)))
    return path


@pytest.mark.parametrize("restart_every", [10**9, 3])
def test_the_job_tells_the_waves_that_the_offline_run_tells(
    recording: Path, restart_every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = [
        found.alert for found in RecordedDetection([recording], None, refused=lambda _: None).episodes()
    ]
    (wave,) = [alert for alert in offline if alert.kind == "attack.wave"]
    assert len(wave.channels) == len(CHANNELS)

    def order(alert: Alert) -> tuple[str, str, int]:
        return alert.kind, alert.stream_id, alert.started_at

    found = live(recording, monkeypatch, restart_every=restart_every)
    assert sorted(found, key=order) == sorted(offline, key=order)
