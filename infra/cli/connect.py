"""`pulse connect`: live chat into the running stack."""

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from kafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from connectors.core.channels import load_channels
from connectors.core.clock import SystemClock
from connectors.core.journal import JournalError
from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.sealing import load_sealer
from connectors.core.source import Batch, Source, SourceError
from connectors.hub.book import keys_of
from connectors.hub.metrics import ListenerMetrics
from connectors.hub.roster import TOPICS
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from infra.cli.kafka_access import missing_topics
from infra.cli.listen import listen, log_to_stderr, serve_metrics
from schemas import topics
from schemas.endpoints import Endpoints
from schemas.records import ChatMessage
from schemas.retention import load_retention

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)
METRICS_PORT_OFFSET = 91
"""Port of /metrics, counted from the stack's first port."""


class Transport(StrEnum):
    """How Twitch's chat comes here."""

    IRC = "irc"
    EVENTSUB = "eventsub"
    BOTH = "both"


@app.callback()
def connect() -> None:
    """Listen to live chat and feed it into the running stack (`pulse up` starts it)."""


@app.command()
def run(
    channels: Annotated[
        Path | None,
        typer.Option(
            "--channels",
            envvar="PULSE_CHANNELS",
            dir_okay=False,
            help="A channels file (infra/channels.example.yaml); changes of it are followed.",
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics on 127.0.0.1; 0: none. Default: first port + 91.")
    ] = None,
) -> None:
    """Listen to the channels on the list until Ctrl-C, alone or beside other such processes.

    The list (`pulse channels`) stands in Kafka and may change at any time. Several processes, on one machine
    or many, share the channels out: each channel belongs to one of them. One that is killed is missed within
    10 s; the others take its channels over, and what nobody heard meanwhile is recorded as a gap. One that is
    stopped (SIGTERM, Ctrl-C) delivers what it heard and hands its channels over at once.
    """
    endpoints = Endpoints()
    try:
        if missing := missing_topics(
            endpoints.kafka_bootstrap, (topics.MESSAGES, topics.EVENTS, topics.DEAD_LETTERS, *TOPICS)
        ):
            raise SourceError(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        if channels is not None:
            keys_of(load_channels(channels))  # told now, not in the log
        log_to_stderr()
        port = endpoints.pulse_port_base + METRICS_PORT_OFFSET if metrics_port is None else metrics_port
        if port:
            serve_metrics(port)
        asyncio.run(listen(endpoints, channels, ListenerMetrics()))
    except (SourceError, DeliveryError, JournalError, ValueError, KafkaError, OSError) as error:
        _errors.print(f"[red]pulse connect failed:[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None


@app.command()
def twitch(
    channels: Annotated[
        list[str], typer.Argument(metavar="CHANNEL…", help="Names as in twitch.tv/NAME, any number.")
    ],
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
    transport: Annotated[
        Transport | None,
        typer.Option(help="Over what: IRC (the default), EventSub, or both, each line counted once."),
    ] = None,
) -> None:
    """Listen to Twitch channels until Ctrl-C.

    Needs nothing but the names: it reads IRC anonymously. With a token (PULSE_TWITCH_TOKEN, scope chat:read)
    it reads as that user; PULSE_TWITCH_URL names another server. EventSub needs a token with the scope
    user:read:chat; it also tells broadcasts apart. Connections that break are opened anew, with
    pauses that grow to a minute; what was missed is recorded as a gap (`pulse sql "SELECT * FROM gaps"`).
    Authors, mentions, raiders and targets of bans are pseudonymised before anything leaves this process.
    Twitch permits chat to be kept for 24 hours.

    Changes of a channel's state (connecting, live, degraded, offline, blocked) are told on standard error.
    SIGTERM and Ctrl-C end it in order: what was heard is delivered. The last line on stdout is one JSON
    object: messages, heartbeats, events, dead_letters.
    """
    for channel in channels:
        name = channel.removeprefix("#")
        if not (name.isascii() and name.replace("_", "").isalnum() and len(name) <= 25):
            raise typer.BadParameter(f"`{channel}` is no Twitch name: letters, digits and _, at most 25")
    endpoints = Endpoints()
    counts = {"messages": 0, "heartbeats": 0, "events": 0, "dead_letters": 0}
    try:
        if missing := missing_topics(
            endpoints.kafka_bootstrap, (topics.MESSAGES, topics.EVENTS, topics.DEAD_LETTERS)
        ):
            raise SourceError(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        settings = TwitchSettings() if transport is None else TwitchSettings(transport=transport.value)
        source = TwitchSource(
            channels,
            pseudonyms=load_pseudonyms(workspace, "twitch", endpoints.pulse_home),
            retention=load_retention(),
            sealer=load_sealer(endpoints.pulse_home),
            clock=SystemClock(),
            settings=settings,
            workspace=workspace,
            on_state=_tell,
        )
        asyncio.run(_run(source, endpoints.kafka_bootstrap, counts))
    except ValidationError as error:
        # the values stay out: one of them may be the token
        wrong = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        _errors.print(f"[red]pulse connect:[/red] settings PULSE_TWITCH_…: {wrong}", soft_wrap=True)
        raise typer.Exit(2) from None
    except (SourceError, DeliveryError, PseudonymKeyError, KafkaError, OSError) as error:
        _errors.print(f"[red]pulse connect failed:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    finally:
        if any(counts.values()):
            typer.echo(json.dumps(counts))


async def _run(source: TwitchSource, bootstrap: str, counts: dict[str, int]) -> None:
    def on_batch(_: Source, batch: Batch) -> None:
        for record in batch.records:
            counts[_kind(record)] += 1

    with stop_on_signals([source]):
        async with KafkaProducer.connect(bootstrap) as producer:
            await run_sources([source], producer, SystemClock(), on_batch=on_batch)


def _kind(record: object) -> str:
    if isinstance(record, ChatMessage):
        return "heartbeats" if record.kind == "heartbeat" else "messages"
    return "dead_letters" if hasattr(record, "dlq_id") else "events"


def _tell(channel: str, state: str, reason: str) -> None:
    _errors.print(
        f"twitch:{channel} {state}" + (f": {reason}" if reason else ""), markup=False, soft_wrap=True
    )
