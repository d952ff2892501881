"""Finding the processes of a running stack and ending them by SIGKILL."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from infra.local import control, process
from infra.local.checkpoints import under_way
from infra.local.settings import Stack

BOUND_S = 300.0
FAILPOINT = "sink.between_insert_and_commit"
PARTS = ("taskmanager", "jobmanager", "kafka", "store")

T = TypeVar("T")


def wait_for(ask: Callable[[], T | None], what: str, *, every_s: float = 0.2) -> T:
    """The first answer that says something; OSError and a server that is gone count as none."""
    deadline = time.monotonic() + BOUND_S
    while time.monotonic() < deadline:
        try:
            answer = ask()
        except (OSError, httpx.HTTPError):
            answer = None
        if answer:
            return answer
        time.sleep(every_s)
    raise AssertionError(f"{what}: not within {BOUND_S:.0f} s")


class Replaying:
    """`pulse replay` as a process, killed and resumed."""

    def __init__(self, stack: Stack, arguments: list[str], run_id: str) -> None:
        self._environment = os.environ | stack.environment()
        self._run_id = run_id
        self._folder = stack.run / "replay"
        self._log = stack.logs / "replay-in-test.log"
        self._process = self._start([*arguments, "--run-id", run_id])

    def sent(self) -> int:
        """Records that Kafka has, as the replay wrote down; 0 before the first."""
        state = self._folder / f"{self._run_id}.json"
        return int(json.loads(state.read_bytes())["next_record"]) if state.exists() else 0

    def kill_and_resume(self) -> bool:
        """SIGKILL, then go on as a person would; False where the replay was over already."""
        if self._process.poll() is not None:
            return False
        self._process.kill()
        self._process.wait()
        self._process = self._start(["--resume", self._run_id])
        return True

    def finish(self) -> None:
        """Wait for its end."""
        assert self._process.wait(BOUND_S * 3) == 0, self._log.read_text()[-2_000:]

    def end(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait()

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).parent / "pulse"), "replay", *arguments]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)


class Victims:
    """Kills by name; each call returns once the process is dead."""

    def __init__(self, stack: Stack, replaying: Replaying) -> None:
        self._stack = stack
        self._replaying = replaying
        self._failpoints = stack.home / "failpoints"
        self._failpoints.mkdir(exist_ok=True)
        self.struck: list[str] = []

    def kill(self, victim: str) -> None:
        """End one victim of `kill_schedule.VICTIMS`."""
        if victim == "connector":
            struck = self._replaying.kill_and_resume()
        elif victim == "replica":
            struck = self._kill(wait_for(self._replica, "a replica of the model"))
        elif victim == "store.between_insert_and_commit":
            file = self._failpoints / FAILPOINT
            file.touch()
            struck = wait_for(lambda: not file.exists(), "an insert")
        elif victim == "taskmanager.during_checkpoint":
            wait_for(self._checkpointing, "a checkpoint in progress", every_s=0.005)
            struck = self._kill(self._main("taskmanager"))
        else:
            struck = self._kill(wait_for(lambda: self._main(victim), f"a running {victim}"))
        if struck:
            self.struck.append(victim)

    def _main(self, part: str) -> psutil.Process | None:
        state = control.running(self._stack)
        assert state is not None, "the supervisor is gone"
        found = state.parts[part]
        return psutil.Process(found.pid) if found.state == "up" and psutil.pid_exists(found.pid) else None

    def _replica(self) -> psutil.Process | None:
        state = control.running(self._stack)
        assert state is not None, "the supervisor is gone"
        sessions = {state.parts["ray"].pid: "ray"} if state.parts["ray"].pid else {}
        for member in process.members(self._stack.home, sessions):
            try:
                if "ServeReplica" in " ".join(member.cmdline()):
                    return member
            except psutil.Error:
                continue
        return None

    def _checkpointing(self) -> bool:
        state = control.running(self._stack)
        if state is None or self._main("taskmanager") is None or state.jobs["score"].state != "RUNNING":
            return False
        return under_way(self._stack.checkpoints, "score", state.jobs["score"].job_id)

    def _kill(self, victim: psutil.Process | None) -> bool:
        if victim is None:
            return False
        try:
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(20)
        except (psutil.Error, ProcessLookupError):
            return not victim.is_running()
        return True
