"""Calibration of each head over the test parts of all sets together: expected calibration error, diagram.

Guo et al. 2017 (https://arxiv.org/abs/1706.04599). A head of many labels counts every label of every row as
one prediction; sentiment counts its likeliest class.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.scorer.backend import ChatModel
from serving.training.datasets import TEST, Corpus
from serving.training.labels import HEADS, SLICES

BINS: Final = 15


@dataclass(frozen=True)
class Reliability:
    """Predictions of one head in bins of equal width: what was said and how often it was so."""

    head: str
    said: NDArray[np.float64]
    """Mean probability of each filled bin."""
    true: NDArray[np.float64]
    """Share of its predictions that were right."""
    counts: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error."""
        return float((np.abs(self.said - self.true) * self.counts).sum() / self.counts.sum())


def reliability(scorer: ChatModel, corpus: Corpus, part: int = TEST) -> list[Reliability]:
    """One entry a head that the part's rows label."""
    rows = corpus.rows(part)
    heads = scorer.forward([corpus.texts[i] for i in rows])
    found = []
    for head in HEADS:
        known = corpus.weights[rows][:, SLICES[head]] > 0
        targets = corpus.targets[rows][:, SLICES[head]] >= 0.5
        if head == "sentiment":
            said, true = _likeliest(heads[head], known, targets)
        else:
            said, true = heads[head][known], targets[known]
        if len(said):
            found.append(binned(head, said, true))
    return found


def binned(head: str, said: NDArray[np.float32], true: NDArray[np.bool_]) -> Reliability:
    """Predictions in BINS bins of equal width; empty ones are left out."""
    places = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    filled = counts > 0
    sums = np.bincount(places, weights=said.astype(np.float64), minlength=BINS)
    rights = np.bincount(places, weights=true.astype(np.float64), minlength=BINS)
    return Reliability(head, sums[filled] / counts[filled], rights[filled] / counts[filled], counts[filled])


def reliability_table(found: Iterable[Reliability]) -> str:
    """Markdown: head, predictions, expected calibration error."""
    rows = [f"| {entry.head} | {entry.counts.sum():,} | {entry.error:.3f} |" for entry in found]
    return "\n".join(["| head | predictions | ECE |", "| --- | --- | --- |", *rows]) + "\n"


def _likeliest(
    probabilities: NDArray[np.float32], known: NDArray[np.bool_], targets: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Confidence of the likeliest class among those that the set asks for, and whether it is the true one."""
    asked = known.any(axis=1)
    scores = np.where(known[asked], probabilities[asked], 0)
    scores = scores / scores.sum(axis=1, keepdims=True)
    best = scores.argmax(axis=1)
    return scores.max(axis=1), targets[asked][np.arange(len(best)), best]
