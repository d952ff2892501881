"""`pulse dashboards`: Grafana dashboards and alert rules, built from Python, pushed to a running Grafana."""

from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from dashboards.grafana import build as built
from dashboards.grafana.language import Language

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)


@app.callback()
def dashboards() -> None:
    """Grafana as code: dashboards, alert rules and provisioning files."""


@app.command()
def build(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where committed files differ.")
    ] = False,
) -> None:
    """Write dashboards/grafana/build: dashboards in English and Russian, Grafana's provisioning files.

    Prints each file that changed (with --check: that would change).
    """
    touched = built.differences() if check else built.write()
    for path in touched:
        typer.echo(path)
    if check and touched:
        _errors.print(f"[red]{len(touched)} files differ:[/red] run `pulse dashboards build` and commit them")
        raise typer.Exit(1)
    _errors.print("up to date" if not touched else f"{len(touched)} files written")


@app.command()
def push(
    url: Annotated[
        str, typer.Option(envvar="GRAFANA_URL", help="Address of Grafana.")
    ] = "http://127.0.0.1:3000",
    token: Annotated[
        str, typer.Option(envvar="GRAFANA_TOKEN", help="Service account token with the role Editor.")
    ] = "",
    russian: Annotated[bool, typer.Option("--ru", help="Russian titles instead of English ones.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what people changed by hand.")] = False,
) -> None:
    """Bring the folder Pulse, its dashboards and alert rules into a running Grafana; safe to repeat.

    What people changed by hand there is kept and named. One line a thing on stdout: action, kind, name.
    Exit status 1 where Grafana cannot be reached, refuses, or lacks one of the data sources.
    """
    from grafana_client.api import GrafanaApi

    from dashboards.grafana.push import Push, PushError

    if urlsplit(url).scheme not in ("http", "https"):
        raise typer.BadParameter("an address such as http://127.0.0.1:3000", param_hint="--url")
    if not token:
        raise typer.BadParameter(
            "make a service account token in Grafana (Administration, Service accounts) and set"
            " GRAFANA_TOKEN",
            param_hint="--token",
        )
    language: Language = "ru" if russian else "en"
    try:
        outcomes = Push(
            GrafanaApi.from_url(url, credential=token), language, dry_run=dry_run, force=force
        ).run()
    except PushError as error:
        _errors.print(f"[red]not pushed:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    for outcome in outcomes:
        typer.echo(f"{outcome.action:<10} {outcome.kind:<12} {outcome.name:<18} {outcome.detail}".rstrip())
    if dry_run:
        _errors.print("dry run: nothing was written")
    if any(outcome.action == "failed" for outcome in outcomes):
        raise typer.Exit(1)
