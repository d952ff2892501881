"""`pulse playbook`: what to do about an alert, and why."""

import json
from enum import StrEnum
from typing import Annotated, cast, get_args

import typer

from schemas.playbooks import Language, told
from schemas.records import AlertKind, Severity

app = typer.Typer(add_completion=False)


class Output(StrEnum):
    """How the playbook is printed."""

    TEXT = "text"
    JSON = "json"


@app.command(no_args_is_help=True)
def playbook(
    kind: Annotated[str, typer.Argument(help=f"Alert kind: {', '.join(get_args(AlertKind))}.")],
    severity: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Severity))}.")] = "medium",
    lang: Annotated[str, typer.Option(help="en or ru.")] = "en",
    output: Annotated[Output, typer.Option("--format", help="json is one object.")] = Output.TEXT,
) -> None:
    """Show what to do about alerts of a kind, why, and which moderation actions are prepared.

    Needs no stack. Example: pulse playbook attack.raid --severity high --lang ru
    """
    for value, known, hint in (
        (kind, get_args(AlertKind), "KIND"),
        (severity, get_args(Severity), "--severity"),
        (lang, get_args(Language), "--lang"),
    ):
        if value not in known:
            raise typer.BadParameter(f"`{value}` is none of {', '.join(known)}", param_hint=hint)
    play = told(cast(AlertKind, kind), cast(Severity, severity), cast(Language, lang))
    if output is Output.JSON:
        typer.echo(json.dumps(play, ensure_ascii=False))
        return
    typer.echo(f"{kind} · {severity}\n\n{play['why']}\n")
    for number, step in enumerate(play["steps"], 1):
        typer.echo(f"{number}. {step}")
    if play["actions"]:
        typer.echo("")
    for action in play["actions"]:
        typer.echo(f"[{action['type']}] {action['label']}")
