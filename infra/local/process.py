"""Start a part's process and find everything that descends from it, also after its parent has died."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK_STACK = "PULSE_STACK"
MARK_PART = "PULSE_PART"
"""Variables that every process of a stack inherits: by them it is found, and no stranger is ever ended."""

ORPHAN_GRACE_S = 3.0
KILL_BOUND_S = 5.0

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


async def spawn(
    command: tuple[str, ...],
    *,
    part: str,
    home: Path,
    environment: dict[str, str],
    log: Path,
    folder: Path | None = None,
    output: Path | None = None,
) -> asyncio.subprocess.Process:
    """Start a process in a session of its own that gets SIGTERM should this process die.

    What it says is appended to `log`, its standard output to `output` where that is given.
    """
    with log.open("ab") as errors, (output or log).open("ab") as results:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=results,
            stderr=errors,
            cwd=folder,
            env=os.environ | environment | marks(home, part),
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def marks(home: Path, part: str) -> dict[str, str]:
    """The variables that name a process's stack and part."""
    return {MARK_STACK: str(home), MARK_PART: part}


def members(home: Path, sessions: dict[int, str] | None = None) -> dict[psutil.Process, str]:
    """The living processes of a stack, each with the name of its part; never the calling process.

    Args:
        home: The stack's folder.
        sessions: Session ids known to be ours with their parts: some programs (Ray's workers) overwrite
            the memory of their environment.
    """
    found: dict[psutil.Process, str] = {}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            part = _mark(process, home)
            if part is None and sessions:
                part = sessions.get(os.getsid(process.pid))
            if part is not None:
                found[process] = part
    return found


def end(processes: Iterable[psutil.Process], grace_s: float) -> list[psutil.Process]:
    """SIGTERM, then after `grace_s` SIGKILL; returns those that are still there after that."""
    processes = list(processes)
    _send(processes, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=grace_s)
    _send(alive, signal.SIGKILL)
    _, alive = psutil.wait_procs(alive, timeout=KILL_BOUND_S)
    return [process for process in alive if _runs(process)]


def end_part(home: Path, part: str, sessions: dict[int, str] | None = None) -> None:
    """End all processes of one part, briefly asked and then forced."""
    end([process for process, name in members(home, sessions).items() if name == part], ORPHAN_GRACE_S)


async def end_child(child: asyncio.subprocess.Process, grace_s: float) -> None:
    """End a direct child, so that asyncio and nobody else collects its exit status."""
    for number, bound in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILL_BOUND_S)):
        if child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(bound):
                await child.wait()


def pss_bytes(process: psutil.Process) -> int:
    """Proportional set size: shared pages are counted in equal parts; 0 for a process that has gone."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, OSError):
        return 0


def started(pid: int) -> float | None:
    """Start time of a process in seconds since 1970; None where there is none of that pid."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def _mark(process: psutil.Process, home: Path) -> str | None:
    environment = process.environ()
    return environment.get(MARK_PART, "") if environment.get(MARK_STACK) == str(home) else None


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
