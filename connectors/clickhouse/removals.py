"""Takes out of the store what its platform took back and what persons asked to be forgotten.

The views stop showing a deleted line by the insert of its event (see migration 0012). This pass finds the
lines of banned and erased authors and of cleared chats, also those that come after their removal, and deletes
all removed lines, and the opinions on them, so that no query returns their text. Deleting is ClickHouse's
lightweight DELETE: rows are masked at once and leave the disk with the next merge of their part.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from connectors.clickhouse.metrics import RemovalMetrics

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
WHOLE_EVERY_S: Final = 3_600.0
_OVERLAP_S: Final = 120.0
"""So long a pass looks again for what was ordered: lines may come after the order that removes them."""

_SETTINGS: Final[dict[str, str | int]] = {
    "max_threads": 1,
    "max_memory_usage": 200_000_000,
    "lightweight_deletes_sync": 1,
    # every replica holds the same removed lines: the subquery gives the same result on each
    "allow_nondeterministic_mutations": 1,
}

# Every statement takes `since` (epoch ms): what was ordered, or found to be removed, after that.
_ORDERED: Final = """
SELECT DISTINCT scope FROM removal_orders WHERE stored_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
"""
_FIND: Final = {
    "author": """
INSERT INTO removed_lines (workspace, channel, message_hash, expires_at)
WITH orders AS
(
    SELECT workspace, channel, target, max(before) AS until FROM removal_orders
    WHERE scope = 'author' AND stored_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY workspace, channel, target
)
SELECT DISTINCT line.workspace, line.channel, line.message_hash, line.expires_at
FROM chat_lines AS line
INNER JOIN orders ON orders.workspace = line.workspace AND orders.channel = line.channel
    AND orders.target = line.author
WHERE line.sent_at <= orders.until AND (line.workspace, line.stream_id) IN (
    SELECT workspace, stream_id FROM stream_spans
    WHERE (workspace, channel) IN (SELECT workspace, channel FROM orders))
""",
    "channel": """
INSERT INTO removed_lines (workspace, channel, message_hash, expires_at)
WITH orders AS
(
    SELECT workspace, channel, max(before) AS until FROM removal_orders
    WHERE scope = 'channel' AND stored_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY workspace, channel
)
SELECT DISTINCT line.workspace, line.channel, line.message_hash, line.expires_at
FROM chat_lines AS line
INNER JOIN orders ON orders.workspace = line.workspace AND orders.channel = line.channel
WHERE line.sent_at <= orders.until AND (line.workspace, line.stream_id) IN (
    SELECT workspace, stream_id FROM stream_spans
    WHERE (workspace, channel) IN (SELECT workspace, channel FROM orders))
""",
}
"""By scope; a single line needs no finding, the insert of its event names it."""
_ERASED: Final = """
SELECT count() FROM erasures WHERE stored_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
"""
_FIND_ERASED: Final = """
INSERT INTO removed_lines (workspace, channel, message_hash, expires_at)
WITH erased AS
(
    SELECT workspace, author, erase_before, opted_out FROM erasures FINAL
    WHERE stored_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
)
SELECT DISTINCT line.workspace, line.channel, line.message_hash, line.expires_at
FROM chat_lines AS line
INNER JOIN erased ON erased.workspace = line.workspace AND erased.author = line.author
WHERE erased.opted_out OR line.sent_at <= erased.erase_before
"""
_DELETE_EVENTS: Final = """
DELETE FROM channel_events
WHERE (workspace, source) IN (SELECT workspace, toNullable(author) FROM erasures)
    OR (workspace, target_author) IN (SELECT workspace, toNullable(author) FROM erasures)
"""
_REMOVED: Final = """
WHERE (workspace, stream_id) IN (
    SELECT workspace, stream_id FROM stream_spans WHERE (workspace, channel) IN (
        SELECT workspace, channel FROM removed_lines
        WHERE removed_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')))
AND (workspace, channel, message_hash) IN (
    SELECT workspace, channel, message_hash FROM removed_lines
    WHERE removed_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
"""
_TABLES: Final = ("chat_lines", "opinion_lines")
"""What holds lines, or ids of them."""
_COUNT: Final = {table: f"SELECT count() FROM {table} {_REMOVED}" for table in _TABLES}  # noqa: S608
_DELETE: Final = {table: f"DELETE FROM {table} {_REMOVED}" for table in _TABLES}  # noqa: S608


class Removals:
    """Passes over one store; one thread. Passes may repeat and run in several processes at once."""

    def __init__(
        self, client: Client, metrics: RemovalMetrics, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._metrics, self._clock = client, metrics, clock
        self._done_until = 0.0
        """Unix time; what was ordered and stored before is taken out."""
        self._whole_at = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Make passes until told to stop; a store that does not answer is asked again."""
        while not stopping.is_set():
            try:
                self.take_out()
            except (DriverError, OSError) as error:
                self._metrics.failures.inc()
                log.warning("removed lines are not taken out yet: %s", str(error).split("\n")[0])
            stopping.wait(EVERY_S)

    def take_out(self) -> int:
        """One pass over what was ordered since the last one, once an hour over everything.

        Returns how many rows were deleted.

        Raises:
            clickhouse_connect.driver.exceptions.Error: the store failed; the next pass makes up for it.
        """
        began = self._clock()
        whole = began - self._whole_at >= WHOLE_EVERY_S
        since = {"since": 0 if whole else int((self._done_until - _OVERLAP_S) * 1000)}
        for (scope,) in self._client.query(_ORDERED, since).result_rows:
            if find := _FIND.get(scope):
                self._client.command(find, since, settings=_SETTINGS)
        if self._client.query(_ERASED, since).result_rows[0][0]:
            self._client.command(_FIND_ERASED, since, settings=_SETTINGS)
            self._client.command(_DELETE_EVENTS, settings=_SETTINGS)
        rows = sum(self._delete(table, since) for table in _TABLES)
        self._done_until = began
        self._whole_at = began if whole else self._whole_at
        self._metrics.last_pass.set(began)
        return rows

    def _delete(self, table: str, since: dict[str, int]) -> int:
        rows = int(self._client.query(_COUNT[table], since, settings=_SETTINGS).result_rows[0][0])
        if rows:
            self._client.command(_DELETE[table], since, settings=_SETTINGS)
            self._metrics.rows.inc(rows)
        return rows
