"""Which classes are taken for which: confusion matrices of sentiment and the basic emotions.

Over the test parts of all sets together, rows with exactly one true class; the answer is the likeliest
of the classes that the row's set asks for, without thresholds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.scorer.backend import ChatModel
from serving.training.datasets import TEST, Corpus
from serving.training.labels import HEADS, SLICES, label_map

_HEADS: Final = ("sentiment", "basic")


@dataclass(frozen=True)
class Confusion:
    """Counts of one head: rows are true classes, columns the likeliest ones, in the order of `labels`."""

    head: str
    labels: tuple[str, ...]
    counts: NDArray[np.int64]


def confusion(scorer: ChatModel, corpus: Corpus, part: int = TEST) -> list[Confusion]:
    """One matrix a head that the part's rows label; sentiment derived from emotions does not count."""
    rows = corpus.rows(part)
    heads = scorer.forward([corpus.texts[i] for i in rows])
    of_sentiment = np.array([label_map().sets[name].sentiment is not None for name in corpus.set_names])
    found = []
    for head in _HEADS:
        known = corpus.weights[rows][:, SLICES[head]] > 0
        if head == "sentiment":
            known &= of_sentiment[corpus.sets[rows]][:, None]
        counts = count_confusions(heads[head], corpus.targets[rows][:, SLICES[head]] >= 0.5, known)
        if counts.any():
            found.append(Confusion(head, HEADS[head], counts))
    return found


def count_confusions(
    probabilities: NDArray[np.float32], targets: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Count true against likeliest class, shape (classes, classes); arguments have shape (rows, classes)."""
    classes = targets.shape[1]
    true = targets & known
    single = true.sum(axis=1) == 1
    answers = np.where(known, probabilities, -1.0)[single].argmax(axis=1)
    cells = true[single].argmax(axis=1) * classes + answers
    counts: NDArray[np.int64] = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    return counts


def confusion_table(found: Iterable[Confusion]) -> str:
    """Markdown: a table a head, each true class's answers as shares of its rows."""
    tables = []
    for entry in found:
        lines = [
            f"| {entry.head}: true ↓, said → | rows | {' | '.join(entry.labels)} |",
            "| --- | --- |" + " --- |" * len(entry.labels),
        ]
        for label, counts in zip(entry.labels, entry.counts, strict=True):
            if total := int(counts.sum()):
                shares = " | ".join(f"{count / total:.2f}" for count in counts)
                lines.append(f"| {label} | {total:,} | {shares} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)
