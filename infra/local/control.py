"""Start and stop a local stack from another process: what `pulse up`, `down` and `demo` do."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from infra.local import ports, process, state
from infra.local.blueprint import Blueprint, blueprint
from infra.local.jars import ensure_jars
from infra.local.logs import tail
from infra.local.settings import Stack
from infra.local.state import StackState
from infra.local.supervisor import clear_leftovers

POLL_S = 0.2
STOP_BOUND_S = 180.0
FIRST_SIGN_BOUND_S = 20.0

Report = Callable[[StackState], None]


class StackError(RuntimeError):
    """The stack did not come up or go down; the text says which part and what to do."""


class StateRefusedError(StackError):
    """Flink cannot restore the state of a job with the code as it is now."""


@dataclass(frozen=True)
class StartOptions:
    """How to start.

    Attributes:
        only: Parts to start; empty: all of them.
        fresh: Drop the jobs' checkpoints and begin with the topics' oldest records.
        allow_non_restored: Restore, dropping state that no operator claims any more.
    """

    only: tuple[str, ...] = ()
    fresh: bool = False
    allow_non_restored: bool = False


def running(stack: Stack) -> StackState | None:
    """The state of the stack where its supervisor runs, else None."""
    found = state.read(stack.run)
    return found if state.supervisor_alive(found) else None


def start(stack: Stack, options: StartOptions, report: Report) -> StackState:
    """Start the supervisor and wait until everything is healthy; `report` sees each change.

    Raises:
        StackError: A port is taken, or a part fails again and again (the supervisor goes on trying).
        StateRefusedError: A job's state does not fit the code.
        ValueError: `only` names something that is no part.
    """
    plan = blueprint(stack, options.only)
    stack.make_folders()
    ensure_jars(stack)
    with _transition(stack):
        supervisor = running(stack) or _launch(stack, options, plan)
    for current in follow(stack, supervisor):
        report(current)
        if problem := _hopeless(stack, current):
            raise problem
        if current.ready:
            return current
    raise StackError(f"the supervisor ended:\n{tail(stack.logs / 'supervisor.log')}")


def follow(stack: Stack, supervisor: StackState) -> Iterator[StackState]:
    """The supervisor's state each time that it changes, until it ends."""
    last: StackState | None = None
    while state.supervisor_alive(supervisor):
        current = state.read(stack.run)
        if current is not None and current != last:
            last = current
            yield current
        time.sleep(POLL_S)


def stop(stack: Stack, report: Report | None = None) -> bool:
    """End the stack and wait until no process of it is left; False where none ran.

    Raises:
        StackError: A process survives SIGKILL.
    """
    current = running(stack)
    if current is not None:
        supervisor = psutil.Process(current.pid)
        supervisor.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_BOUND_S
        while state.supervisor_alive(current) and time.monotonic() < deadline:
            if report and (seen := state.read(stack.run)):
                report(seen)
            time.sleep(POLL_S)
        if state.supervisor_alive(current):
            supervisor.kill()
    stack.make_folders()
    with _transition(stack):
        if running(stack) is not None:  # a new one came up meanwhile: not ours to end
            return True
        left = process.members(stack.home)
        try:
            clear_leftovers(stack)
        except RuntimeError as error:
            raise StackError(str(error)) from error
    return current is not None or bool(left)


@contextlib.contextmanager
def _transition(stack: Stack) -> Iterator[None]:
    """Held by who launches or clears up, so that nobody takes a starting stack for leftovers."""
    with (stack.run / "transition.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _launch(stack: Stack, options: StartOptions, plan: Blueprint) -> StackState:
    """Start the supervisor; returns its first sign."""
    clear_leftovers(stack)
    wanted = {name: number for part in plan.parts for name in part.ports if (number := stack.ports.get(name))}
    if taken := ports.taken(wanted):
        lines = "; ".join(map(str, taken))
        raise StackError(f"{lines}. End that process, or choose other ports with PULSE_PORT_BASE.")
    command = [sys.executable, "-m", "infra.local.supervisor", "--only", ",".join(options.only)]
    command += ["--fresh"] if options.fresh else []
    command += ["--allow-non-restored"] if options.allow_non_restored else []
    with (stack.logs / "supervisor.log").open("ab") as log:
        launched = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | stack.environment(),
            start_new_session=True,
        )
    deadline = time.monotonic() + FIRST_SIGN_BOUND_S
    while launched.poll() is None and time.monotonic() < deadline:
        current = state.read(stack.run)
        if current is not None and current.pid == launched.pid:
            return current
        time.sleep(POLL_S)
    raise StackError(f"the supervisor did not start:\n{tail(stack.logs / 'supervisor.log')}")


def _hopeless(stack: Stack, current: StackState) -> StackError | None:
    for part in current.parts.values():
        if part.state == "failing":
            log = stack.logs / f"{part.name}.log"
            return StackError(f"{part.name} {part.last_failure}. The end of {log}:\n{tail(log)}")
    refused = [job for job in current.jobs.values() if job.state == "refused"]
    if refused:
        return StateRefusedError("\n".join(f"job {job.name}: {job.problem}" for job in refused))
    for job in current.jobs.values():
        if job.submissions >= stack.settings.failures_to_report and job.problem:
            return StackError(f"job {job.name} cannot be submitted: {job.problem}")
    return None


def part_names(values: Sequence[str]) -> tuple[str, ...]:
    """Part names out of repeated options and commas."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())
