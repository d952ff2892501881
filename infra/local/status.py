"""What `pulse status` shows: parts, jobs and lag, asked anew."""

import asyncio
import time

import httpx
import msgspec
from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from infra.local import control, state
from infra.local.flink_rest import FlinkRest
from infra.local.lag import lags
from infra.local.progress import COLOURS
from infra.local.settings import Stack
from infra.local.state import StackState
from infra.local.supervisor import memory

DOWN = 3
UNWELL = 1


class Overview(msgspec.Struct):
    """The stack at one moment.

    Attributes:
        up: Whether its supervisor runs.
        ready: Whether every part answers and every job runs.
        stack: What the supervisor last said.
        total_pss_mb: Memory of all processes, supervisor included, shared pages in equal parts.
        pss_mb: The same by part.
        checkpoint_age_s: Seconds since each job's newest checkpoint.
        lag: Records that each consumer group has not committed yet.
        problems: What could not be asked, and why.
    """

    up: bool
    ready: bool
    stack: StackState | None = None
    total_pss_mb: float = 0.0
    pss_mb: dict[str, float] = {}
    checkpoint_age_s: dict[str, float] = {}
    lag: dict[str, int] = {}
    problems: list[str] = []


def collect(stack: Stack) -> Overview:
    """Ask the supervisor's file, the processes, Flink and Kafka."""
    known = control.running(stack)
    if known is None:
        return Overview(up=False, ready=False)
    pss = memory(stack, known)
    problems: list[str] = []
    ages: dict[str, float] = {}
    lag: dict[str, int] = {}
    if known.jobs:
        try:
            ages = asyncio.run(_checkpoint_ages(stack, known))
        except httpx.HTTPError as error:
            problems.append(f"Flink does not say how old the checkpoints are: {error!r}")
    if "kafka" in known.parts and known.parts["kafka"].state == "up":
        try:
            lag = lags(stack.endpoints.kafka_bootstrap)
        except KafkaError as error:
            problems.append(f"Kafka does not say how far its readers are: {error!r}")
    return Overview(
        up=True,
        ready=known.ready,
        stack=known,
        total_pss_mb=round(sum(pss.values()), 1),
        pss_mb=pss,
        checkpoint_age_s=ages,
        lag=lag,
        problems=problems,
    )


def exit_status(found: Overview) -> int:
    """0: everything is up; 3: the stack is down; 1: something is not well."""
    if not found.up:
        return DOWN
    return 0 if found.ready else UNWELL


def to_json(found: Overview) -> str:
    """One line of JSON."""
    return msgspec.json.encode(found).decode()


def show(found: Overview, console: Console) -> None:
    """Tables for people."""
    if found.stack is None:
        console.print("The stack is down. [bold]pulse up[/bold] starts it.")
        return
    console.print(_parts(found, found.stack))
    if found.stack.jobs:
        console.print(_jobs(found, found.stack))
    for group, behind in sorted(found.lag.items()):
        console.print(f"lag of {group}: {behind} records", highlight=False)
    for name, part in found.stack.parts.items():
        if note := part.problem or (f"restarted: {part.last_failure}" if part.restarts else ""):
            console.print(f"{name}: {note}", style="yellow", markup=False)
    for problem in found.problems:
        console.print(problem, style="yellow", markup=False)
    console.print(f"memory of all processes (PSS): {found.total_pss_mb:.0f} MB", highlight=False)


def _parts(found: Overview, stack: StackState) -> Table:
    table = Table("part", "state", "pid", "for", "restarts", "PSS MB", "peak", "address", box=None)
    for name, part in stack.parts.items():
        colour = COLOURS.get(part.state, "yellow")
        table.add_row(
            name,
            f"[{colour}]{part.state}[/{colour}]",
            str(part.pid or ""),
            _ago(part.since),
            str(part.restarts),
            f"{found.pss_mb.get(name, 0):.0f}",
            f"{part.pss_peak_mb:.0f}",
            part.address,
        )
    return table


def _jobs(found: Overview, stack: StackState) -> Table:
    table = Table("job", "state", "for", "submissions", "newest checkpoint", "note", box=None)
    for name, job in stack.jobs.items():
        colour = COLOURS.get(job.state, "yellow")
        age = found.checkpoint_age_s.get(name)
        table.add_row(
            name,
            f"[{colour}]{job.state}[/{colour}]",
            _ago(job.since),
            str(job.submissions),
            "none yet" if age is None else f"{age:.0f} s ago",
            job.problem[:100],
        )
    return table


async def _checkpoint_ages(stack: Stack, known: state.StackState) -> dict[str, float]:
    rest = FlinkRest(stack.endpoints.flink_url)
    ages = {}
    try:
        for name, job in known.jobs.items():
            if job.state != "RUNNING":
                continue
            latest = (await rest.checkpoints(job.job_id))["latest"]["completed"]
            if latest:
                ages[name] = round(time.time() - latest["latest_ack_timestamp"] / 1000, 1)
    finally:
        await rest.close()
    return ages


def _ago(since: float) -> str:
    seconds = max(0, int(time.time() - since))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return (
        f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    )
