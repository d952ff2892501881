"""`pulse mark`: say that an alert was right or wrong, or mute its kind on its channel."""

import re
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from infra.cli.api_access import ApiAccessError, call
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False)

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Verdict(StrEnum):
    """What may be said of an alert."""

    RIGHT = "right"
    WRONG = "wrong"
    MUTED = "muted"


def seconds(span: str) -> int:
    """A span such as 90s, 30m, 2h or 1d, in seconds.

    Raises:
        typer.BadParameter: it is none.
    """
    found = re.fullmatch(r"(\d{1,7})([smhd])", span.strip())
    if found is None:
        raise typer.BadParameter(f"`{span}` is no span: write 90s, 30m, 2h or 1d", param_hint="--for")
    return int(found[1]) * _UNITS[found[2]]


@app.command(no_args_is_help=True)
def main(
    alert: Annotated[
        str, typer.Argument(help='Alert id, as in `pulse sql "SELECT alert_id … FROM alerts"`.')
    ],
    verdict: Annotated[Verdict, typer.Argument(help="What you say of it.")],
    note: Annotated[str, typer.Option(help="Why; kept with the mark.")] = "",
    span: Annotated[
        str | None, typer.Option("--for", help="How long a mute lasts: 30m, 2h, 1d; 0s ends it. Default 1h.")
    ] = None,
    workspace: Annotated[str, typer.Option(help="The alert's workspace.")] = "default",
) -> None:
    """Mark an alert; a mute keeps the notifier silent on that kind of alert on that channel.

    Needs a running stack. Example: pulse mark 7c1f0a9be2d34455 muted --for 2h --note "release party"
    """
    if span is not None and verdict is not Verdict.MUTED:
        raise typer.BadParameter("only a mute has a length", param_hint="--for")
    body: dict[str, Any] = {"verdict": verdict.value, "note": note}
    if span is not None:
        body["mute_for_s"] = seconds(span)
    try:
        path = f"{quote(workspace, safe='')}/alerts/{quote(alert, safe='')}/marks"
        call(Endpoints(), "POST", path, body=body)
    except ApiAccessError as error:
        typer.echo(f"pulse mark: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{alert}: {verdict.value}")
