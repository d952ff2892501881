"""`pulse channels`: the list of channels that `pulse connect run` listens to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, NoReturn

import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.core.clock import SystemClock
from connectors.core.journal import JournalError, KafkaJournal
from connectors.hub.book import ChannelBook, Listed, UnknownChannelError
from connectors.hub.platforms import PLATFORMS
from connectors.hub.roster import TOPICS
from infra.cli.kafka_access import missing_topics
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)

PlatformArgument = Annotated[str, typer.Argument(metavar="PLATFORM", help=", ".join(PLATFORMS))]
ChannelsArgument = Annotated[
    list[str], typer.Argument(metavar="CHANNEL…", help="Names as the platform writes them, any number.")
]
WorkspaceOption = Annotated[str, typer.Option(help="Whose channels they are.")]


class Format(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"


@app.callback()
def channels() -> None:
    """Which channels are listened to: changed here, by the API, or by a channels file.

    The list stands in Kafka (topic pulse.channels.v1); every `pulse connect run` follows it within a second
    or two, and several of them share the channels out.
    """


@app.command()
def add(platform: PlatformArgument, names: ChannelsArgument, workspace: WorkspaceOption = "default") -> None:
    """Listen to more channels; those on the list already stay as they are."""
    with _book() as book:
        for name in names:
            key = book.add(workspace, platform, name, "cli")
            typer.echo(f"{key.channel} is on the list")


@app.command()
def remove(
    platform: PlatformArgument, names: ChannelsArgument, workspace: WorkspaceOption = "default"
) -> None:
    """Listen to channels no more; their streams end. One of a channels file comes back with the file."""
    with _book() as book:
        for name in names:
            key = book.remove(workspace, platform, name)
            typer.echo(f"{key.channel} is off the list")


@app.command("list")
def show(
    workspace: Annotated[str | None, typer.Option(help="Only this one's channels.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="json is one object a line.", case_sensitive=False)
    ] = Format.TABLE,
) -> None:
    """The channels on the list, which process listens to each, and how it stands there."""
    with _book() as book:
        found = book.channels(workspace)
    if output is Format.JSON:
        for listed in found:
            typer.echo(json.dumps(listed._asdict()))
        return
    table = Table("channel", "workspace", "state", "heard", "listener", "added by", box=None)
    for listed in found:
        table.add_row(*map(escape, _cells(listed, SystemClock().now_ms())))
    Console().print(table)


def _cells(listed: Listed, now_ms: int) -> tuple[str, ...]:
    state = listed.state or "nobody listens"
    ago_s = max(0, now_ms - listed.heard_at) // 1000 if listed.heard_at else None
    return (
        listed.channel,
        listed.workspace,
        f"{state}: {listed.reason}" if listed.reason else state,
        "–" if ago_s is None else f"{timedelta(seconds=ago_s)} ago",
        listed.listener or "–",
        listed.added_by,
    )


@contextmanager
def _book() -> Iterator[ChannelBook]:
    endpoints = Endpoints()
    try:
        if missing := missing_topics(endpoints.kafka_bootstrap, TOPICS):
            _fail(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        with KafkaJournal(endpoints.kafka_bootstrap, TOPICS) as journal:
            yield ChannelBook(journal, SystemClock().now_ms)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except (UnknownChannelError, JournalError, KafkaError, OSError) as error:
        _fail(str(error))


def _fail(reason: str) -> NoReturn:
    _errors.print(f"[red]channels:[/red] {escape(reason)}", soft_wrap=True)
    raise typer.Exit(1)
