"""`pulse dlq`: list the dead letters and hand them back."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NoReturn, get_args

import typer
from kafka import KafkaProducer
from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.replay.run_state import RunStates
from infra.cli.dead_letters import Found, ReinjectedNote, read_dead_letters, reinject
from schemas.endpoints import Endpoints
from schemas.records import DeadLetter, ErrorClass

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)
_SHOWN_BYTES = 200
_TABLE_WIDTH = 200


class Format(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"


def _known_class(name: str | None) -> str | None:
    if name is not None and name not in get_args(ErrorClass):
        raise typer.BadParameter(f"one of {', '.join(get_args(ErrorClass))}")
    return name


ClassOption = Annotated[
    str | None,
    typer.Option("--class", callback=_known_class, help="Only those of this error class, e.g. not_json."),
]


@app.callback()
def main() -> None:
    """List and re-inject dead letters: records that could not be read, kept with their original bytes.

    Both commands speak to Kafka alone and work while the store is down.
    """


@app.command("list")
def list_(
    error_class: ClassOption = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    output: Annotated[
        Format, typer.Option("--format", help="`json` prints one object a line.")
    ] = Format.TABLE,
) -> None:
    """Show the newest dead letters, oldest first, each once; raw bytes are escaped and cut."""
    try:
        found = sorted(_distinct(read_dead_letters(_bootstrap()), error_class), key=_age)
    except (OSError, KafkaError) as error:
        _fail(error)
    newest = [item.letter for item in found[-limit:]]
    if output is Format.JSON:
        for letter in newest:
            typer.echo(json.dumps(_as_json(letter), ensure_ascii=False))
    elif newest:
        _print_table(newest)
    _errors.print(f"{len(newest)} of {len(found)} dead letters")


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Option("--id", help="This one; may be repeated.")] = None,
    error_class: ClassOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were handed back before.")] = False,
) -> None:
    """Hand dead letters back: a topic's records byte for byte, a replayed file's lines by reading them again.

    Worth it once the reason is gone, by a newer version or a repaired file's format. What still cannot be
    read comes back as a new dead letter. Records carry the header `pulse-dlq-id`; what was handed back is
    noted under PULSE_HOME/run and not handed back twice, unless with --again.

    Prints one JSON object for each: dlq_id, sent_to (null: it stays a dead letter), detail.
    """
    if not (ids or error_class or everything):
        raise typer.BadParameter("say which: --id ID, --class CLASS or --all")
    endpoints = Endpoints()
    note = ReinjectedNote(endpoints.pulse_home / "run" / "dlq-reinjected.jsonl")
    sent = failed = 0
    try:
        chosen = [
            found for found in _distinct(read_dead_letters(_bootstrap()), error_class) if _among(found, ids)
        ]
        if unknown := set(ids or ()) - {found.letter.dlq_id for found in chosen}:
            raise LookupError(f"no dead letter {', '.join(sorted(unknown))}; see `pulse dlq list`")
        done = set() if again else note.ids()
        todo = [found for found in chosen if found.letter.dlq_id not in done]
        producer = KafkaProducer(
            bootstrap_servers=_bootstrap().split(","), acks="all", max_request_size=17 * 1024 * 1024
        )
        try:
            states = RunStates(endpoints.pulse_home / "run" / "replay")
            for outcome in reinject(todo, producer, states, endpoints.pulse_home):
                note.add([outcome])
                typer.echo(json.dumps(outcome._asdict(), ensure_ascii=False))
                sent += outcome.sent_to is not None
                failed += outcome.sent_to is None
        finally:
            producer.close()
    except (OSError, KafkaError, LookupError) as error:
        _fail(error)
    skipped = len(chosen) - len(todo)
    _errors.print(f"{sent} handed back, {failed} stay dead letters, {skipped} were handed back before")
    if failed:
        raise typer.Exit(1)


def _bootstrap() -> str:
    return Endpoints().kafka_bootstrap


def _distinct(found: Iterable[Found], error_class: str | None) -> list[Found]:
    by_id = {item.letter.dlq_id: item for item in found}
    return [item for item in by_id.values() if error_class in (None, item.letter.error_class)]


def _age(found: Found) -> tuple[int, str, int, int]:
    letter = found.letter
    return letter.seen_at, letter.source, letter.partition, letter.position


def _among(found: Found, ids: list[str] | None) -> bool:
    return not ids or found.letter.dlq_id in ids


def _fail(error: Exception) -> NoReturn:
    _errors.print(f"[red]dead letters not read:[/red] {error}", soft_wrap=True)
    raise typer.Exit(1) from None


def escaped(raw: bytes, most: int = _SHOWN_BYTES) -> str:
    """The first bytes as text: valid UTF-8 stays, control characters and other bytes are escaped."""
    text = raw[:most].decode("utf-8", "backslashreplace")
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown + ("…" if len(raw) > most else "")


def _as_json(letter: DeadLetter) -> dict[str, str | int]:
    return {
        "dlq_id": letter.dlq_id,
        "seen_at": letter.seen_at,
        "workspace": letter.workspace,
        "stage": letter.stage,
        "source": letter.source,
        "partition": letter.partition,
        "position": letter.position,
        "error_class": letter.error_class,
        "error": letter.error,
        "raw": escaped(letter.raw),
        "raw_bytes": len(letter.raw),
    }


def _print_table(letters: Iterable[DeadLetter]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_TABLE_WIDTH)
    table = Table(box=None, pad_edge=False)
    for column in ("id", "seen (UTC)", "class", "error", "bytes", "raw"):
        table.add_column(column, overflow="fold" if column in ("id", "raw") else "ellipsis")
    for letter in letters:
        seen = datetime.fromtimestamp(letter.seen_at / 1000, UTC).strftime("%m-%d %H:%M:%S")
        cells = (letter.dlq_id, seen, letter.error_class, letter.error, str(len(letter.raw)))
        table.add_row(*(Text(cell) for cell in (*cells, escaped(letter.raw, 60))))
    console.print(table)
