"""`pulse up | down | status | doctor` where nothing runs, and what they say about a stack that does."""

import json
import os
import time

import psutil
import pytest
from typer.testing import CliRunner

from infra.cli import stack as commands
from infra.local import doctor, state
from infra.local.control import StackError, StateRefusedError
from infra.local.settings import Stack
from infra.local.state import JobState, PartState, StackState


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("PULSE_PORT_BASE", "27300")
    Stack().make_folders()
    return tmp_path


def pretend(home, **changes) -> StackState:
    """A state file as a supervisor would leave it; this test's process stands for the supervisor."""
    known = StackState(
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        started_at=time.time(),
        parts={"store": PartState("store", state="up", since=time.time())},
    )
    for name, value in changes.items():
        setattr(known, name, value)
    state.write(home / "run", known)
    return known


def call(command, *arguments: str):
    return CliRunner().invoke(command, list(arguments))


def test_status_of_a_stack_that_is_down(home):
    told = call(commands.status)
    assert told.exit_code == 3
    assert "pulse up" in told.stdout


def test_status_as_json(home):
    pretend(home)
    told = call(commands.status, "--json")
    found = json.loads(told.stdout)
    assert told.exit_code == 0
    assert found["ready"] is True
    assert found["stack"]["parts"]["store"]["state"] == "up"


def test_status_of_an_unwell_part_names_the_problem(home):
    pretend(home, parts={"store": PartState("store", state="failing", problem="disk full")})
    told = call(commands.status)
    assert told.exit_code == 1
    assert "store: disk full" in told.stdout


def test_a_state_file_of_a_dead_supervisor_counts_as_down(home):
    pretend(home, created=1.0)
    assert call(commands.status).exit_code == 3


def test_up_when_up_says_so(home):
    pretend(home)
    told = call(commands.up)
    assert told.exit_code == 0
    assert "already" in told.stderr


def test_down_when_down_says_so(home):
    told = call(commands.down)
    assert told.exit_code == 0
    assert "was not up" in told.stderr


def test_up_with_an_unknown_part_is_a_usage_error(home):
    told = call(commands.up, "--only", "grafana")
    assert told.exit_code == 2
    assert "grafana" in told.stderr


def test_a_part_that_fails_is_reported_without_a_traceback(home, monkeypatch):
    def fail(*_):
        raise StackError("kafka ended with status 1. The end of kafka.log:\nno space left")

    monkeypatch.setattr(commands.control, "start", fail)
    told = call(commands.up)
    assert told.exit_code == 1
    assert "no space left" in told.stderr
    assert "Traceback" not in told.stderr


def test_state_that_does_not_fit_is_not_dropped_without_a_person_or_a_flag(home, monkeypatch):
    started = []

    def refuse(stack, options, report):
        started.append(options)
        raise StateRefusedError("job score: Cannot map checkpoint/savepoint state for operator 17")

    monkeypatch.setattr(commands.control, "start", refuse)
    told = call(commands.up)
    assert told.exit_code == 1
    assert "operator 17" in told.stderr
    assert "--allow-non-restored" in told.stderr
    assert "--fresh" in told.stderr
    assert len(started) == 1


def test_doctor_says_what_to_do_about_a_refused_job(home):
    pretend(home, jobs={"score": JobState("score", state="refused", problem="Cannot map")})
    findings = {finding.what: finding for finding in doctor.examine(Stack())}
    assert findings["job score"].level is doctor.Level.BAD
    assert "--allow-non-restored" in findings["job score"].advice


def test_doctor_tells_of_a_supervisor_that_died(home):
    pretend(home, created=1.0)
    findings = {finding.what: finding for finding in doctor.examine(Stack())}
    assert findings["stack"].level is doctor.Level.BAD
    assert "pulse up" in findings["stack"].advice


def test_doctor_mentions_recent_restarts(home):
    part = PartState("store", state="up", since=time.time(), restarts=2, last_failure="was ended by SIGKILL")
    pretend(home, parts={"store": part})
    findings = {finding.what: finding for finding in doctor.examine(Stack())}
    assert findings["store"].level is doctor.Level.HINT
    assert "SIGKILL" in findings["store"].says


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 1),
        ('openjdk version "21" 2023-09-19', 21),
        ("not java", None),
    ],
)
def test_java_version(text, version):
    assert doctor.java_version(text) == version
