"""The supervisor: one process that starts the parts side by side, watches them and takes them down.

`python -m infra.local.supervisor` runs it; `pulse up` starts it detached and `pulse down` ends it by
SIGTERM. All that it knows is in `run/state.json`.
"""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from infra.local import checkpoints, json_logs, logs, process, state
from infra.local.blueprint import Blueprint, blueprint
from infra.local.jobs import Jobs
from infra.local.settings import Stack
from infra.local.state import StackState
from infra.local.watch import Watch

log = logging.getLogger(__name__)

SAMPLE_S = 10.0
"""Between two looks at memory and log sizes."""

SWEEP_GRACE_S = 5.0


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds the lock of this stack."""


class Supervisor:
    """Runs one stack from `run` until `stop_requested` is set."""

    def __init__(self, stack: Stack, plan: Blueprint, *, fresh: bool = False) -> None:
        self.stop_requested = asyncio.Event()
        self._stack = stack
        self._fresh = fresh
        pid, created = state.own_identity()
        began = time.time()
        self._watches = {part.name: Watch(part, stack, self._write, began=began) for part in plan.parts}
        self._jobs = Jobs(plan.jobs, stack, plan.submission, self._write, began=began)
        self._state = StackState(
            pid=pid,
            created=created,
            started_at=began,
            parts={name: watch.state for name, watch in self._watches.items()},
            jobs=self._jobs.states,
        )

    async def run(self) -> None:
        """Clear leftovers, start everything, wait for the order to stop, take everything down."""
        await asyncio.to_thread(clear_leftovers, self._stack)
        if self._fresh:
            for name in self._jobs.states:
                checkpoints.forget(self._stack.checkpoints, name)
        self._write()
        tasks = [
            asyncio.create_task(watch.run([self._watches[n] for n in watch.part.needs if n in self._watches]))
            for watch in self._watches.values()
        ]
        if self._jobs.states:
            healthy = {name: watch.healthy for name, watch in self._watches.items()}
            needs = [healthy[name] for name in ("kafka", "taskmanager", "topics") if name in healthy]
            jobmanager = healthy.get("jobmanager", _always())
            tasks.append(asyncio.create_task(self._jobs.run(jobmanager, needs)))
        tasks.append(asyncio.create_task(self._sample()))
        order = asyncio.create_task(self.stop_requested.wait())
        finished, _ = await asyncio.wait([*tasks, order], return_when=asyncio.FIRST_COMPLETED)
        while order not in finished:
            for task in finished:
                tasks.remove(task)  # type: ignore[arg-type]
                if task.exception() is not None:
                    log.critical("the supervisor itself failed", exc_info=task.exception())
                    self.stop_requested.set()
            finished, _ = await asyncio.wait([*tasks, order], return_when=asyncio.FIRST_COMPLETED)
        await self._stop(tasks)

    async def _stop(self, tasks: Sequence["asyncio.Task[object]"]) -> None:
        """Jobs first (their last checkpoint needs everything), Kafka last (everything else needs it)."""
        log.info("stopping")
        self._state.stopping = True
        self._write()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._jobs.states:
            await self._jobs.stop()
        last = [watch for name, watch in self._watches.items() if name == "kafka"]
        await asyncio.gather(*(watch.stop() for watch in self._watches.values() if watch not in last))
        await asyncio.gather(*(watch.stop() for watch in last))
        await asyncio.to_thread(clear_leftovers, self._stack)
        self._write()
        log.info("stopped")

    async def _sample(self) -> None:
        """Memory per part, and the size of the logs."""
        while True:
            await asyncio.sleep(SAMPLE_S)
            sums = await asyncio.to_thread(memory, self._stack, self._state)
            for name, mb in sums.items():
                if name in self._state.parts:
                    part = self._state.parts[name]
                    part.pss_mb = mb
                    part.pss_peak_mb = max(part.pss_peak_mb, mb)
            await asyncio.to_thread(logs.rotate, self._stack.logs, self._stack.settings.log_megabytes)
            self._write()

    def _write(self) -> None:
        state.write(self._stack.run, self._state)


def _always() -> asyncio.Event:
    """For a part that is not ours to watch."""
    event = asyncio.Event()
    event.set()
    return event


def memory(stack: Stack, known: StackState) -> dict[str, float]:
    """Summed PSS of each part's processes in MB (2**20 bytes), the supervisor included."""
    sums: dict[str, float] = {}
    sessions = {part.pid: name for name, part in known.parts.items() if part.pid}
    for member, part in process.members(stack.home, sessions).items():
        sums[part] = sums.get(part, 0.0) + process.pss_bytes(member) / 2**20
    return {name: round(value, 1) for name, value in sums.items()}


def clear_leftovers(stack: Stack) -> None:
    """End processes of an earlier supervisor of this stack that was killed, and of no other.

    Raises:
        RuntimeError: Some of them survive SIGKILL.
    """
    last = state.read(stack.run)
    sessions = {}
    if last is not None and last.created > psutil.boot_time():
        sessions = {
            part.pid: part.name
            for part in last.parts.values()
            if part.pid and process.started(part.pid) in (None, part.created)
        }
    left = process.members(stack.home, sessions)
    if left:
        log.warning("ending leftovers: %s", ", ".join(f"{p} {m.pid}" for m, p in left.items()))
    if stubborn := process.end(left, SWEEP_GRACE_S):
        raise RuntimeError(f"these processes survive SIGKILL: {', '.join(str(p.pid) for p in stubborn)}")


@contextlib.contextmanager
def lock(run: Path) -> Iterator[None]:
    """Hold the stack's lock; it goes with the process, however that ends.

    Raises:
        AlreadyRunningError: Another process holds it.
    """
    file = os.open(run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise AlreadyRunningError(f"a supervisor of {run.parent} runs already") from None
    try:
        yield
    finally:
        os.close(file)


async def _serve(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop_requested.set)
    await supervisor.run()


async def _main(only: Sequence[str], *, fresh: bool, allow_non_restored: bool) -> None:
    stack = Stack()
    plan = blueprint(stack, only, allow_non_restored=allow_non_restored)
    await _serve(Supervisor(stack, plan, fresh=fresh))


def main() -> None:
    """Parse the command line and run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="parts, separated by commas; empty: all of them")
    parser.add_argument("--fresh", action="store_true", help="drop the jobs' state")
    parser.add_argument("--allow-non-restored", action="store_true", help="drop unclaimed state")
    arguments = parser.parse_args()
    json_logs.configure("supervisor")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    stack = Stack()
    stack.make_folders()
    with lock(stack.run):
        asyncio.run(
            _main(
                [name for name in arguments.only.split(",") if name],
                fresh=arguments.fresh,
                allow_non_restored=arguments.allow_non_restored,
            )
        )


if __name__ == "__main__":
    main()
