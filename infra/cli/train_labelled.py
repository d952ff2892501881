"""`pulse train --data`: a shipped model, fine-tuned on a partner's own labels."""

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from schemas.endpoints import Endpoints


def train_labelled(data: Path, base: str, name: str | None, epochs: int | None, threads: int) -> None:
    """Fine-tune `base` on the file and print the report and the folder.

    Raises:
        typer.Exit: If the file or the model cannot be used; says why.
        ModuleNotFoundError: If the extra `train` is missing.
    """
    import torch

    from serving.finetune.graph import GraphError
    from serving.finetune.labelled import LabelledFileError
    from serving.finetune.report import table
    from serving.finetune.run import finetune
    from serving.finetune.tune import TuneSettings
    from serving.scorer.backend import ModelNotFoundError, model_folder

    torch.set_num_threads(threads)
    settings = TuneSettings() if epochs is None else TuneSettings(epochs=epochs)
    models = Endpoints().pulse_home.expanduser().resolve() / "models"
    columns = (TextColumn("{task.description:28}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        folder = model_folder(base)
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("reading", total=1.0)
            outcome = finetune(
                folder, data, models, name or f"{folder.name}-{data.stem.lower()}", settings,
                lambda done, loss: progress.update(
                    task, description=f"fine-tuning (dev loss {loss:.3f})", completed=done
                ),
            )  # fmt: skip
    except (LabelledFileError, GraphError, ModelNotFoundError, ValueError) as error:
        typer.echo(f"pulse train: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(table(outcome.changes, outcome.drifts))
    if not outcome.epoch:
        typer.echo("no epoch was better on the dev part: the weights are unchanged", err=True)
    typer.echo(outcome.folder)
