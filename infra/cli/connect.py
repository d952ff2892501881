"""`pulse connect`: live chat into the running stack."""

import asyncio
import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
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
from connectors.core.pseudonym_keys import load_pseudonyms
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.sealing import load_sealer
from connectors.core.source import Batch, Source, SourceError
from connectors.hub.book import keys_of
from connectors.hub.metrics import ListenerMetrics
from connectors.hub.platforms import ChannelSource, Surroundings, platform, twitch_source
from connectors.hub.roster import TOPICS
from connectors.twitch.settings import TwitchSettings
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

    def with_transport(around: Surroundings) -> ChannelSource:
        return twitch_source(
            around, TwitchSettings() if transport is None else TwitchSettings(transport=transport.value)
        )

    _listen("twitch", channels, workspace, with_transport)


@app.command(context_settings={"ignore_unknown_options": True})  # numbers of chats begin with a minus
def telegram(
    chats: Annotated[
        list[str],
        typer.Argument(metavar="CHAT…", help="@NAME of a group or channel, or its number (-100…)."),
    ],
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
) -> None:
    """Listen to Telegram groups and channels as a bot, until Ctrl-C.

    Make a bot at @BotFather, put its token into PULSE_TELEGRAM_BOT_TOKEN, and add it to the chats as an
    administrator (or, in groups, turn its privacy mode off at @BotFather first): else it hears only commands.
    Telegram keeps for 24 hours what the bot has not fetched: after a break nothing is missing. A bot can be
    read by one process only. It hears edits and bans, but Telegram tells bots of no deletions.
    What is said on standard error and standard output is as of `pulse connect twitch`.
    """
    _listen("telegram", chats, workspace)


@app.command()
def youtube(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO|CHANNEL…", help="Address or id of a video, @handle or UC… of a channel."
        ),
    ],
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
) -> None:
    """Listen to live chats of YouTube until Ctrl-C.

    Make an API key for the YouTube Data API v3 in a Google Cloud project and put it into
    PULSE_YOUTUBE_API_KEY; or put the path of an OAuth token, as google-auth writes it (`authorized_user`),
    into PULSE_YOUTUBE_TOKEN_FILE. Of a channel the broadcast that is live is heard, then the next one.
    A chat is streamed over gRPC (5 units a stream), and polled where that fails (5 units a poll). A project
    has 10,000 units a day (PULSE_YOUTUBE_DAILY_UNITS): before they are used up it stops, says so, and goes on
    at midnight Pacific time. YouTube permits to keep texts for 30 days.
    What is said on standard error and standard output is as of `pulse connect twitch`.
    """
    _listen("youtube", targets, workspace)


def _listen(
    platform_name: str,
    channels: Sequence[str],
    workspace: str,
    open_source: Callable[[Surroundings], ChannelSource] | None = None,
) -> None:
    """Listen to one platform; exit code 1 where that cannot go on, 2 where it was asked badly."""
    wanted = platform(platform_name)
    try:
        names = [wanted.channel_name(channel) for channel in channels]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    endpoints = Endpoints()
    counts = {"messages": 0, "heartbeats": 0, "events": 0, "dead_letters": 0}
    try:
        if missing := missing_topics(
            endpoints.kafka_bootstrap, (topics.MESSAGES, topics.EVENTS, topics.DEAD_LETTERS)
        ):
            raise SourceError(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        around = Surroundings(
            workspace,
            load_pseudonyms(workspace, platform_name, endpoints.pulse_home),
            load_retention(),
            load_sealer(endpoints.pulse_home),
            SystemClock(),
            partial(_tell, platform_name),
        )
        asyncio.run(_run(open_source or wanted.open, names, around, endpoints.kafka_bootstrap, counts))
    except ValidationError as error:
        # the values stay out: one of them may be the token
        wrong = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        _errors.print(
            f"[red]pulse connect:[/red] settings PULSE_{platform_name.upper()}_…: {wrong}", soft_wrap=True
        )
        raise typer.Exit(2) from None
    except (SourceError, DeliveryError, ValueError, KafkaError, OSError) as error:
        _errors.print(f"[red]pulse connect failed:[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    finally:
        if any(counts.values()):
            typer.echo(json.dumps(counts))


async def _run(
    open_source: Callable[[Surroundings], ChannelSource],
    names: Sequence[str],
    around: Surroundings,
    bootstrap: str,
    counts: dict[str, int],
) -> None:
    source = open_source(around)
    for name in names:
        source.follow(name)

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


def _tell(platform_name: str, channel: str, state: str, reason: str) -> None:
    _errors.print(
        f"{platform_name}:{channel} {state}" + (f": {reason}" if reason else ""), markup=False, soft_wrap=True
    )
