"""Calibration on the dev parts: one slope a head and one offset a label, then decision thresholds."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from serving.training import bags as kernels
from serving.training.datasets import Corpus
from serving.training.fit import Fitted
from serving.training.labels import HEADS, SLICES, TARGETS
from serving.training.network import masked_loss

# Fewer positive dev rows than this say nothing about a threshold.
_MIN_POSITIVE: Final = 10
# Finer where labels are rare: of 28 emotions some are never given more than a few per cent.
_GRID: Final = np.concatenate([np.arange(0.005, 0.05, 0.005), np.linspace(0.05, 0.95, 91)])


def logits_of(fitted: Fitted, texts: list[str]) -> NDArray[np.float32]:
    """Logits of prepared texts, without the offsets of any set: shape (texts, TARGETS + languages)."""
    width = fitted.table.shape[1]
    bags = fitted.vocabulary.bags(texts)
    rows = np.arange(len(texts))
    halves = np.empty((2, len(texts), width), dtype=np.float32)
    kernels.embed(bags.words, bags.word_ends, rows, fitted.table, 1.0, 0, halves[0])
    kernels.embed(bags.chars, bags.char_ends, rows, fitted.table, 1.0, 0, halves[1])
    with torch.no_grad():
        logits: NDArray[np.float32] = fitted.network(
            torch.from_numpy(np.concatenate(list(halves), axis=1))
        ).numpy()
    return logits


def calibration(
    fitted: Fitted, corpus: Corpus, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slopes and offsets of the logits (Platt scaling with the slope shared in a head, Guo et al. 2017).

    Fitted on the dev rows; each set counts by its weight in the label map, not by its size.
    https://arxiv.org/abs/1706.04599
    """
    raw = torch.from_numpy(logits_of(fitted, [corpus.texts[i] for i in rows]))
    targets = torch.from_numpy(corpus.targets[rows])
    weights = torch.from_numpy(corpus.weights[rows] / set_sizes(corpus, rows)[:, None])
    weights = weights / weights.sum() * len(rows)
    slopes = torch.ones(len(HEADS), requires_grad=True)
    offsets = torch.zeros(TARGETS, requires_grad=True)
    lengths = torch.tensor([len(labels) for labels in HEADS.values()])
    unknown = torch.full((len(rows),), -1)
    optimizer = torch.optim.LBFGS([slopes, offsets], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        scaled = raw[:, :TARGETS] * torch.repeat_interleave(slopes, lengths) + offsets
        loss = masked_loss(torch.cat([scaled, raw[:, TARGETS:]], 1), targets, weights, unknown)
        loss = loss.nan_to_num(0.0) if torch.isnan(loss) else loss
        (loss + 1e-3 * (offsets**2).mean()).backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    languages = raw.shape[1] - TARGETS
    all_slopes = np.concatenate(
        [torch.repeat_interleave(slopes, lengths).detach().numpy(), np.ones(languages)]
    )
    all_offsets = np.concatenate([offsets.detach().numpy(), np.zeros(languages)])
    return all_slopes.astype(np.float32), all_offsets.astype(np.float32)


def thresholds(
    probabilities: NDArray[np.float32], corpus: Corpus, rows: NDArray[np.int64]
) -> dict[str, float]:
    """Thresholds with the best F1 of each emotion, and macro-F1 of single labels (also `label@language`).

    `probabilities`: of the rows, shape (rows, TARGETS).
    """
    targets, known = corpus.targets[rows] >= 0.5, corpus.weights[rows] > 0
    chosen: dict[str, float] = {}
    for head, labels in HEADS.items():
        if head == "sentiment":
            continue
        for at, label in enumerate(labels, SLICES[head].start):
            mask = known[:, at]
            both = len(labels) == 1
            value = best_threshold(probabilities[mask, at], targets[mask, at], both)
            if value is not None:
                chosen[f"{head}.{label}" if not both else label] = value
            if not both:
                continue
            for lang in sorted(set(corpus.langs[rows][mask].tolist())):
                of_lang = mask & (corpus.langs[rows] == lang)
                value = best_threshold(probabilities[of_lang, at], targets[of_lang, at], both)
                if value is not None:
                    chosen[f"{label}@{lang}"] = value
    return chosen


def best_threshold(
    probabilities: NDArray[np.float32], targets: NDArray[np.bool_], both_classes: bool
) -> float | None:
    """Threshold with the best F1 of the positive class, or of both; None on fewer than 10 of either class."""
    if min(targets.sum(), (~targets).sum()) < _MIN_POSITIVE:
        return None
    scores = [_f1(probabilities >= threshold, targets, both_classes) for threshold in _GRID]
    return round(float(_GRID[int(np.argmax(scores))]), 3)


def _f1(predicted: NDArray[np.bool_], targets: NDArray[np.bool_], both_classes: bool) -> float:
    def of_class(chosen: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
        return float(2 * (chosen & true).sum() / max(1, chosen.sum() + true.sum()))

    positive = of_class(predicted, targets)
    return (positive + of_class(~predicted, ~targets)) / 2 if both_classes else positive


def set_sizes(corpus: Corpus, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Number of the given rows in the set of each row."""
    sizes = np.bincount(corpus.sets[rows], minlength=len(corpus.set_names))
    counts: NDArray[np.float32] = sizes[corpus.sets[rows]].astype(np.float32)
    return counts
