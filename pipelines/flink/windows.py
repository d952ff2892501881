"""The SQL of the windows: an updating aggregation over integer milliseconds, without watermarks."""

from pipelines.core.scored import SCORE_COLUMNS
from schemas.labels import BASIC, EMOTIONS

SIZES_MS = (1_000, 10_000)


def window_query(state_ttl_ms: int) -> str:
    """The aggregation over the view `window_rows` for all of SIZES_MS; starts are multiples since the epoch.

    The size is a column that the planner cannot fold away: a constant would be dropped from the key, which
    would then differ from the sink's, and each update would be written as a tombstone and a row.

    Args:
        state_ttl_ms: how long an untouched window can still be corrected; twice that is kept, so that a line
            that may count always finds its window's state.
    """
    columns = [
        "1 AS schema_version",
        "workspace",
        "channel",
        "stream_id",
        "size_ms",
        "start_ms",
        "SUM(line) AS messages",
        "SUM(line) - SUM(abstained_line) AS scored",
        "SUM(abstained_line) AS abstained_lines",
        "COUNT(DISTINCT author) AS authors_in_window",
        "SUM(first_line) AS new_authors",
        _array("emotion", EMOTIONS, squared=False),
        _array("emotion", EMOTIONS, squared=True),
        _array("basic", BASIC, squared=False),
        _array("basic", BASIC, squared=True),
        *(
            _sum(name, squared)
            for name, squared in (
                ("sentiment", False),
                ("sentiment", True),
                ("toxicity", False),
                ("toxicity", True),
                ("hate", False),
                ("sarcasm", False),
            )
        ),
        "CAST(1 AS DOUBLE) AS sample_rate",
        "MAX(lag_ms) AS max_lag_ms",
    ]
    windows = ", ".join(
        f"ROW(CAST({size_ms} AS BIGINT), sent_at - MOD(sent_at, {size_ms}))" for size_ms in SIZES_MS
    )
    rows = (
        "SELECT lines.*, size_ms, start_ms "  # noqa: S608
        f"FROM (SELECT *, ARRAY[{windows}] AS windows FROM window_rows) AS lines "
        "CROSS JOIN UNNEST(lines.windows) AS windows (size_ms, start_ms)"
    )
    return (
        f"SELECT /*+ STATE_TTL('window_rows' = '{2 * state_ttl_ms // 1000}s') */ {', '.join(columns)} "  # noqa: S608
        f"FROM ({rows}) AS window_rows GROUP BY workspace, channel, stream_id, size_ms, start_ms"
    )


def window_rows_query() -> str:
    """What the windows add up: each counted line, and beside it one row for each author's first line.

    Abstained lines carry zeros as scores, so the sums need no condition of their own. The scores stay one
    column here: rows go through a buffer where the two kinds meet, and sums and squares would fill it.
    """
    keys = "workspace, channel, stream_id, author, sent_at"
    return (
        f"SELECT {keys}, lag_ms, CAST(1 AS BIGINT) AS line, "  # noqa: S608
        "CASE WHEN abstained THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS abstained_line, "
        "CAST(0 AS BIGINT) AS first_line, scores FROM scored_lines WHERE counted AND NOT dead "
        f"UNION ALL SELECT {keys}, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), "
        "CAST(1 AS BIGINT), CAST(NULL AS ARRAY<INT>) FROM first_lines"
    )


def _sum(column: str, squared: bool) -> str:
    """Zero where only an author's first line has come so far, and the line itself has not."""
    value = f"CAST(scores[{SCORE_COLUMNS.index(column) + 1}] AS BIGINT)"
    return f"COALESCE(SUM({value} * {value}), 0)" if squared else f"COALESCE(SUM({value}), 0)"


def _array(prefix: str, labels: tuple[str, ...], *, squared: bool) -> str:
    return f"ARRAY[{', '.join(_sum(f'{prefix}_{label}', squared) for label in labels)}]"
