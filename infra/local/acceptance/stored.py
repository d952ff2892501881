"""One run's rows as people find them in the store: the views `messages`, `windows` and `dead_letters`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.labels import BASIC, EMOTIONS, SCALE

Rows = Callable[[str], list[dict[str, Any]]]
"""Runs one SELECT and returns its rows; raises OSError while the store does not answer."""

PAGE: Final = 20_000
"""Rows a query; bounds the size of an answer to some 10 MB."""
SCALARS: Final = ("sentiment", "toxicity", "hate", "sarcasm")
SQUARED: Final = len(EMOTIONS) + len(BASIC) + 2
"""The first so many score columns also have sums of squares: all but hate and sarcasm."""
WINDOW_SIZES_MS: Final = (1_000, 10_000)


@dataclass(frozen=True)
class StoredLines:
    """The chat lines of one stream; all arrays have one row a line."""

    ids: list[str]
    sent_at: NDArray[np.int64]
    scored: NDArray[np.bool_]
    abstained: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    scores: NDArray[np.int64]
    """Scores as round(score * SCALE): emotions, basic, sentiment, toxicity, hate, sarcasm."""


@dataclass(frozen=True)
class StoredWindows:
    """The windows of one size of a stream, one row a window."""

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    """Columns: messages, scored, abstained, authors."""
    new_authors: NDArray[np.int64]
    sums: NDArray[np.int64]
    """As `StoredLines.scores`, then the squares of its first SQUARED columns."""


def quoted(text: str) -> str:
    """A ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def of_run(workspace: str, run_id: str) -> str:
    """The condition that selects a run's rows of a view with `stream_id`."""
    return f"workspace = {quoted(workspace)} AND startsWith(stream_id, {quoted(run_id + '/')})"


def stored_lines(rows: Rows, workspace: str, stream_id: str) -> StoredLines:
    """All chat lines of a stream, page by page."""
    names = ", ".join(f"ifNull({name}, 0)" for name in SCALARS)
    query = (
        "SELECT message_id, toUnixTimestamp64Milli(sent_at) AS at, scored, abstained, counted, "  # noqa: S608
        f"arrayMap(x -> toInt32(round(x * {SCALE})), "
        f"arrayConcat(mapValues(emotions), mapValues(basic), [{names}])) AS scores "
        f"FROM messages WHERE workspace = {quoted(workspace)} AND stream_id = {quoted(stream_id)} "
        "ORDER BY message_id"
    )
    found = list(_pages(rows, query))
    width = len(EMOTIONS) + len(BASIC) + len(SCALARS)
    scores = [row["scores"] if len(row["scores"]) == width else [0] * width for row in found]
    return StoredLines(
        ids=[str(row["message_id"]) for row in found],
        sent_at=np.array([int(row["at"]) for row in found], dtype=np.int64),
        scored=np.array([bool(row["scored"]) for row in found], dtype=np.bool_),
        abstained=np.array([bool(row["abstained"]) for row in found], dtype=np.bool_),
        counted=np.array([bool(row["counted"]) for row in found], dtype=np.bool_),
        scores=np.array(scores, dtype=np.int64).reshape(len(found), width),
    )


def stored_windows(rows: Rows, workspace: str, stream_id: str) -> dict[int, StoredWindows]:
    """All windows of a stream, by size in ms."""
    squared = "sentiment_sumsq, toxicity_sumsq"
    query = (
        "SELECT size_ms, start_ms, messages, scored, abstained, authors_in_window, new_authors, "  # noqa: S608
        f"arrayConcat(emotion_sum, basic_sum, [{', '.join(f'{name}_sum' for name in SCALARS)}], "
        f"emotion_sumsq, basic_sumsq, [{squared}]) AS sums "
        f"FROM windows WHERE workspace = {quoted(workspace)} AND stream_id = {quoted(stream_id)} "
        "ORDER BY size_ms, start_ms"
    )
    found = list(_pages(rows, query))
    return {size: _windows([row for row in found if int(row["size_ms"]) == size]) for size in WINDOW_SIZES_MS}


def refused_lines(rows: Rows, workspace: str, run_id: str) -> list[tuple[int, int, str]]:
    """File index, line number and error class of each line that the replay refused."""
    query = (
        "SELECT partition, position, error_class FROM dead_letters "  # noqa: S608
        f"WHERE workspace = {quoted(workspace)} AND startsWith(dlq_id, {quoted(run_id + '/')}) "
        "ORDER BY dlq_id"
    )
    found = _pages(rows, query)
    return [(int(row["partition"]), int(row["position"]), str(row["error_class"])) for row in found]


def _windows(found: list[dict[str, Any]]) -> StoredWindows:
    columns = ("messages", "scored", "abstained", "authors_in_window")
    width = len(EMOTIONS) + len(BASIC) + len(SCALARS) + SQUARED
    counts = [[int(row[name]) for name in columns] for row in found]
    return StoredWindows(
        starts=np.array([int(row["start_ms"]) for row in found], dtype=np.int64),
        counts=np.array(counts, dtype=np.int64).reshape(len(found), len(columns)),
        new_authors=np.array([int(row["new_authors"]) for row in found], dtype=np.int64),
        sums=np.array([row["sums"] for row in found], dtype=np.int64).reshape(len(found), width),
    )


def _pages(rows: Rows, query: str) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        page = rows(f"{query} LIMIT {PAGE} OFFSET {offset}")
        yield from page
        if len(page) < PAGE:
            return
        offset += PAGE
