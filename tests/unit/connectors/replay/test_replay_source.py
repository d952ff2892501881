import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.core.pseudonyms import Pseudonyms
from connectors.core.source import Batch, Record, SourceError
from connectors.core.testing import ManualClock, SourceConformance
from connectors.replay import RecordingError, recorded_records
from connectors.replay.run_state import RunState, RunStates
from connectors.replay.source import ReplaySource
from schemas.records import ChatMessage

PSEUDONYMS = Pseudonyms("k1", bytes(32), "replay")


def write(folder: Path, offsets: list[int], bad: bool = True) -> Path:
    path = folder / "chat.jsonl"
    lines = [
        json.dumps(
            {"stream": f"a{n % 2}/1", "offset_ms": offset, "author": f"user{n % 7}", "text": f"hi {n}"}
        )
        for n, offset in enumerate(offsets)
    ]
    path.write_text("\n".join([*lines, "not json"] if bad else lines))
    return path


def begin(
    folder: Path, path: Path, speed: float | None, clock: ManualClock, run_id: str = "run1"
) -> RunState:
    return RunStates(folder / "runs").begin(
        run_id,
        [path],
        workspace="default",
        started_at_ms=clock.now_ms(),
        speed=speed,
        limit=None,
        kid=PSEUDONYMS.kid,
    )


def source_of(folder: Path, state: RunState, clock: ManualClock, **options: Any) -> ReplaySource:
    return ReplaySource(state, RunStates(folder / "runs"), PSEUDONYMS, clock, **options)


async def drain(source: ReplaySource) -> list[Record]:
    records: list[Record] = []
    async for batch in source.batches():
        records.extend(batch.records)
        await source.acknowledge(batch.position)
    await source.close()
    return records


class TestConformanceAtFullSpeed(SourceConformance):
    speed: float | None = None

    @pytest.fixture(autouse=True)
    def _recording(self, tmp_path: Path) -> None:
        self._folder = tmp_path
        self._path = write(tmp_path, [n * 700 for n in range(1500)])
        self._clock = ManualClock()
        self._runs = 0

    def make(self, after: int | None) -> ReplaySource:
        self._runs += 1
        state = RunState(
            run_id="run1",
            workspace="default",
            files=begin(self._folder, self._path, self.speed, self._clock, f"r{self._runs}").files,
            started_at_ms=1_767_225_600_000,
            speed=self.speed,
            limit=None,
            kid="k1",
            next_record=after or 0,
        )
        return source_of(self._folder, state, self._clock)


class TestConformancePaced(TestConformanceAtFullSpeed):
    speed = 50.0


@pytest.mark.parametrize("speed", [None, 1.0, 20.0])
async def test_it_gives_what_recorded_records_gives(tmp_path: Path, speed: float | None) -> None:
    clock = ManualClock()
    path = write(tmp_path, [0, 10, 4000, 4100, 9000, 60_000])
    state = begin(tmp_path, path, speed, clock)
    live = await drain(source_of(tmp_path, state, clock))
    letters: list[Any] = []
    offline = list(
        recorded_records(
            [path],
            run_id="run1",
            started_at_ms=state.started_at_ms,
            pseudonyms=PSEUDONYMS,
            dead_letter=letters.append,
            heartbeat_step_ms=None if speed is None else int(1000 * speed),
        )
    )

    def undated(record: Any) -> Any:
        return msgspec.structs.replace(record, received_at=0)

    assert [undated(record) for record in live[1:]] == [undated(record) for record in offline]
    assert [letter.dlq_id for letter in letters] == [live[0].dlq_id]  # type: ignore[union-attr]


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_lines_are_handed_on_at_their_pace(tmp_path: Path, speed: float) -> None:
    clock = ManualClock()
    path = write(tmp_path, [0, 500, 8000, 8000, 20_000], bad=False)
    source = source_of(tmp_path, begin(tmp_path, path, speed, clock), clock)
    began = clock.now_ms()
    handed: list[tuple[int, float]] = []
    async for batch in source.batches():
        for record in batch.records:
            assert isinstance(record, ChatMessage)
            assert record.received_at == clock.now_ms()
            if record.kind == "message":
                handed.append((record.sent_at, (clock.now_ms() - began) * speed))
    await source.close()
    first = handed[0][0]
    assert [after for _, after in handed] == pytest.approx(
        [sent_at - first for sent_at, _ in handed], abs=speed * 5 + 1
    )


@pytest.mark.parametrize("speed", [None, 100.0])
@pytest.mark.parametrize("killed_after", [0, 1, 2])
async def test_a_killed_run_goes_on_with_the_same_records(
    tmp_path: Path, speed: float | None, killed_after: int
) -> None:
    clock = ManualClock()
    path = write(tmp_path, [n * 250 for n in range(300 if speed else 3000)])
    whole = [
        _id(record) for record in await drain(source_of(tmp_path, begin(tmp_path, path, speed, clock), clock))
    ]
    state = begin(tmp_path, path, speed, clock, "run2")
    killed = source_of(tmp_path, state, clock)
    seen: list[Record] = []
    batches: list[Batch] = []
    async for batch in killed.batches():
        batches.append(batch)
        seen.extend(batch.records)
        if len(batches) > killed_after:
            break
    if killed_after:
        await killed.acknowledge(batches[killed_after - 1].position)
    await killed.close()
    clock.advance(3600)
    resumed = RunStates(tmp_path / "runs").load("run2")
    assert resumed.next_record == (batches[killed_after - 1].position if killed_after else 0)
    assert not resumed.finished
    rest = await drain(source_of(tmp_path, resumed, clock))
    ids = [_id(record).replace("run2", "run1") for record in [*seen[: resumed.next_record], *rest]]
    assert ids == whole
    done = RunStates(tmp_path / "runs").load("run2")
    assert done.finished
    assert await drain(source_of(tmp_path, done, clock)) == []


def _id(record: Record) -> str:
    return record.message_id if isinstance(record, ChatMessage) else record.dlq_id  # type: ignore[union-attr]


async def test_a_run_that_was_not_acknowledged_is_not_finished(tmp_path: Path) -> None:
    clock = ManualClock()
    source = source_of(tmp_path, begin(tmp_path, write(tmp_path, [0, 1]), None, clock), clock)
    assert [batch async for batch in source.batches()]
    await source.close()
    assert not RunStates(tmp_path / "runs").load("run1").finished


async def test_an_absurd_recording_is_a_source_error(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "chat.jsonl"
    year = 366 * 24 * 3_600_000
    path.write_text(
        "\n".join(
            json.dumps({"stream": f"a/{n}", "offset_ms": year, "author": "u", "text": ""}) for n in range(60)
        )
    )
    source = source_of(tmp_path, begin(tmp_path, path, None, clock), clock)
    with pytest.raises(SourceError, match="milliseconds"):
        await drain(source)
    await source.close()


async def test_stop_ends_the_first_pass(tmp_path: Path) -> None:
    clock = ManualClock()
    path = write(tmp_path, list(range(1000)))
    source: ReplaySource
    read: list[int] = []

    def on_bytes(count: int) -> None:
        read.append(count)

    source = source_of(tmp_path, begin(tmp_path, path, None, clock), clock, on_bytes=on_bytes)
    source.stop()
    assert await drain(source) == []
    assert read == []


def test_another_key_is_refused(tmp_path: Path) -> None:
    clock = ManualClock()
    state = begin(tmp_path, write(tmp_path, [0]), None, clock)
    with pytest.raises(RecordingError, match="key has changed"):
        ReplaySource(state, RunStates(tmp_path / "runs"), Pseudonyms("k2", bytes(32), "replay"), clock)


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    clock = ManualClock()
    path = write(tmp_path, [0])
    begin(tmp_path, path, None, clock)
    with pytest.raises(RecordingError, match="--resume run1"):
        begin(tmp_path, path, None, clock)


@pytest.mark.parametrize("run_id", ["", "a/b", "../x", " ", "x" * 81])
def test_run_ids_are_file_names_without_a_slash(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(RecordingError, match="only letters"):
        begin(tmp_path, write(tmp_path, [0]), None, ManualClock(), run_id)


def test_an_unknown_run_names_those_that_are_known(tmp_path: Path) -> None:
    begin(tmp_path, write(tmp_path, [0]), None, ManualClock())
    with pytest.raises(RecordingError, match="known here: run1"):
        RunStates(tmp_path / "runs").load("run9")


def test_a_changed_file_cannot_be_resumed(tmp_path: Path) -> None:
    path = write(tmp_path, [0])
    begin(tmp_path, path, None, ManualClock())
    path.write_text("{}")
    with pytest.raises(RecordingError, match="has changed"):
        RunStates(tmp_path / "runs").load("run1")
    path.unlink()
    with pytest.raises(RecordingError, match="missing"):
        RunStates(tmp_path / "runs").load("run1")


def test_a_broken_state_file_is_told(tmp_path: Path) -> None:
    begin(tmp_path, write(tmp_path, [0]), None, ManualClock())
    (tmp_path / "runs" / "run1.json").write_text("{")
    with pytest.raises(RecordingError, match="cannot be read"):
        RunStates(tmp_path / "runs").load("run1")
