"""What `pulse doctor` examines: the machine, the set-up and the stack; each finding says what to do."""

import enum
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
from rich.console import Console

from infra.local import control, ports, state
from infra.local.jars import complete
from infra.local.logs import tail
from infra.local.settings import ROOT, Stack

JAVA_NEEDED = (17, 21)
DISK_NEEDED_GB = 5.0
MEMORY_NEEDED_GB = 5.0
RECENT_S = 3600.0


class Level(enum.Enum):
    """How much a finding matters."""

    GOOD = "ok"
    HINT = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: The thing, `Java`.
        says: What was found.
        advice: What to do; empty where nothing is to be done.
    """

    level: Level
    what: str
    says: str
    advice: str = ""


def examine(stack: Stack) -> list[Finding]:
    """Look at everything; takes a second or two, changes nothing."""
    return [
        *set_up(stack),
        _disk(stack),
        _memory(stack),
        *_ports(stack),
        *_parts(stack),
    ]


def set_up(stack: Stack) -> list[Finding]:
    """Look at what `./pulse setup` installs."""
    return [_python(), _java(stack), _maven(stack), _jars(stack), _environment()]


def show(findings: list[Finding], console: Console) -> None:
    """A line a finding, and below it what to do."""
    colours = {Level.GOOD: "green", Level.HINT: "yellow", Level.BAD: "red"}
    for finding in findings:
        colour = colours[finding.level]
        console.print(f"[{colour}]{finding.level.value:>4}[/{colour}]  {finding.what}: ", end="")
        console.print(finding.says, markup=False, highlight=False)
        if finding.advice:
            console.print(f"      → {finding.advice}", markup=False, highlight=False)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Finding(Level.GOOD, "Python", version)
    return Finding(
        Level.BAD,
        "Python",
        f"{version}, but 3.11 is needed",
        "apt-get install python3.11, then ./pulse setup",
    )


def java_version(text: str) -> int | None:
    """The major version out of what `java -version` prints."""
    found = re.search(r'version "(\d+)', text)
    return int(found.group(1)) if found else None


def _java(stack: Stack) -> Finding:
    advice = "apt-get install openjdk-17-jre-headless (./pulse setup does it)"
    if shutil.which(stack.settings.java) is None:
        return Finding(Level.BAD, "Java", "not found", advice)
    told = subprocess.run(
        [stack.settings.java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    version = java_version(told)
    if version is None or not JAVA_NEEDED[0] <= version <= JAVA_NEEDED[1]:
        return Finding(
            Level.BAD, "Java", f"version {version}, but 17 is needed", f"{advice}, or set PULSE_JAVA"
        )
    return Finding(Level.GOOD, "Java", str(version))


def _maven(stack: Stack) -> Finding:
    if shutil.which("mvn"):
        return Finding(Level.GOOD, "Maven", "found")
    if complete(stack.jars):
        return Finding(Level.HINT, "Maven", "not found; only needed when the pinned jars change")
    return Finding(Level.BAD, "Maven", "not found", "apt-get install maven (./pulse setup does it)")


def _jars(stack: Stack) -> Finding:
    if complete(stack.jars):
        return Finding(Level.GOOD, "jars", f"complete in {stack.jars}")
    return Finding(Level.BAD, "jars", "missing, or not those of infra/flink/pom.xml", "./pulse setup")


def _environment() -> Finding:
    lock, made = ROOT / "uv.lock", ROOT / ".venv" / "pulse.lock.sha256"
    if not made.exists():
        return Finding(
            Level.HINT, "Python packages", "not installed by ./pulse; whether they match uv.lock is not known"
        )
    if made.read_text(encoding="utf-8").strip() == hashlib.sha256(lock.read_bytes()).hexdigest():
        return Finding(Level.GOOD, "Python packages", "as in uv.lock")
    return Finding(Level.BAD, "Python packages", "older than uv.lock", "./pulse setup")


def _disk(stack: Stack) -> Finding:
    folder = stack.home if stack.home.exists() else ROOT
    free = shutil.disk_usage(folder).free / 2**30
    says = f"{free:.1f} GB free at {folder}"
    if free >= DISK_NEEDED_GB:
        return Finding(Level.GOOD, "disk", says)
    return Finding(
        Level.BAD, "disk", says, f"free {DISK_NEEDED_GB:.0f} GB, or set PULSE_HOME to a larger disk"
    )


def _memory(stack: Stack) -> Finding:
    available = psutil.virtual_memory().available / 2**30
    says = f"{available:.1f} GB available"
    if available >= MEMORY_NEEDED_GB or control.running(stack):
        return Finding(Level.GOOD, "memory", says)
    return Finding(Level.BAD, "memory", says, "the stack takes up to 4 GB: end other programs")


def _ports(stack: Stack) -> Iterator[Finding]:
    if control.running(stack):
        return
    taken = ports.taken(stack.ports)
    for port in taken:
        yield Finding(Level.BAD, "ports", str(port), "end that process, or set PULSE_PORT_BASE")
    if not taken:
        yield Finding(
            Level.GOOD, "ports", f"{min(stack.ports.values())}–{max(stack.ports.values())} are free"
        )


def _parts(stack: Stack) -> Iterator[Finding]:
    known = state.read(stack.run)
    if not state.supervisor_alive(known) or known is None:
        if known is not None and not known.stopping:
            end = tail(stack.logs / "supervisor.log", 3)
            yield Finding(
                Level.BAD, "stack", f"its supervisor died:\n{end}", "pulse up clears up and goes on"
            )
        else:
            yield Finding(Level.GOOD, "stack", "down")
        return
    for name, part in known.parts.items():
        log = stack.logs / f"{name}.log"
        if part.state == "failing":
            yield Finding(Level.BAD, name, f"{part.last_failure}\n{tail(log, 5)}", f"read {log}")
        elif part.state not in ("up", "done"):
            yield Finding(Level.HINT, name, f"{part.state}: {part.problem}", "look again in a moment")
        elif part.restarts and time.time() - part.since < RECENT_S:
            says = f"up, but restarted {part.restarts} times ({part.last_failure})"
            yield Finding(Level.HINT, name, says, f"read {log}")
        else:
            yield Finding(Level.GOOD, name, part.state)
    for name, job in known.jobs.items():
        if job.state == "RUNNING":
            yield Finding(Level.GOOD, f"job {name}", "running")
        elif job.state == "refused":
            advice = "pulse down, then pulse up --allow-non-restored (or --fresh)"
            yield Finding(Level.BAD, f"job {name}", f"its state does not fit the code: {job.problem}", advice)
        else:
            says = f"{job.state}: {job.problem}".rstrip(": ")
            yield Finding(Level.HINT, f"job {name}", says, f"read {stack.logs / 'jobmanager.log'}")
