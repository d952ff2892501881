"""`pulse test`."""

import os
import sys
from typing import Annotated

import typer

from infra.cli.launcher import SET_UP, through_launcher
from infra.local.settings import ROOT

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

FAST = "not stack and not kill and not browser"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    fast: Annotated[
        bool, typer.Option("--fast", help="Only what needs no running part: unit, contract.")
    ] = False,
) -> None:
    """Run the tests, with all the set-up they need.

    Unit and contract tests first, then those on real parts: Flink adapters, the whole stack, the page in a
    browser, and last the ones that kill processes. The tests' stack is their own: own folder, own ports.

    Further arguments go to pytest: `pulse test tests/unit -k ports`.
    """
    through_launcher("test")
    arguments = [*(["-m", FAST] if fast else []), *context.args]
    os.chdir(ROOT)
    environment = {name: value for name, value in os.environ.items() if name != SET_UP}
    os.execve(sys.executable, [sys.executable, "-m", "pytest", *arguments], environment)
