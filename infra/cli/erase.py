"""`pulse erase`: forget a person, once or for good."""

import json
import re
import time
from enum import StrEnum
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape

from connectors.core.clock import SystemClock
from connectors.core.journal import Journal, JournalError, KafkaJournal
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from infra.cli.kafka_access import missing_topics
from infra.cli.store_access import StoreAccessError, api_answers, query
from schemas.codecs import encode, record_key
from schemas.endpoints import Endpoints
from schemas.records import Erasure
from schemas.topics import ERASURES, EVENTS, MESSAGES, SCORED, load_topics

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)

WAIT_S: Final = 60.0
_LOOK_EVERY_S: Final = 1.0
_PSEUDONYM: Final = re.compile(r"k[0-9a-f]+\.[0-9a-f]{32}\Z")
_WORKSPACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LEFT: Final = """
SELECT
    (SELECT count() FROM chat_lines WHERE workspace = '{workspace}' AND author = '{author}' AND sent_at
        <= fromUnixTimestamp64Milli({before}, 'UTC')) AS chat_lines,
    (SELECT count() FROM opinion_lines WHERE workspace = '{workspace}' AND (workspace, channel, message_hash)
        IN (SELECT workspace, channel, message_hash FROM removed_lines)) AS opinion_lines,
    (SELECT count() FROM channel_events WHERE workspace = '{workspace}'
        AND (source = '{author}' OR target_author = '{author}')) AS channel_events,
    (SELECT count() FROM erasures WHERE workspace = '{workspace}' AND author = '{author}'
        AND requested_at >= fromUnixTimestamp64Milli({requested}, 'UTC')) AS known
"""


class Platform(StrEnum):
    """Where names are from; recordings have pseudonyms of their own."""

    TWITCH = "twitch"
    YOUTUBE = "youtube"
    TELEGRAM = "telegram"
    REPLAY = "replay"


@app.command(no_args_is_help=True)
def erase(
    author: Annotated[
        str, typer.Argument(help="The login (Twitch) or id as the platform writes it, or the pseudonym.")
    ],
    platform: Annotated[Platform, typer.Option(help="Whose name it is.")] = Platform.TWITCH,
    workspace: Annotated[str, typer.Option(help="Whose data it is.")] = "default",
    opt_out: Annotated[
        bool, typer.Option("--opt-out", help="From now on, leave the person out: no line reaches Kafka.")
    ] = False,
    opt_in: Annotated[
        bool, typer.Option("--opt-in", help="Take an opt-out back; what was erased stays erased.")
    ] = False,
) -> None:
    """Forget everything that a person wrote until now, and the events about that person.

    The name becomes a pseudonym here and goes nowhere. The store deletes the lines within some seconds; the
    receipt on stdout, one JSON object, says what is left there (0 where it is clean, null where the store
    could not be asked: it goes on by itself) and within how many hours the topics have forgotten.
    """
    if opt_out and opt_in:
        raise typer.BadParameter("--opt-out and --opt-in are opposites")
    if not _WORKSPACE.fullmatch(workspace):
        raise typer.BadParameter("letters, digits, _, . and - only", param_hint="--workspace")
    endpoints = Endpoints()
    try:
        if missing := missing_topics(endpoints.kafka_bootstrap, [ERASURES]):
            _fail(f"Kafka has no topic {', '.join(missing)}; run `pulse topics apply`")
        pseudonym = author
        if not _PSEUDONYM.fullmatch(author):
            pseudonym = load_pseudonyms(workspace, platform, endpoints.pulse_home).author(author)
        with KafkaJournal(endpoints.kafka_bootstrap, [ERASURES]) as journal:
            asked = _asked(journal, workspace, pseudonym, opt_out=opt_out, opt_in=opt_in)
            journal.write(ERASURES, record_key(workspace, pseudonym), encode(asked))
        typer.echo(json.dumps(_receipt(endpoints, asked)))
    except (PseudonymKeyError, JournalError, KafkaError, OSError) as error:
        _fail(str(error))


def _asked(journal: Journal, workspace: str, author: str, *, opt_out: bool, opt_in: bool) -> Erasure:
    """What is asked for now; an opt-out stays until it is taken back, which erases nothing further."""
    now, known = SystemClock().now_ms(), None
    key = record_key(workspace, author)
    for entry in journal.read_to_end():
        if entry.key == key and entry.value:
            known = msgspec.json.decode(entry.value, type=Erasure)
    return Erasure(
        workspace=workspace,
        author=author,
        requested_at=now,
        erase_before=(known.erase_before if known else 0) if opt_in else now,
        opted_out=not opt_in and (opt_out or bool(known and known.opted_out)),
    )


def _receipt(endpoints: Endpoints, asked: Erasure) -> dict[str, Any]:
    """What the store holds of the person once it has read the request, or after WAIT_S."""
    hours = {
        name: int(load_topics()[name].config["retention.ms"]) // 3_600_000
        for name in (MESSAGES, SCORED, EVENTS)
    }
    left: dict[str, int] | None = None
    deadline = time.monotonic() + WAIT_S
    while api_answers(endpoints):
        left = _left(endpoints, asked)
        if (left.pop("known") and not any(left.values())) or time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_EVERY_S)
    receipt: dict[str, Any] = msgspec.to_builtins(asked)
    return receipt | {"left_in_store": left, "topics_forget_within_hours": hours}


def _left(endpoints: Endpoints, asked: Erasure) -> dict[str, int]:
    # the values have no quotes: `erase` has checked their letters
    sql = _LEFT.format(
        workspace=asked.workspace,
        author=asked.author,
        before=asked.erase_before,
        requested=asked.requested_at,
    )
    try:
        (line,) = query(endpoints, sql, "json").splitlines()
    except StoreAccessError as error:
        raise OSError(f"the request stands, the store could not be asked: {error}") from error
    return msgspec.json.decode(line, type=dict[str, int])


def _fail(reason: str) -> NoReturn:
    _errors.print(f"[red]erase:[/red] {escape(reason)}", soft_wrap=True)
    raise typer.Exit(1)
