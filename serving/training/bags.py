"""Forward and backward pass of the embedding table in training: compiled, sparse, deterministic."""

import numba
import numpy as np
from numpy.typing import NDArray


def embed(
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
    rows: NDArray[np.int64],
    table: NDArray[np.float32],
    keep: float,
    seed: int,
    out: NDArray[np.float32],
) -> None:
    """Write the bag of each text in `rows` into `out`: sum of table rows over the root of their number.

    Each feature is kept with probability `keep` (and then weighs 1 / keep), by a hash of its place and
    `seed`, so that `update` sees the same choice.
    """
    _embed(ids, ends, rows, table, np.uint64(keep * 2**32), np.float32(1 / keep), np.uint64(seed), out)


def update(
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
    rows: NDArray[np.int64],
    table: NDArray[np.float32],
    squares: NDArray[np.float32],
    keep: float,
    seed: int,
    gradient: NDArray[np.float32],
    rate: float,
) -> None:
    """One step of row-wise Adagrad on the table, given the gradient of the bags of the last `embed`.

    Row-wise: one running sum of squares a row instead of one a weight (Mudigere et al. 2022,
    https://arxiv.org/abs/2104.05158, section 4.1.4).
    """
    _update(
        ids, ends, rows, table, squares, np.uint64(keep * 2**32), np.float32(1 / keep), np.uint64(seed),
        gradient, np.float32(rate),
    )  # fmt: skip


@numba.njit(cache=True, inline="always")
def _kept(place, seed, threshold):  # type: ignore[no-untyped-def]  # pragma: no cover
    state = (np.uint64(place) ^ (seed * np.uint64(0xD1B54A32D192ED03))) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (state >> np.uint64(32)) < threshold


@numba.njit(cache=True)
def _embed(ids, ends, rows, table, threshold, weight, seed, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    width = table.shape[1]
    for i in range(rows.shape[0]):
        begin, end = ends[rows[i]], ends[rows[i] + 1]
        for column in range(width):
            out[i, column] = 0
        for at in range(begin, end):
            if _kept(at, seed, threshold):
                row = ids[at]
                for column in range(width):
                    out[i, column] += table[row, column]
        if end > begin:
            factor = np.float32(weight / np.sqrt(np.float32(end - begin)))
            for column in range(width):
                out[i, column] *= factor


@numba.njit(cache=True)
def _update(ids, ends, rows, table, squares, threshold, weight, seed, gradient, rate):  # type: ignore[no-untyped-def]  # pragma: no cover
    width = table.shape[1]
    for i in range(rows.shape[0]):
        begin, end = ends[rows[i]], ends[rows[i] + 1]
        if end == begin:
            continue
        factor = np.float32(weight / np.sqrt(np.float32(end - begin)))
        square = np.float32(0)
        for column in range(width):
            square += gradient[i, column] * gradient[i, column]
        square *= factor * factor / np.float32(width)
        for at in range(begin, end):
            if _kept(at, seed, threshold):
                row = ids[at]
                squares[row] += square
                step = rate * factor / (np.sqrt(squares[row]) + np.float32(1e-8))
                for column in range(width):
                    table[row, column] -= step * gradient[i, column]
