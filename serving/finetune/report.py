"""Before and after on the held-out part: what fine-tuning gained, and what else it moved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.finetune.labelled import Labelled
from serving.training.figures import average_precision, calibration_error, f1, macro_f1
from serving.training.labels import HEADS, SLICES

_RESAMPLES: Final = 500
_SEED: Final = 7
_DEFAULT_THRESHOLD: Final = 0.5
Heads = dict[str, NDArray[np.float32]]
Measure = Callable[[NDArray[np.float32], NDArray[np.int64]], float]
"""A figure of the probabilities of one head over some rows."""


@dataclass(frozen=True)
class Change:
    """One figure of one head; `low` and `high`: 95 % interval of the change (paired bootstrap over rows)."""

    head: str
    measure: str
    rows: int
    before: float
    after: float
    low: float
    high: float


@dataclass(frozen=True)
class Drift:
    """How far a head that the file does not label has moved: mean absolute change of its probabilities."""

    head: str
    moved: float


def changes(
    data: Labelled,
    rows: NDArray[np.int64],
    before: tuple[Heads, dict[str, float]],
    after: tuple[Heads, dict[str, float]],
) -> list[Change]:
    """Figures of each labelled head over `rows`; before, after: probabilities of these rows, thresholds."""
    found = []
    for head in HEADS:
        known = data.known[rows][:, SLICES[head]].any(axis=1)
        true = data.targets[rows][known][:, SLICES[head]] >= 0.5
        if known.any():
            old, new = before[0][head][known], after[0][head][known]
            for name, old_measure in _measures(head, true, before[1]):
                new_measure = dict(_measures(head, true, after[1]))[name]
                found.append(_change(head, name, old, new, old_measure, new_measure))
    return found


def drifts(data: Labelled, before: Heads, after: Heads) -> list[Drift]:
    """The heads, the language's too, that the file says nothing about."""
    labelled = {head for head, part in SLICES.items() if data.known[:, part].any()}
    return [
        Drift(head, float(np.abs(before[head] - after[head]).mean()))
        for head in before
        if head not in labelled
    ]


def _change(
    head: str, name: str, old: NDArray[np.float32], new: NDArray[np.float32], before: Measure, after: Measure
) -> Change:
    count = len(old)
    every = np.arange(count)
    random = np.random.default_rng(_SEED)
    samples = (random.integers(0, count, count) for _ in range(_RESAMPLES))
    low, high = np.percentile([after(new, chosen) - before(old, chosen) for chosen in samples], [2.5, 97.5])
    return Change(head, name, count, before(old, every), after(new, every), float(low), float(high))


def _measures(
    head: str, true: NDArray[np.bool_], thresholds: dict[str, float]
) -> Iterator[tuple[str, Measure]]:
    labels = HEADS[head]
    if head == "sentiment":
        classes = true.argmax(axis=1)
        yield "macro-F1", lambda p, rows: macro_f1(p[rows].argmax(axis=1), classes[rows], len(labels))
        yield (
            "ECE",
            lambda p, rows: calibration_error(p[rows].max(axis=1), p[rows].argmax(axis=1) == classes[rows]),
        )
        return
    single = len(labels) == 1
    limits = np.array(
        [thresholds.get(label if single else f"{head}.{label}", _DEFAULT_THRESHOLD) for label in labels]
    )

    def f1_of(p: NDArray[np.float32], rows: NDArray[np.int64]) -> float:
        predicted, truth = p[rows] >= limits, true[rows]
        if single:
            return macro_f1(predicted[:, 0].astype(np.int64), truth[:, 0].astype(np.int64), 2)
        return float(np.mean([f1(predicted[:, at], truth[:, at]) for at in np.flatnonzero(true.any(axis=0))]))

    def precision_of(p: NDArray[np.float32], rows: NDArray[np.int64]) -> float:
        there = np.flatnonzero(true[rows].any(axis=0))
        return (
            float(np.mean([average_precision(p[rows, at], true[rows, at]) for at in there]))
            if len(there)
            else 0.0
        )

    if true.any():
        yield "macro-F1", f1_of
        yield "average precision", precision_of
    yield (
        "ECE",
        lambda p, rows: float(
            np.mean([calibration_error(p[rows, at], true[rows, at]) for at in range(len(labels))])
        ),
    )


def table(found: list[Change], moved: list[Drift]) -> str:
    """Markdown tables of changes and drifts."""
    lines = [
        "| head | measure | rows | before | after | change, 95 % |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {c.head} | {c.measure} | {c.rows} | {c.before:.3f} | {c.after:.3f} "
            f"| {c.low:+.3f} … {c.high:+.3f} |"
            for c in found
        ),
    ]
    if moved:
        lines += ["", "| head without labels | moved by |", "| --- | --- |"]
        lines += [f"| {drift.head} | {drift.moved:.4f} |" for drift in moved]
    return "\n".join(lines) + "\n"
