"""`pulse marks`: precision of alerts by people's marks; marks as training labels."""

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from infra.cli.api_access import ApiAccessError, call
from infra.cli.store_access import StoreAccessError, query
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Read what people said of alerts (`pulse mark`)."""


@app.command()
def export() -> None:
    """Write each alert that was called right or wrong as one JSON object a line, for training.

    `label` is 1 for right and 0 for wrong; `why` holds the numbers that crossed. The stack may be up or down.
    """
    try:
        rows = query(Endpoints(), "SELECT * FROM alert_labels ORDER BY started_at, alert_id", "json")
    except StoreAccessError as error:
        typer.echo(f"pulse marks: {error}", err=True)
        raise typer.Exit(1) from None
    sys.stdout.buffer.write(rows)
    sys.stdout.buffer.flush()


@app.command()
def precision(
    kind: Annotated[str, typer.Option(help="Only this kind of alert.")] = "",
    days: Annotated[int, typer.Option(min=1, max=31, help="Length of a step.")] = 1,
    workspace: Annotated[str, typer.Option(help="Whose alerts.")] = "default",
) -> None:
    """Show the share of marked alerts that were right, step by step, with its 95 % interval.

    Needs a running stack.
    """
    params = {"kind": kind, "step_ms": days * 86_400_000}
    try:
        answer = call(Endpoints(), "GET", f"{quote(workspace, safe='')}/marks/precision", params=params)
    except ApiAccessError as error:
        typer.echo(f"pulse marks: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo("start_ms\tright\twrong\tprecision\tlow\thigh")
    for point in answer["points"]:
        shares = "\t".join(f"{point[name]:.2f}" for name in ("precision", "low", "high"))
        typer.echo(f"{point['start_ms']}\t{point['right']}\t{point['wrong']}\t{shares}")
