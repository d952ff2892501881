"""Pictures of the model card, as SVG: reliability diagram, figures by language."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.figure import Figure as Canvas

from serving.training.figures import Figure
from serving.training.reliability import Reliability

RELIABILITY: Final = "reliability.svg"
LANGUAGES: Final = "languages.svg"
_COLOURS: Final = {
    "emotions": "#4269d0", "basic": "#3ca951", "sentiment": "#efb118", "toxicity": "#ff725c",
    "hate": "#a463f2", "sarcasm": "#9498a0",
}  # fmt: skip
_STYLE: Final[dict[Any, Any]] = {"svg.hashsalt": "pulse", "svg.fonttype": "none", "font.size": 9}


def draw_reliability(folder: Path, found: Sequence[Reliability]) -> Path:
    """Write RELIABILITY: a panel a head, what was said against how often it was so; dots grow with counts."""
    canvas = Canvas(figsize=(9, 5.6), layout="constrained")
    panels = canvas.subplots(2, 3, sharex=True, sharey=True).flat
    for panel, entry in zip(panels, found, strict=False):
        sizes = 6 + 60 * np.sqrt(entry.counts / entry.counts.max())
        panel.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
        panel.plot(entry.said, entry.true, color=_COLOURS[entry.head], linewidth=1)
        panel.scatter(entry.said, entry.true, sizes, color=_COLOURS[entry.head])
        panel.set_title(f"{entry.head}: ECE {entry.error:.3f}")
    canvas.supxlabel("probability said")
    canvas.supylabel("share that was so")
    return _written(canvas, folder / RELIABILITY)


def draw_languages(folder: Path, figures: Iterable[Figure]) -> Path:
    """Write LANGUAGES: for each language and head the mean macro-F1 over its test sets, as bars."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for figure in figures:
        if figure.measure == "macro-F1" and figure.lang != "mean" and figure.head in _COLOURS:
            values[figure.head][figure.lang].append(figure.value)
    heads = [head for head in _COLOURS if head in values]
    canvas = Canvas(figsize=(9, 1.5 * len(heads) + 0.3), layout="constrained")
    rows = canvas.subplots(len(heads), 1, sharey=True, squeeze=False)[:, 0]
    for panel, head in zip(rows, heads, strict=True):
        langs = sorted(values[head])
        means = [float(np.mean(values[head][lang])) for lang in langs]
        panel.bar(langs, means, color=_COLOURS[head])
        panel.set_ylim(0, 1)
        panel.set_ylabel(head)
    canvas.suptitle("macro-F1 by language (mean over its test sets)")
    return _written(canvas, folder / LANGUAGES)


def _written(canvas: Canvas, path: Path) -> Path:
    with matplotlib.rc_context(_STYLE):
        canvas.savefig(path, format="svg", metadata={"Date": None})
    return path
