"""`pulse replay`: recorded chat into the running stack."""

import asyncio
import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors.core.clock import SystemClock
from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.source import Batch, Source, SourceError
from connectors.replay.records import RecordingError
from connectors.replay.run_state import RunState, RunStates
from connectors.replay.source import ReplaySource
from infra.cli.import_inputs import as_recordings
from infra.cli.kafka_access import missing_topics
from infra.cli.speed import parse_speed
from schemas import topics
from schemas.endpoints import Endpoints
from schemas.records import ChatMessage

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)


@app.command()
def replay(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recorded chat (.jsonl, .jsonl.gz) or exports that `pulse import` knows, any number.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="How many times faster than recorded, or `max`: as fast as Kafka takes it.")
    ] = "1",
    run_id: Annotated[
        str | None, typer.Option(help="First part of stream and message ids; default: the time and a number.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN_ID", help="Go on with a replay that was stopped or killed; no FILE then."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Read at most so many chat lines, in the order of the files.")
    ] = None,
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
) -> None:
    """Feed recorded chat into the running stack (`pulse up` starts it).

    Each line has `stream` (channel/broadcast), `offset_ms`, `author`, `text` and where known `emotes`,
    `badges`, `bits`, `first_message`, `account_age_s`. The broadcasts of a channel follow one another,
    channels run side by side; the last line lies at the present, all others before it. Authors and mentions
    are pseudonymised. Lines that cannot be read go to the dead letters (`pulse dlq list`).

    A replay that is killed loses nothing: `--resume RUN_ID` goes on where Kafka confirmed the last line, with
    the files and settings of the first start. Ctrl-C ends it in order.

    The last line on stdout is one JSON object: run_id, messages, heartbeats, dead_letters (sent by this
    call), seconds, finished.
    """
    endpoints = Endpoints()
    states = RunStates(endpoints.pulse_home / "run" / "replay")
    run = resume or run_id or new_run_id()
    begun = False
    try:
        if resume:
            if files or run_id:
                raise typer.BadParameter("a resumed run knows its files and its id", param_hint="--resume")
            state = states.load(resume)
            _require_topics(endpoints.kafka_bootstrap)
            pseudonyms = load_pseudonyms(state.workspace, "replay", endpoints.pulse_home)
        else:
            if not files:
                raise typer.BadParameter("name at least one file, or --resume RUN_ID", param_hint="FILE")
            factor = parse_speed(speed)
            files = as_recordings(files, endpoints.pulse_home / "imports", "pulse replay")
            _require_topics(endpoints.kafka_bootstrap)
            pseudonyms = load_pseudonyms(workspace, "replay", endpoints.pulse_home)
            state = states.begin(
                run,
                files,
                workspace=workspace,
                started_at_ms=SystemClock().now_ms(),
                speed=factor,
                limit=limit,
                kid=pseudonyms.kid,
            )
        begun = True
        if state.finished:
            _errors.print(f"replay {run} had finished already")
        with _progress() as progress:
            replaying = _Replaying(progress, state)
            source = ReplaySource(
                state,
                states,
                pseudonyms,
                SystemClock(),
                on_bytes=replaying.on_bytes,
                on_ready=replaying.on_ready,
            )
            stopped = asyncio.run(_run(source, endpoints.kafka_bootstrap, replaying))
    except (RecordingError, SourceError, DeliveryError, PseudonymKeyError, KafkaError, OSError) as error:
        _errors.print(f"[red]replay failed:[/red] {error}", soft_wrap=True)
        if begun:
            _errors.print(f"go on with: pulse replay --resume {run}")
        raise typer.Exit(1) from None
    typer.echo(json.dumps(replaying.summary(source.state.finished)))
    if stopped and not source.state.finished:
        _errors.print(f"stopped; go on with: pulse replay --resume {run}")
        raise typer.Exit(1)


def new_run_id() -> str:
    """A run id that sorts by time and is not used twice."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _require_topics(bootstrap: str) -> None:
    if missing := missing_topics(bootstrap, (topics.MESSAGES, topics.DEAD_LETTERS)):
        raise SourceError(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")


async def _run(source: ReplaySource, bootstrap: str, replaying: "_Replaying") -> bool:
    with stop_on_signals([source]) as stopped:
        async with KafkaProducer.connect(bootstrap) as producer:
            await run_sources([source], producer, SystemClock(), on_batch=replaying.on_batch)
        return stopped()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        console=_errors,
    )


class _Replaying:
    """Counts what is handed on, for the progress bars and the summary."""

    def __init__(self, progress: Progress, state: RunState) -> None:
        self._progress = progress
        self._state = state
        self._began = time.monotonic()
        self._counts = {"messages": 0, "heartbeats": 0, "dead_letters": 0}
        size = sum(file.size for file in state.files)
        self._reading = progress.add_task("reading", total=size, unit="bytes")
        self._sending = progress.add_task("replaying", total=None, unit="chat lines")

    def on_bytes(self, count: int) -> None:
        self._progress.advance(self._reading, count)

    def on_ready(self, lines: int) -> None:
        self._progress.update(self._reading, completed=sum(file.size for file in self._state.files))
        self._progress.update(self._sending, total=lines)

    def on_batch(self, _: Source, batch: Batch) -> None:
        lines = 0
        for record in batch.records:
            if not isinstance(record, ChatMessage):
                self._counts["dead_letters"] += 1
            elif record.kind == "heartbeat":
                self._counts["heartbeats"] += 1
            else:
                lines += 1
        self._counts["messages"] += lines
        self._progress.advance(self._sending, lines)

    def summary(self, finished: bool) -> dict[str, str | int | float | bool]:
        seconds = round(time.monotonic() - self._began, 3)
        return {"run_id": self._state.run_id, **self._counts, "seconds": seconds, "finished": finished}
