"""Measures of a classifier's probabilities, and one row of the evaluation table."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

_BINS: Final = 15


@dataclass(frozen=True)
class Figure:
    """One measured figure: which set, language, head and measure, over how many rows."""

    set_name: str
    lang: str
    head: str
    measure: str
    value: float
    rows: int
    published: str = ""


def f1(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """F1 of the positive class; 0 where it is neither predicted nor true."""
    return float(2 * (predicted & true).sum() / max(1, predicted.sum() + true.sum()))


def macro_f1(predicted: NDArray[np.int64], true: NDArray[np.int64], classes: int) -> float:
    """Unweighted mean of the classes' F1."""
    return float(np.mean([f1(predicted == label, true == label) for label in range(classes)]))


def macro_recall(predicted: NDArray[np.int64], true: NDArray[np.int64], classes: int) -> float:
    """Unweighted mean of the classes' recall."""
    recalls = [float((predicted == label)[true == label].mean()) for label in range(classes)]
    return float(np.mean(recalls))


def average_precision(probabilities: NDArray[np.float32], true: NDArray[np.bool_]) -> float:
    """Area under precision over recall."""
    return float(average_precision_score(true, probabilities))


def calibration_error(probabilities: NDArray[np.float32], true: NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017, arXiv:1706.04599)."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    total = 0.0
    for index in range(_BINS):
        chosen = bins == index
        if chosen.any():
            total += float(abs(probabilities[chosen].mean() - true[chosen].mean()) * chosen.mean())
    return total
