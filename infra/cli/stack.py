"""`pulse up | down | status | doctor`."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from infra.local import control
from infra.local import doctor as diagnosis
from infra.local import status as overview
from infra.local.control import StackError, StartOptions, StateRefusedError
from infra.local.jars import JarsError
from infra.local.progress import Progress
from infra.local.settings import Stack

up = typer.Typer(rich_markup_mode="markdown", add_completion=False)
down = typer.Typer(rich_markup_mode="markdown", add_completion=False)
status = typer.Typer(rich_markup_mode="markdown", add_completion=False)
doctor = typer.Typer(rich_markup_mode="markdown", add_completion=False)

console = Console(stderr=True)


@up.command()
def up_command(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Start only these: kafka, flink, ray, topics, store, jobs (comma or repeated)."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Drop the jobs' state; they read the topics from the start.")
    ] = False,
    allow_non_restored: Annotated[
        bool,
        typer.Option(
            "--allow-non-restored", help="Restore the jobs, dropping state that the code no longer has."
        ),
    ] = False,
) -> None:
    """Start the stack on this machine and wait until it works.

    Kafka, the Flink cluster, Ray Serve and the store start side by side; the jobs go on from their newest
    checkpoint. A supervisor stays behind and restarts what dies. A second `up` changes nothing.

    Everything is written below PULSE_HOME (default .pulse): logs in logs/, one file a part. Ports are
    counted from PULSE_PORT_BASE (default 18000: API 18080, Flink 18081, Kafka 19092). An address that is
    not on this machine (KAFKA_BOOTSTRAP, SCORER_URL, FLINK_URL, API_URL) is used, not started.
    """
    stack = Stack()
    if control.running(stack) is not None:
        console.print("The stack is up already: [bold]pulse status[/bold] shows it.")
        return
    options = StartOptions(control.part_names(only or ()), fresh, allow_non_restored)
    try:
        _start(stack, options)
    except StateRefusedError as error:
        _ask_about_state(stack, options, error)
    console.print(f"Up. Page and API: {stack.endpoints.api_url}   Flink: {stack.endpoints.flink_url}")


@down.command()
def down_command() -> None:
    """Stop the stack; nothing is lost.

    The jobs take a last checkpoint, the store writes what it holds, Kafka goes last. The next `up` goes on
    from there. No process is left behind.
    """
    stack = Stack()
    try:
        with Progress(console, "stopping") as progress:
            stopped = control.stop(stack, progress.show)
    except StackError as error:
        _fail(error)
    console.print("Down." if stopped else "The stack was not up.")


@status.command()
def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Which parts run, since when, with how much memory, and how far the jobs are behind.

    Exit status: 0 when everything is up, 3 when the stack is down, 1 when something is not well.
    """
    found = overview.collect(Stack())
    if as_json:
        sys.stdout.write(overview.to_json(found) + "\n")
    else:
        overview.show(found, Console())
    raise typer.Exit(overview.exit_status(found))


@doctor.command()
def doctor_command() -> None:
    """Check this machine and the stack; say for each finding what to do.

    Exit status 1 when something must be done.
    """
    findings = diagnosis.examine(Stack())
    diagnosis.show(findings, Console())
    if any(finding.level == diagnosis.Level.BAD for finding in findings):
        raise typer.Exit(1)


def _start(stack: Stack, options: StartOptions) -> None:
    try:
        with Progress(console, "starting") as progress:
            control.start(stack, options, progress.show)
    except StateRefusedError:
        raise
    except ValueError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    except (StackError, JarsError) as error:
        _fail(error)
    except KeyboardInterrupt:
        console.print("Interrupted: stopping what was started.")
        control.stop(stack)
        raise typer.Exit(130) from None


def _ask_about_state(stack: Stack, options: StartOptions, error: StateRefusedError) -> None:
    """The code changed in a way that the state does not fit: a person decides what to drop."""
    console.print(f"The state of the jobs cannot be restored with this code:\n{error}", markup=False)
    choices = (
        "--allow-non-restored keeps all state that still fits; --fresh drops it all (topics are read again)"
    )
    if not sys.stdin.isatty():
        control.stop(stack)
        _fail(StackError(f"Say which: pulse up {choices}."))
    console.print(choices)
    answer = typer.prompt("Go on with", default="nothing", show_default=True, err=True).strip().lstrip("-")
    control.stop(stack)
    if answer not in ("fresh", "allow-non-restored"):
        _fail(StackError("Nothing was changed; the stack is down."))
    _start(
        stack,
        StartOptions(
            options.only, fresh=answer == "fresh", allow_non_restored=answer == "allow-non-restored"
        ),
    )


def _fail(error: Exception) -> None:
    console.print(str(error), style="red", markup=False)
    raise typer.Exit(1)
