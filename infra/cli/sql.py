"""`pulse sql`: one reading query to the store, stack up or down."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from infra.cli.store_access import StoreAccessError, query
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command(no_args_is_help=True)
def sql(
    statement: Annotated[
        str, typer.Argument(help='The query, e.g. "SELECT count() FROM messages"; - reads it from stdin.')
    ],
    output: Annotated[
        Output, typer.Option("--format", help="json is one object a line.", case_sensitive=False)
    ] = Output.TABLE,
) -> None:
    """Query the store in ClickHouse SQL, read-only, whether the stack is up or down.

    Views: messages (one row per chat line, scored or not), windows, indices, activity, alerts, events,
    sources, gaps, late_rows, dead_letters, streams, opinions; `SHOW TABLES` and `DESCRIBE messages` say more.
    Repeated records count once in all of them. Limits: 1,000,000 rows, 256 MB, 60 s.
    """
    text = sys.stdin.read() if statement == "-" else statement
    if not text.strip():
        raise typer.BadParameter("the query is empty", param_hint="STATEMENT")
    try:
        result = query(Endpoints(), text, output.value)
    except StoreAccessError as error:
        _errors.print(f"[red]no result:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
