"""`pulse setup`."""

import pyarrow as pa
import typer
from rich.console import Console

from infra.cli.launcher import through_launcher
from infra.local import doctor
from infra.local.jars import JarsError, ensure_jars
from infra.local.settings import Stack
from schemas.scoring import REQUEST
from serving.scorer.backend import load_scorer

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def setup() -> None:
    """Install everything that is missing: Java, Maven, the Python packages, the jars. Starts nothing.

    The launcher `./pulse` in the checkout does the work; this command calls it and then says what is there.
    """
    through_launcher("setup")
    console = Console(stderr=True)
    stack = Stack()
    try:
        ensure_jars(stack, console.print)
    except JarsError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    console.print("compiling what prepares texts, once for this machine")
    _compile()
    doctor.show(doctor.set_up(stack), console)
    console.print("Set up. [bold]./pulse demo[/bold] starts everything.")


def _compile() -> None:
    """Run each compiled function once: the cache that it leaves spares the first start 10 to 20 s of CPU."""
    from pipelines.core.detection.lines import prepare

    prepare("warm up")
    lines = [{"id": "1", "text": "warm up", "platform": "replay"}]
    load_scorer().score(pa.RecordBatch.from_pylist(lines, schema=REQUEST))
