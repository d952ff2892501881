"""`python -m serving.training.emotes`: learn what emotes mean from the recordings in the shared data.

Prints one line of tab-separated values a name and an ending of names, and to stderr how the proposals agree
with the list checked by hand. The lexicon (pipelines/core/text/emotes.yaml) is edited by hand from this.
"""

from pathlib import Path
from typing import Annotated

import typer

from serving.scorer.fast import FastScorer
from serving.training.datasets import DataMissingError, data_folder
from serving.training.emotes.checked import agreements, read_checked, with_learned
from serving.training.emotes.learn import learn
from serving.training.emotes.marking import group_of

_SHIPPED = Path(__file__).parents[2] / "models/fast"


def main(
    model: Annotated[
        Path, typer.Option(help="Folder of the fast model that scores the text around.")
    ] = _SHIPPED,
    most: Annotated[int, typer.Option(help="Names and endings to print, most lines first.", min=1)] = 200,
) -> None:
    """Learn what emotes mean from the training streams of recorded chat."""
    try:
        learned = learn(data_folder(), FastScorer.load(model), lambda stage: typer.echo(stage, err=True))
    except (DataMissingError, FileNotFoundError) as error:
        typer.echo(f"pulse: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo("kind\tunit\tlines\tstreams\tproposed\tnearest\tsurprise\tratio\tlikeness\tsentiment\tlexicon")
    for kind, proposals in (("name", learned.names), ("ending", learned.endings)):
        for found in proposals[:most]:
            cells = (
                kind, found.unit, found.lines, found.streams, found.group or "", found.nearest or "",
                f"{found.surprise:.1f}", f"{found.ratio:.2f}", f"{found.likeness:.2f}",
                f"{found.sentiment:.3f}",
                group_of(found.unit if kind == "name" else "." + found.unit) or "",
            )  # fmt: skip
            typer.echo("\t".join(map(str, cells)))
    checked = with_learned(read_checked(), learned.names)
    told = ", ".join(f"{count} {agreement}" for agreement, count in agreements(checked).most_common())
    typer.echo(f"{len(checked)} emotes checked by hand: {told}", err=True)


if __name__ == "__main__":
    typer.run(main)
