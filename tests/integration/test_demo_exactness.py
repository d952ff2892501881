"""`pulse demo` on the running stack: exact with garbage in it, and interrupted at any time."""

import base64
import gzip
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.cli.demo import BUNDLED
from infra.local import control, process
from infra.local.acceptance.api_rows import ApiRows
from infra.local.acceptance.recording import read_recording
from infra.local.acceptance.stored import of_run
from infra.local.settings import Stack
from tests.integration.commands import PULSE, chat, drained_demo, pulse, recording
from tests.integration.conftest import free_stack
from tests.integration.victims import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1_800)]

GARBAGE = {
    b"not json at all": "not_json",
    b'{"stream": "mixed/1", "offset_ms": 1}': "missing_field",
    b'{"stream": "mixed/1", "offset_ms": "soon", "author": "a", "text": "t"}': "wrong_type",
    b'{"stream": "mixed/1", "offset_ms": -5, "author": "a", "text": "t"}': "absurd_time",
    b"\xff\xfe\x00": "not_json",
}


def mixed(path: Path) -> Path:
    """Good lines of two channels, with garbage, an empty text and a blank line between them."""
    lines: list[dict[str, object] | bytes] = []
    for number in range(200):
        lines.append(
            chat("mixed/1", number * 150, f"user{number % 23}", f"what a great moment number {number}")
        )
        lines.append(chat("other/1", number * 90, f"user{number % 7}", f"это просто ужас, выпуск {number}"))
    lines[50:50] = list(GARBAGE)
    lines[90:90] = [b"", chat("mixed/1", 6_000, "quiet", "")]
    return recording(path, lines)


def test_every_line_is_stored_once_or_a_dead_letter_with_its_bytes(stack: Stack, tmp_path: Path) -> None:
    path = mixed(tmp_path / "mixed.jsonl")
    found = drained_demo(path, report=tmp_path / "report.json")
    assert (found["lost"], found["duplicates"], found["exact"]) == (0, 0, True)
    assert found["input_lines"] == 401 + len(GARBAGE)
    assert found["tables"]["messages"] == 401
    assert found["dead_letters"] == len(GARBAGE)
    assert found["latency_ms"]["sent_to_queryable"]["count"] == 401
    assert found["peak_memory_mb"]["sum"] > 500
    assert set(found["start_up_s"]) >= {"kafka", "taskmanager", "ray", "store", "job score", "job detect"}
    letters = ApiRows(stack)(
        "SELECT base64Encode(raw) AS raw, error_class FROM dead_letters "
        f"WHERE startsWith(dlq_id, '{found['run_id']}/')"
    )
    assert {base64.b64decode(row["raw"]): row["error_class"] for row in letters} == GARBAGE
    assert control.running(stack) is not None, "the demo has stopped a stack that it had not started"


def test_a_second_run_of_the_same_file_is_exact_by_itself(stack: Stack, tmp_path: Path) -> None:
    path = mixed(tmp_path / "mixed.jsonl")
    first = drained_demo(path, report=tmp_path / "first.json")
    second = drained_demo(path, report=tmp_path / "second.json")
    assert first["run_id"] != second["run_id"]
    assert second["exact"]
    (row,) = ApiRows(stack)(
        f"SELECT count() AS lines FROM messages WHERE {of_run('default', first['run_id'])} "
        f"OR {of_run('default', second['run_id'])}"
    )
    assert row["lines"] == 2 * 401


def test_the_bundled_recording_is_exact_and_raises_its_alerts(stack: Stack, tmp_path: Path) -> None:
    found = drained_demo(BUNDLED, report=tmp_path / "report.json")
    assert found["exact"]
    assert {"attack.raid", "flood.account", "raid.friendly", "hype"} <= set(found["alerts"]["by_kind"])
    live = _live_episodes(ApiRows(stack), found["run_id"])
    assert [episode for episode in live if not episode[1].startswith("mood.")] == _offline_episodes()


Episode = tuple[str, str, str, int, int, int]
"""Stream, kind, severity, and start, detection and end in ms from the first line of the stream."""


def _live_episodes(rows: ApiRows, run_id: str) -> list[Episode]:
    """The job's alerts."""
    run = of_run("default", run_id)
    times = ", ".join(
        f"toUnixTimestamp64Milli(assumeNotNull({name})) - toUnixTimestamp64Milli(first) AS {name}_ms"
        for name in ("started_at", "detected_at", "ended_at")
    )
    found = rows(
        f"SELECT stream_id, kind, severity, {times} FROM alerts "
        f"JOIN (SELECT stream_id, min(sent_at) AS first FROM messages WHERE {run} GROUP BY stream_id) AS z "
        f"USING (stream_id) WHERE {run}"
    )
    return sorted(_episode(row | {"stream": row["stream_id"].partition("/")[2]}, first=0) for row in found)


def _offline_episodes() -> list[Episode]:
    """What `pulse detect` finds."""
    first: dict[str, int] = {}
    with gzip.open(BUNDLED, "rb") as lines:
        for line in map(json.loads, lines):
            first[line["stream"]] = min(line["offset_ms"], first.get(line["stream"], line["offset_ms"]))
    offline = pulse("detect", "--no-model", BUNDLED)
    assert offline.returncode == 0, offline.stderr
    found = map(json.loads, offline.stdout.splitlines())
    return sorted(_episode(row, first=first[row["stream"]]) for row in found)


def _episode(row: dict[str, Any], first: int) -> Episode:
    started, detected, ended = (
        int(row[name]) - first for name in ("started_at_ms", "detected_at_ms", "ended_at_ms")
    )
    return row["stream"], row["kind"], row["severity"], started, detected, ended


def test_ctrl_c_during_a_replay_leaves_the_stack_and_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    rows = ApiRows(stack)
    demo = subprocess.Popen([PULSE, "demo", "--speed", "20"], stderr=subprocess.PIPE, text=True)
    try:
        run_id = _run_id(demo)
        run = of_run("default", run_id)
        wait_for(lambda: rows(f"SELECT count() AS n FROM messages WHERE {run}")[0]["n"], "a first line")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(120) == 130
    finally:
        demo.kill()
        demo.communicate()
    assert control.running(stack) is not None
    resumed = pulse("replay", "--resume", run_id)
    assert resumed.returncode == 0, resumed.stderr
    lines = read_recording([BUNDLED]).lines
    wait_for(
        lambda: rows(f"SELECT countIf(scored) = {lines} AS all FROM messages WHERE {run}")[0]["all"],
        "all lines scored",
    )
    assert json.loads(resumed.stdout)["messages"] < lines, "the resumed replay began anew"


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_the_stack_starts_leaves_no_process(
    tmp_path: Path, signal_number: signal.Signals
) -> None:
    mine = free_stack(tmp_path / "home")
    environment = os.environ | mine.environment()
    demo = subprocess.Popen([PULSE, "demo"], stderr=subprocess.DEVNULL, env=environment)
    try:
        wait_for(lambda: _anything_up(mine), "a first part")
        assert process.members(mine.home)
        demo.send_signal(signal_number)
        assert demo.wait(180) == 130
    finally:
        demo.kill()
        demo.wait()
        left = process.members(mine.home)
        control.stop(mine)
    assert left == {}


def _anything_up(stack: Stack) -> bool:
    state = control.running(stack)
    return state is not None and any(part.state == "up" for part in state.parts.values())


def _run_id(demo: "subprocess.Popen[str]") -> str:
    assert demo.stderr is not None
    for line in demo.stderr:
        if " as run " in line:
            return line.split(" as run ")[1].strip(" .\n")
    raise AssertionError("the demo ended without naming its run")
