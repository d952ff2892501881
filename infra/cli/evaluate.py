"""`pulse evaluate`: a model's figures on the test parts of the labelled sets, and its card."""

from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help="Model name under serving/models, or a model folder.")] = "fast",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="This set only (repeatable).", show_default="all"),
    ] = None,
    card: Annotated[bool, typer.Option("--card", help="Write CARD.md into the model folder.")] = False,
    attack: Annotated[
        bool, typer.Option("--robustness", help="Print what attacks cost instead of the test figures.")
    ] = False,
) -> None:
    """Print a model's figures on the test parts of the labelled sets as a table.

    Reads ../shared/data (or PULSE_SHARED/data). Thresholds come from each set's own dev part; test parts are
    never tuned on. Below it stand, over all these parts together, the confusions of sentiment and the basic
    emotions and the calibration error of each head.

    With --robustness: recall of toxic lines at 5 % false positives on clean text, before and after each
    attack (homoglyphs, leet, invisible characters, spaced and stretched letters, …), with the normaliser and
    without, and the false alarms on harmless lines that were attacked alike.

    With --card (all sets) both, and language identification, false alarms by group, what emotes tell,
    functional tests and speed, are written to the model card with its pictures. Needs the extra `train`.
    """
    try:
        from serving.scorer.backend import ModelNotFoundError, load_folder, model_folder
        from serving.training.bias import false_alarms
        from serving.training.card import table, write_card
        from serving.training.confusion import confusion, confusion_table
        from serving.training.datasets import DataMissingError, data_folder, load_corpus
        from serving.training.emotes.ablation import ablation
        from serving.training.evaluate import evaluate as figures_of
        from serving.training.evaluate import language_figures
        from serving.training.functional import functionalities
        from serving.training.labels import label_map
        from serving.training.reliability import reliability, reliability_table
        from serving.training.remembering import Remembering
        from serving.training.robustness import robustness, robustness_table
        from serving.training.throughput import throughput
    except ModuleNotFoundError as error:
        typer.echo(f"pulse evaluate: {error}; install the extra: uv sync --extra train", err=True)
        raise typer.Exit(1) from error
    unknown = set(sets or ()) - set(label_map().sets)
    if unknown:
        known = ", ".join(label_map().sets)
        raise typer.BadParameter(f"no set {', '.join(unknown)}; there are {known}", param_hint="--set")
    if sets and (card or attack):
        raise typer.BadParameter("leave --set out: these take sets of their own", param_hint="--set")
    try:
        folder = model_folder(model)
        scorer = load_folder(folder)
        remembering = Remembering(scorer)
        data = data_folder()
    except (ModelNotFoundError, DataMissingError) as error:
        typer.echo(f"pulse evaluate: {error}", err=True)
        raise typer.Exit(1) from error
    with Console(stderr=True).status("preparing texts") as status:
        attacks = robustness(remembering, data, status.update) if attack or card else []
        if attack:
            typer.echo(robustness_table(attacks))
        if attack and not card:
            return
        corpus = load_corpus(data, sets)
        figures = figures_of(remembering, corpus, status.update)
        typer.echo(table(figures))
        status.update("confusion and calibration")
        confusions = confusion(remembering, corpus)
        typer.echo(confusion_table(confusions))
        calibration = reliability(remembering, corpus)
        typer.echo(reliability_table(calibration))
        if card:
            figures += language_figures(scorer, corpus)
            status.update("functional tests and speed")
            path = write_card(
                folder, scorer.config, figures, functionalities(remembering, data), throughput(scorer, data),
                confusions, calibration, attacks, false_alarms(remembering, data),
                ablation(scorer, data, status.update),
            )  # fmt: skip
            typer.echo(path)
