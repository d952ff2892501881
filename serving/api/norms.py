"""What is usual on each channel, read from the store and kept for half a minute."""

import threading
import time
from collections.abc import Callable
from typing import Final

from pipelines.core.indices import PRIORS, History, Norm, norm_of
from schemas.labels import BASIC
from serving.api.store import Store

INDICES: Final = ("sentiment", "toxicity", *BASIC)

_KEEP_S: Final = 30.0
_SQL: Final = """
SELECT channel, count() AS windows, sum(n) AS lines, sum(n * n) AS lines_sq,
    sumForEach(x) AS total, sumForEach(xx) AS total_sq, sumForEach(arrayMap(v -> v * v / n, x)) AS means_sq
FROM
(
    SELECT channel, toFloat64(scored) AS n,
        arrayMap(v -> toFloat64(v), arrayConcat([sentiment_sum, toxicity_sum], basic_sum)) AS x,
        arrayMap(v -> toFloat64(v), arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq)) AS xx
    FROM windows
    WHERE workspace = {workspace:String} AND size_ms = 10000 AND scored > 0
)
GROUP BY channel
"""

ChannelNorms = dict[str, Norm]
"""Norms of one channel by index name."""


class Norms:
    """Norms by workspace and channel; any number of threads."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, dict[str, ChannelNorms]]] = {}

    def of(self, workspace: str, channel: str) -> ChannelNorms:
        """The norms of a channel; the priors where nothing is known yet."""
        return self._workspace(workspace).get(channel) or dict(PRIORS)

    def _workspace(self, workspace: str) -> dict[str, ChannelNorms]:
        now = self._clock()
        with self._lock:
            at, norms = self._known.get(workspace, (0.0, {}))
            if workspace in self._known and now - at < _KEEP_S:
                return norms
            norms = {
                row["channel"]: {
                    name: norm_of(
                        name,
                        History(
                            windows=row["windows"],
                            lines=row["lines"],
                            lines_sq=row["lines_sq"],
                            total=row["total"][number],
                            total_sq=row["total_sq"][number],
                            means_sq=row["means_sq"][number],
                        ),
                    )
                    for number, name in enumerate(INDICES)
                }
                for row in self._store.rows(_SQL, {"workspace": workspace})
            }
            self._known[workspace] = (now, norms)
            return norms
