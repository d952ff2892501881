"""`pulse simulate`: simulated chat into a file, a pipe or the stack."""

import asyncio
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from connectors.core.clock import SystemClock
from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.source import Batch, Source, SourceError
from connectors.simulator.generator import Simulation, simulate
from connectors.simulator.injection import InjectionError, inject
from connectors.simulator.recording import Truth, encode_lines, write_bytes, write_lines
from connectors.simulator.scenario import Scenario, ScenarioError, bundled, load_scenario
from connectors.simulator.source import SimulatorSource
from infra.cli.kafka_access import missing_topics
from infra.cli.replay import new_run_id
from infra.cli.speed import parse_speed
from schemas import topics
from schemas.endpoints import Endpoints
from schemas.records import ChatMessage
from schemas.retention import load_retention

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)


@app.command()
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO|list", help="A bundled scenario's name, or a YAML file.")
    ],
    seed: Annotated[int, typer.Option(help="Another seed: other people, texts, sizes and times.")] = 1,
    output: Annotated[
        str | None, typer.Option(help="File (.jsonl or .jsonl.gz), or - for stdout (the default).")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Ground truth; default: OUTPUT.truth.jsonl beside the output file.")
    ] = None,
    into_stack: Annotated[
        bool, typer.Option("--into-stack", help="Play it into the running stack (`pulse up` starts it).")
    ] = False,
    speed: Annotated[
        str, typer.Option(help="With --into-stack: how many times faster than real time, or `max`.")
    ] = "1",
    over: Annotated[
        Path | None,
        typer.Option(
            metavar="RECORDED_FILE",
            help="Inject the scenario's events into recorded chat.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    shift: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="With --over: let all events begin so much later.")
    ] = 0.0,
    workspace: Annotated[str, typer.Option(help="With --into-stack: whose data it is.")] = "default",
) -> None:
    """Simulate chat by a scenario: attacks, raids and their harmless look-alikes, with ground truth.

    `pulse simulate list` names the bundled scenarios. A scenario is a YAML file: channels (language, rate,
    regulars) and events (hate_raid, wave, slow_drip, link_spam, account_flood, friendly_raid, hype, …); the
    same scenario and seed always give the same bytes. Lines are recorded chat, as `pulse detect` and
    `pulse replay` read it: stream, offset_ms, author, text, emotes, badges, bits, first_message,
    account_age_s. The ground truth has one line per event: stream, kind, alert, hostile, times, accounts,
    messages, channels.

    With --over the events are injected into a recording: its lines stay as they are; its streams, in order
    of appearance, take the places of the scenario's channels.
    """
    if scenario == "list":
        for name, path in bundled().items():
            typer.echo(f"{name}\t{' '.join(load_scenario(path).description.split())}")
        return
    if into_stack and (over or output):
        raise typer.BadParameter(
            "--into-stack goes with neither --output nor --over; `pulse replay` plays a file"
        )
    factor = parse_speed(speed)
    try:
        loaded = load_scenario(scenario)
        if into_stack:
            _play(loaded, seed, factor, workspace, truth)
        elif over:
            lines, events = inject(loaded, seed, _recorded(over), shift_s=shift)
            _write(b"".join(line + b"\n" for line in lines), events, loaded, output, truth)
        else:
            simulation = simulate(loaded, seed)
            _write(encode_lines(simulation.lines), simulation.truth, loaded, output, truth)
    except (ScenarioError, InjectionError) as error:
        _errors.print(f"[red]pulse simulate:[/red] {error}", soft_wrap=True)
        raise typer.Exit(2) from None
    except (SourceError, DeliveryError, PseudonymKeyError, KafkaError, OSError) as error:
        _errors.print(f"[red]pulse simulate failed:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None


def _recorded(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    try:
        lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).split(b"\n")
    except (EOFError, gzip.BadGzipFile) as error:
        raise InjectionError(f"{path}: not a whole gzip file: {error}") from None
    return lines[:-1] if not lines[-1] else lines


def _write(
    payload: bytes, events: Sequence[Truth], scenario: Scenario, output: str | None, truth: Path | None
) -> None:
    if output in (None, "-"):
        sys.stdout.buffer.write(payload)
        sys.stdout.buffer.flush()
    else:
        path = Path(str(output))
        write_bytes(path, payload)
        truth = truth or path.with_name(path.name.removesuffix(".gz").removesuffix(".jsonl") + ".truth.jsonl")
    if truth is not None:
        write_lines(truth, events)
    if missed := len(scenario.events) - len(events):
        _errors.print(
            f"{missed} of {len(scenario.events)} events begin after their stream's end and were left out"
        )


def _play(scenario: Scenario, seed: int, speed: float | None, workspace: str, truth: Path | None) -> None:
    endpoints = Endpoints()
    simulation = simulate(scenario, seed)
    if missing := missing_topics(endpoints.kafka_bootstrap, (topics.MESSAGES,)):
        raise SourceError(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
    source = SimulatorSource(
        simulation.lines,
        run_id=new_run_id(),
        pseudonyms=load_pseudonyms(workspace, "simulator", endpoints.pulse_home),
        retention=load_retention(),
        clock=SystemClock(),
        speed=speed,
        workspace=workspace,
    )
    sent = asyncio.run(_send(source, simulation, endpoints.kafka_bootstrap))
    if truth is not None:
        write_lines(truth, simulation.truth)
    typer.echo(
        json.dumps(
            {"run_id": source.name.split(":", 1)[1], "messages": sent, "events": len(simulation.truth)}
        )
    )


async def _send(source: SimulatorSource, simulation: Simulation, bootstrap: str) -> int:
    sent = 0
    with Progress(console=_errors) as progress, stop_on_signals([source]):
        bar = progress.add_task("simulating", total=len(simulation.lines))

        def on_batch(_: Source, batch: Batch) -> None:
            nonlocal sent
            lines = sum(
                isinstance(record, ChatMessage) and record.kind == "message" for record in batch.records
            )
            sent += lines
            progress.advance(bar, lines)

        async with KafkaProducer.connect(bootstrap) as producer:
            await run_sources([source], producer, SystemClock(), on_batch=on_batch)
    return sent
