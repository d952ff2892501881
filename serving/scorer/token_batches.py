"""Batches of texts of like length, bounded by tokens: padding costs as much as text does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def token_bounded(lengths: Sequence[int], most_tokens: int) -> list[NDArray[np.int64]]:
    """Group rows by length so that each group's rows × longest row stays within `most_tokens`.

    Every row is in exactly one group, the shortest rows first; a row longer than the bound is alone.

    Args:
        lengths: Tokens of each row.
        most_tokens: Tokens of a group, padding included.
    """
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    groups: list[NDArray[np.int64]] = []
    start = 0
    for end, row in enumerate(order):
        if end > start and (end - start + 1) * lengths[row] > most_tokens:
            groups.append(order[start:end])
            start = end
    if start < len(order):
        groups.append(order[start:])
    return groups
