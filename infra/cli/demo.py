"""`pulse demo`: the whole product on one machine, with recorded chat."""

import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from kafka.errors import KafkaError
from rich.console import Console

import connectors.simulator
from connectors.core.kafka_producer import DeliveryError
from connectors.core.pseudonym_keys import PseudonymKeyError
from connectors.core.source import SourceError
from connectors.replay.records import RecordingError
from infra.cli.demo_progress import DemoProgress
from infra.cli.import_inputs import as_recordings
from infra.cli.replay import new_run_id
from infra.cli.speed import parse_speed
from infra.local import control
from infra.local.acceptance.api_rows import QueryError
from infra.local.acceptance.demonstration import Demonstration, verdict, write_report
from infra.local.acceptance.drain import STALL_S
from infra.local.control import StackError
from infra.local.jars import JarsError
from infra.local.settings import Stack

BUNDLED = Path(connectors.simulator.__file__).parent / "recordings" / "demo.jsonl.gz"
INTERRUPTED = 130
FAILURES = (
    StackError,
    JarsError,
    RecordingError,
    SourceError,
    DeliveryError,
    PseudonymKeyError,
    QueryError,
    KafkaError,
    OSError,
)

app = typer.Typer(add_completion=False)
console = Console(stderr=True, highlight=False)


@app.command()
def demo(
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Recorded chat (.jsonl, .jsonl.gz) or an export that `pulse import` knows; may be repeated. "
            "Default: the bundled recording.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="How many times faster than recorded, or `max`: as fast as Kafka takes it.")
    ] = "1",
    exit_when_drained: Annotated[
        bool,
        typer.Option(
            "--exit-when-drained", help="Wait until everything is through, check it, stop, and exit."
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.json", help="Where to write the report.", dir_okay=False)
    ] = None,
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up afterwards.")] = False,
    patience: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Give up when nothing moves for so long.")
    ] = STALL_S,
) -> None:
    """Start everything, replay a recording, say where to look.

    Starts the stack (or uses the running one), prints the link of the live page and replays chat. Without
    --input that is a bundled recording: real texts, arranged by us into five channels with a hype moment, a
    friendly raid, a hate raid and a one-man flood.

    Ctrl-C at any moment stops what was started; nothing is lost, and `pulse replay --resume RUN_ID` goes on.

    With --exit-when-drained it waits until every line is scored, counted and stored, compares the store with
    the files line by line and window by window, and ends: exit status 0 where all is exact, 1 where a row is
    lost or doubled or nothing moves any more. The report has counts per topic and view, `lost` and
    `duplicates`, latencies, alerts, start-up times, and peak memory per part.
    """
    factor = parse_speed(speed)
    if report is not None and not report.resolve().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {report.resolve().parent}", param_hint="--report")
    stack = Stack()
    try:
        inputs = as_recordings(inputs or [BUNDLED], stack.endpoints.pulse_home / "imports", "pulse demo")
    except (RecordingError, OSError) as error:
        console.print(f"demo failed: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with DemoProgress(console) as progress:
        demonstration = Demonstration(stack, inputs, new_run_id(), workspace, factor, patience, progress)
        ours = control.running(stack) is None
        try:
            found = _carry_out(demonstration, drain=exit_when_drained or report is not None)
            code = _judge(found, report) if found else 0
            if not exit_when_drained:
                console.print("The replay is over, the page stays. Ctrl-C stops.")
                signal.pause()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except FAILURES as error:
            console.print(f"demo failed: {error}", style="red", markup=False, soft_wrap=True)
            code = 1
        finally:
            # stopping is bounded, and half a stop would leave processes behind
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if ours and not keep:
                _stop(stack)
    raise typer.Exit(code)


def _carry_out(demonstration: Demonstration, *, drain: bool) -> dict[str, Any] | None:
    stack = demonstration.stack
    began = time.time()
    demonstration.start()
    names = ", ".join(path.name for path in demonstration.files)
    console.print(f"Replaying {names} as run {demonstration.run_id}.", soft_wrap=True)
    console.print('Ask the store:  pulse sql "SELECT kind, channel, summary FROM alerts"', soft_wrap=True)
    console.print(f"Logs: {stack.logs}   Flink: {stack.endpoints.flink_url}", soft_wrap=True)
    return demonstration.run(began, drain=drain)


def _judge(found: dict[str, Any], report: Path | None) -> int:
    if report is not None:
        write_report(report, found)
        console.print(f"Report: {report}", soft_wrap=True)
    if complaint := verdict(found):
        console.print(f"Not exact: {complaint}", style="red", markup=False, soft_wrap=True)
        return 1
    console.print(
        f"Exact: {found['input_lines']:,} lines in, {found['tables']['messages']:,} stored, "
        f"{found['dead_letters']:,} refused; none lost, none doubled."
    )
    return 0


def _stop(stack: Stack) -> None:
    console.print("Stopping.")
    try:
        control.stop(stack)
    except StackError as error:
        console.print(str(error), style="red", markup=False)
