"""`pulse bench`: benchmarks; each prints one JSON line."""

import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from confluent_kafka import KafkaException
from kafka.errors import KafkaError
from rich.console import Console

from infra.cli.bench_dashboards import dashboards
from infra.cli.bench_detect import detect
from infra.cli.bench_model import bench_model
from infra.cli.demo import BUNDLED
from infra.cli.replay import new_run_id
from infra.local import control
from infra.local.acceptance.api_rows import QueryError
from infra.local.acceptance.bench import Bench
from infra.local.acceptance.load_process import LoadError
from infra.local.acceptance.load_texts import NoTextsError, real_texts
from infra.local.control import StackError, StartOptions
from infra.local.jars import JarsError
from infra.local.progress import Progress
from infra.local.settings import Stack

INTERRUPTED = 130
FAILURES = (StackError, JarsError, QueryError, LoadError, NoTextsError, KafkaError, KafkaException, OSError)

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = Console(stderr=True, highlight=False)


@app.callback()
def bench() -> None:
    """Benchmarks; each prints one JSON line with its figures, settings and machine on stdout."""


app.command("model")(bench_model)


@app.command()
def pipeline(
    duration: Annotated[
        float, typer.Option(min=5, metavar="SECONDS", help="Length of the sustained phase.")
    ] = 600.0,
    rate: Annotated[
        str, typer.Option(help="Messages a second of the sustained phase, or `max`: search for it first.")
    ] = "max",
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Recordings whose texts are sent; may be repeated. Default: the bundled recording.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    channels: Annotated[int, typer.Option(min=1, max=10_000, help="Streams side by side.")] = 32,
) -> None:
    """Load the whole pipeline: Kafka, score, detect, sink, store, with a reader of the live feed.

    The load generator runs as a process of its own on this machine. It sends distinct messages made of real
    texts, stamped when they are handed to the Kafka producer.

    First 2,000 messages a second (workspace bench-latency) for the latencies of `latency_ms_at_2000`, then,
    without --rate, a search for the rate that holds (bench-search), then that rate for --duration seconds
    (workspace bench): `messages` over `seconds`, from the first message sent to the last one queryable, is
    `sustained_msg_per_s`; `lag_growth_msg_per_s` is the slope of what was sent and not stored over the
    second half; `coverage` is the share of messages whose scores are in windows.

    Uses the running stack, or starts one and stops it afterwards. Exit status 1 where a row was lost or
    doubled, or the backlog did not drain.
    """
    sustained = _rate(rate)
    stack = Stack()
    files = inputs or [BUNDLED]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ours = control.running(stack) is None
    try:
        code = _run(stack, files, duration, sustained, channels)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except FAILURES as error:
        console.print(f"bench failed: {error}", style="red", markup=False, soft_wrap=True)
        code = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if ours:
            control.stop(stack)
    raise typer.Exit(code)


app.command("detect")(detect)
app.command("dashboards")(dashboards)


def _run(stack: Stack, files: list[Path], duration: float, rate: float | None, channels: int) -> int:
    real_texts(files)
    if control.running(stack) is None:
        with Progress(console, "starting") as progress:
            control.start(stack, StartOptions(), progress.show)
    run = Bench(stack, files, run_id=new_run_id(), channels=channels, say=console.print)
    found = run.run(seconds=duration, rate=rate)
    typer.echo(msgspec.json.encode(found).decode())
    return 1 if found["lost"] or found["duplicates"] or found["problem"] else 0


def _rate(text: str) -> float | None:
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1_000_000:
        raise typer.BadParameter("messages a second, such as 6000, or max", param_hint="--rate")
    return value
