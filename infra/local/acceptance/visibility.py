"""When lines and windows became queryable: counts of each stream, asked again and again while a run goes on.

Lines of a stream arrive in order, so the k-th line is queryable at the first answer that counts k lines.
The answer's arrival is taken, which is at most one round late: latencies are upper bounds.
"""

import threading
import time
from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.local.acceptance.stored import Rows, of_run, quoted

LIVE_SPAN_MS: Final = 1_000
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


class VisibilityProbe:
    """Asks on a thread of its own; a context manager."""

    def __init__(
        self, rows: Rows, *, workspace: str, run_id: str, every_s: float = 0.25, share: float = 0.2
    ) -> None:
        self._rows = rows
        self._query = probe_query(workspace, run_id)
        self._every_s = every_s
        self._pauses = 1 / share - 1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visibility-probe", daemon=True)
        self._lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._windowed: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.first_window_at: float | None = None
        """Wall clock in s at which the first window was queryable."""

    def __enter__(self) -> "VisibilityProbe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Ask once; a store that does not answer is asked again at the next round."""
        try:
            found = self._rows(self._query)
        except OSError:
            return
        now = time.time()
        for row in found:
            self.note(str(row["stream_id"]), int(now * 1000), int(row["lines"]), int(row["windowed"]))

    def note(self, stream_id: str, now_ms: int, lines: int, windowed: int) -> None:
        """Take in one stream's counts at a moment."""
        for seen, count in ((self._lines[stream_id], lines), (self._windowed[stream_id], windowed)):
            if count > (seen[-1][1] if seen else 0):
                seen.append((now_ms, count))
        if windowed and self.first_window_at is None:
            self.first_window_at = now_ms / 1000

    @property
    def last_line_at(self) -> int:
        """When the last line of any stream was queryable, in ms; 0 where none was."""
        return max((seen[-1][0] for seen in self._lines.values() if seen), default=0)

    def lines_at(self, stream_id: str, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the stream's first so many lines were queryable, in ms; -1 where that was not seen."""
        return _first_at(self._lines.get(stream_id, []), counts)

    def windowed_at(self, stream_id: str, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same for lines in 1 s windows."""
        return _first_at(self._windowed.get(stream_id, []), counts)

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            self.look()
            # never more than its share of the time: the probe must not be the load
            self._stop.wait(max(self._every_s, self._pauses * (time.monotonic() - began)))
        self.look()


def probe_query(workspace: str, run_id: str) -> str:
    """Scored lines and lines in 1 s windows by stream; no FINAL, as it is asked several times a second."""
    run = of_run(workspace, run_id)
    return (
        "SELECT stream_id, sum(line_count) AS lines, sum(window_count) AS windowed FROM ("  # noqa: S608
        "SELECT stream_id, count() AS line_count, 0 AS window_count FROM chat_lines "
        f"WHERE version > 0 AND {run} GROUP BY stream_id UNION ALL "
        "SELECT stream_id, 0 AS line_count, sum(newest) AS window_count FROM ("
        "SELECT stream_id, start_ms, max(messages) AS newest FROM window_sums "
        f"WHERE size_ms = 1000 AND {run} GROUP BY stream_id, start_ms) GROUP BY stream_id"
        ") GROUP BY stream_id"
    )


def latencies(
    rows: Rows, probe: VisibilityProbe, *, workspace: str, run_id: str, live: bool
) -> dict[str, dict[str, float]]:
    """Percentiles in ms: `sent_to_scored`, `sent_to_queryable`, `window_end_to_queryable`.

    Sent is when the record was handed to the Kafka producer (its `received_at`). A window's end is
    wall-clock time for a `live` stream; a replay's windows lie in the past, so there it is the moment at
    which the window's last line was sent.
    """
    run = of_run(workspace, run_id)
    streams = rows(f"SELECT DISTINCT stream_id FROM messages WHERE {run}")  # noqa: S608
    scored, stored, windowed = [], [], []
    for stream in (str(row["stream_id"]) for row in streams):
        this = f"workspace = {quoted(workspace)} AND stream_id = {quoted(stream)}"
        sent, delays = _lines(rows, this)
        scored.append(delays)
        seen = probe.lines_at(stream, np.arange(1, len(sent) + 1))
        stored.append((seen - sent)[seen >= 0])
        starts, counts = _windows(rows, this)
        passed = np.cumsum(counts)
        ends = starts + LIVE_SPAN_MS if live else sent[np.clip(passed - 1, 0, max(0, len(sent) - 1))]
        seen = probe.windowed_at(stream, passed)
        windowed.append((seen - ends)[seen >= 0])
    return {
        "sent_to_scored": percentiles(scored),
        "sent_to_queryable": percentiles(stored),
        "window_end_to_queryable": percentiles(windowed),
    }


def percentiles(parts: list[NDArray[np.int64]]) -> dict[str, float]:
    """Count and QUANTILES of all values together; only the count where there are none."""
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    result: dict[str, float] = {"count": len(values)}
    if len(values):
        result |= {name: round(float(np.quantile(values, q)), 1) for name, q in QUANTILES.items()}
    return result


def _first_at(seen: list[tuple[int, int]], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    if not seen:
        return np.full(len(counts), -1, dtype=np.int64)
    at, reached = np.array(seen, dtype=np.int64).T
    places = np.searchsorted(reached, counts)
    return np.where(places < len(at), at[np.minimum(places, len(at) - 1)], -1)


def _lines(rows: Rows, this: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each scored line of a stream was sent, ascending, and how long its scoring took, in ms."""
    (row,) = rows(
        "SELECT groupArray(sent) AS at, groupArray(took) AS delays FROM ("  # noqa: S608
        "SELECT toUnixTimestamp64Milli(received_at) AS sent, "
        "toUnixTimestamp64Milli(assumeNotNull(scored_at)) - sent AS took "
        f"FROM messages WHERE scored AND {this} ORDER BY sent)"
    )
    return np.array(row["at"], dtype=np.int64), np.array(row["delays"], dtype=np.int64)


def _windows(rows: Rows, this: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and lines of each 1 s window of a stream, by time."""
    (row,) = rows(
        "SELECT groupArray(start_ms) AS starts, groupArray(messages) AS counts FROM ("  # noqa: S608
        f"SELECT start_ms, messages FROM windows WHERE size_ms = 1000 AND {this} ORDER BY start_ms)"
    )
    return np.array(row["starts"], dtype=np.int64), np.array(row["counts"], dtype=np.int64)
