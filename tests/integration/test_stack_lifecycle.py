"""The supervisor on the real parts: what dies comes back, what stops leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from infra.local import control, process, state
from infra.local.checkpoints import newest
from infra.local.control import StartOptions
from infra.local.settings import ROOT, Stack

pytestmark = pytest.mark.stack

BOUND_S = 180.0


def wait_for(what: str, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {BOUND_S:.0f} s"
        time.sleep(0.2)


def pulse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def ready(stack: Stack) -> state.StackState | None:
    known = control.running(stack)
    return known if known is not None and known.ready else None


def test_status_tells_every_part_and_job(stack):
    told = pulse("status", "--json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert set(found["stack"]["parts"]) == {"kafka", "jobmanager", "taskmanager", "topics", "ray", "store"}
    assert {name: job["state"] for name, job in found["stack"]["jobs"].items()} == {
        "score": "RUNNING",
        "detect": "RUNNING",
    }
    assert 500 < found["total_pss_mb"] < 4096


def test_a_second_up_changes_nothing(stack):
    before = control.running(stack)
    told = pulse("up")
    assert told.returncode == 0
    assert "already" in told.stderr
    assert control.running(stack).pid == before.pid


def test_doctor_finds_nothing_bad(stack):
    told = pulse("doctor")
    assert told.returncode == 0, told.stdout


@pytest.mark.kill
def test_a_killed_jobmanager_gets_its_jobs_back_from_their_checkpoints(stack):
    wait_for(
        "checkpoints of the jobs as they run now",
        lambda: (
            (s := ready(stack))
            and all(str(job.job_id) in str(newest(stack.checkpoints, name)) for name, job in s.jobs.items())
        ),
    )
    before = ready(stack)
    os.kill(before.parts["jobmanager"].pid, signal.SIGKILL)
    wait_for(
        "the jobs",
        lambda: (s := ready(stack)) and s.parts["jobmanager"].pid != before.parts["jobmanager"].pid,
    )
    after = ready(stack)
    for name, job in after.jobs.items():
        assert f"/{name}/{before.jobs[name].job_id}/chk-" in job.restored_from
        assert job.submissions == before.jobs[name].submissions + 1


@pytest.mark.kill
def test_a_killed_supervisor_leaves_nothing_that_the_next_up_does_not_clear(stack):
    before = ready(stack)
    os.kill(before.pid, signal.SIGKILL)
    wait_for("its end", lambda: control.running(stack) is None)
    told = pulse("up")
    assert told.returncode == 0, told.stderr
    after = ready(stack)
    assert after.pid != before.pid
    assert all(job.restored_from for job in after.jobs.values())
    assert not any(psutil.pid_exists(part.pid) for part in before.parts.values() if part.pid)


@pytest.mark.kill
def test_down_leaves_no_process_and_up_goes_on(stack):
    told = pulse("down")
    assert told.returncode == 0, told.stderr
    assert process.members(stack.home) == {}
    assert pulse("status").returncode == 3
    control.start(stack, StartOptions(), report=lambda _: None)
    assert all(job.restored_from for job in ready(stack).jobs.values())
