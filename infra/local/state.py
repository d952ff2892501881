"""What the supervisor tells the world: one JSON file, replaced as a whole."""

import os
from pathlib import Path

import msgspec
import psutil

FILE = "state.json"


class PartState(msgspec.Struct):
    """One part as the supervisor sees it.

    Attributes:
        state: waiting, starting, up, restarting, failing, done (a one-shot part) or stopped.
        pid: Of its main process; 0 where there is none.
        created: That process's start time (seconds since 1970), to tell it from a later one with its pid.
        since: When it came into this state.
        restarts: Starts after the first one.
        failures: Starts and deaths in a row without a healthy answer between them.
        problem: Why it is not up; empty while it is.
        last_failure: Why it was last restarted; empty where it never was.
        healthy_after_s: Seconds from the stack's start to the first healthy answer.
        pss_mb: Memory of it and its children, shared pages in equal parts; the newest sample and the peak.
    """

    name: str
    state: str = "waiting"
    address: str = ""
    pid: int = 0
    created: float = 0.0
    since: float = 0.0
    restarts: int = 0
    failures: int = 0
    problem: str = ""
    last_failure: str = ""
    healthy_after_s: float | None = None
    pss_mb: float = 0.0
    pss_peak_mb: float = 0.0


class JobState(msgspec.Struct):
    """One Flink job.

    Attributes:
        state: Flink's state of it, or waiting, submitting, refused (its state cannot be restored).
        restored_from: The checkpoint of the newest submission; empty where it began afresh.
    """

    name: str
    state: str = "waiting"
    job_id: str = ""
    since: float = 0.0
    submissions: int = 0
    problem: str = ""
    restored_from: str = ""
    running_after_s: float | None = None


class StackState(msgspec.Struct):
    """The whole stack; `stopping` while it is taken down."""

    pid: int
    created: float
    started_at: float
    stopping: bool = False
    parts: dict[str, PartState] = {}
    jobs: dict[str, JobState] = {}

    @property
    def ready(self) -> bool:
        """Every part answers and every job runs."""
        return all(p.state in ("up", "done") for p in self.parts.values()) and all(
            j.state == "RUNNING" for j in self.jobs.values()
        )


def write(run: Path, state: StackState) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    temporary = run / f"{FILE}.new"
    temporary.write_bytes(msgspec.json.encode(state))
    temporary.replace(run / FILE)


def read(run: Path) -> StackState | None:
    """The last state that a supervisor wrote, dead or alive; None where there never was one."""
    try:
        return msgspec.json.decode((run / FILE).read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def supervisor_alive(state: StackState | None) -> bool:
    """Whether the process that wrote the state still runs (same pid, same start time)."""
    if state is None:
        return False
    try:
        process = psutil.Process(state.pid)
        return abs(process.create_time() - state.created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def own_identity() -> tuple[int, float]:
    """Pid and start time of this process."""
    return os.getpid(), psutil.Process().create_time()
