"""Kill -9 of anything, at seeded moments of a replay: each line is stored once, each window's sums are exact.

`--kills 20` is the long run; eight kills strike every part once, among them between insert and commit and
during a checkpoint.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.cli.replay import new_run_id
from infra.local.acceptance.api_rows import ApiRows
from infra.local.acceptance.backlog import Backlog
from infra.local.acceptance.drain import wait_until_drained
from infra.local.acceptance.exactness import check
from infra.local.acceptance.flow import FlowReader
from infra.local.acceptance.recording import read_recording
from infra.local.acceptance.stored import of_run
from infra.local.settings import Stack
from tests.conftest import shared_folder
from tests.integration.kill_schedule import Kill, schedule
from tests.integration.real_chat import length_ms, real_recording
from tests.integration.victims import Replaying, Victims, wait_for

LINES = 50_000
SECONDS_A_KILL = 15
STALL_S = 300.0


@pytest.mark.stack
@pytest.mark.kill
@pytest.mark.timeout(7_200)
def test_killing_anything_loses_and_doubles_nothing(
    stack: Stack, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills, seed = pytestconfig.getoption("--kills"), pytestconfig.getoption("--kill-seed")
    path = real_recording(tmp_path, shared_folder(), LINES)
    speed = length_ms(path) / 1000 / (kills * SECONDS_A_KILL)
    run_id = new_run_id()
    rows = ApiRows(stack)

    def arrived() -> int:
        (row,) = rows(f"SELECT count() AS lines FROM messages WHERE {of_run('default', run_id)}")
        return int(row["lines"])

    replaying = Replaying(stack, [str(path), "--speed", str(speed)], run_id)
    try:
        victims = Victims(stack, replaying)
        planned = schedule(kills, seed)
        with ThreadPoolExecutor(1) as beside:
            # the replay goes on while other parts are down, so its kills follow its own way
            connector = beside.submit(
                _kill_at, victims, [kill for kill in planned if kill.victim == "connector"], replaying.sent
            )
            _kill_at(victims, [kill for kill in planned if kill.victim != "connector"], arrived)
            connector.result()
        replaying.finish()
    finally:
        replaying.end()

    assert sorted(victims.struck) == sorted(kill.victim for kill in planned)
    recording = read_recording([path])
    assert recording.lines == LINES
    reader = FlowReader(
        rows, Backlog(stack.endpoints.kafka_bootstrap), workspace="default", run_id=run_id, lines=LINES
    )
    wait_until_drained(reader, LINES, stall_s=STALL_S, every_s=1.0)
    result = check(rows, recording, workspace="default", run_id=run_id)
    assert result.exact, result
    assert result.stored == LINES


def _kill_at(victims: Victims, kills: list[Kill], passed: Callable[[], int]) -> None:
    for kill in kills:
        wait_for(lambda at=kill.at: passed() >= at * LINES, f"{kill.at:.0%} of the lines")
        victims.kill(kill.victim)
