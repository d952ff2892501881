"""Reads from the store: a small pool of clients for our own queries, a fresh one for every foreign query.

Read-only is held by the engine (`readonly = 1` on the client), for it alone knows all its table functions;
two things pass the engine on chDB and are refused here: INTO OUTFILE and python().
"""

import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from connectors.clickhouse.client import StoreAddress, connect

_OUTPUT: Final[dict[str, str | int]] = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_escape_forward_slashes": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_pretty_color": 0,
}
OWN_LIMITS: Final[dict[str, str | int]] = {
    "max_threads": 2,
    "max_execution_time": 10,
    "max_memory_usage": 300_000_000,
}
FOREIGN_LIMITS: Final[dict[str, str | int]] = {
    "max_threads": 1,
    "max_execution_time": 60,
    "max_memory_usage": 400_000_000,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 256_000_000,
}
"""One thread, so that a heavy query leaves the other core to inserts."""

FORMATS: Final = {"json": "JSONEachRow", "csv": "CSVWithNames", "table": "PrettyCompactMonoBlock"}

_READING: Final = re.compile(r"\s*(SELECT|WITH|SHOW|DESCRIBE|EXPLAIN|EXISTS|\()", re.IGNORECASE)
_QUOTED: Final = re.compile(r"'(?:\\.|''|[^'\\])*'|\"(?:\\.|\"\"|[^\"\\])*\"")
_REFUSED: Final = re.compile(r"\bINTO\s+OUTFILE\b|[\s(,`]python`?\s*\(", re.IGNORECASE)


class QueryRefusedError(ValueError):
    """The store refused the query (or we did); the message is fit for its author."""


class StoreBusyError(RuntimeError):
    """Every reading client is in use; try again."""


class Reader:
    """Queries with the result as bytes or rows; any number of threads."""

    def __init__(self, address: StoreAddress, *, clients: int = 3, wait_s: float = 10.0) -> None:
        self._address, self._wait_s = address, wait_s
        self._idle: queue.LifoQueue[Client | None] = queue.LifoQueue()
        for _ in range(clients):
            self._idle.put(None)

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The rows of one of our own queries; values travel as `{name:Type}` parameters, never in the text.

        Raises:
            StoreBusyError: no client came free in time.
            clickhouse_connect.driver.exceptions.Error: the store failed.
        """
        with self._client() as client:
            raw = client.raw_query(sql, parameters=dict(parameters or {}), fmt="JSONEachRow")
        return [msgspec.json.decode(line) for line in raw.splitlines()]

    def foreign(self, sql: str, output: str) -> bytes:
        """Run somebody's own query, read-only and limited in rows, memory and time.

        Args:
            sql: one SELECT, SHOW, DESCRIBE, EXPLAIN or EXISTS.
            output: a key of FORMATS.

        Raises:
            QueryRefusedError: not a reading query, or the engine refused it.
        """
        client = self._open(FOREIGN_LIMITS)
        try:
            self.checked(client, sql)
            return bytes(client.raw_query(sql.rstrip().rstrip(";"), fmt=FORMATS[output]))
        except DriverError as error:
            raise QueryRefusedError(str(error).split("\n")[0][:2_000]) from error
        finally:
            client.close()

    def close(self) -> None:
        """Close the idle clients."""
        while True:
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                return
            if client is not None:
                client.close()

    @staticmethod
    def checked(client: Client, sql: str) -> str:
        """Let the engine's own parser normalise the text (one statement, no comments), then look at it.

        Raises:
            QueryRefusedError: not a reading query, or one of the two things that pass the engine.
        """
        text = client.raw_query(
            "SELECT formatQuerySingleLine({q:String})", parameters={"q": sql}, fmt="RawBLOB"
        ).decode()
        bare = _QUOTED.sub("''", text)
        if not _READING.match(bare):
            raise QueryRefusedError("only SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS are allowed here")
        if _REFUSED.search(f" {bare}"):
            raise QueryRefusedError("INTO OUTFILE and python() are not allowed here")
        return text

    def _open(self, limits: Mapping[str, str | int]) -> Client:
        # `readonly` comes last: it forbids every further change of settings.
        return connect(self._address, settings={**_OUTPUT, **limits, "readonly": 1})

    @contextmanager
    def _client(self) -> Iterator[Client]:
        try:
            client = self._idle.get(timeout=self._wait_s)
        except queue.Empty:
            raise StoreBusyError("all reading clients are in use") from None
        try:
            if client is None:
                client = self._open(OWN_LIMITS)
            yield client
        except DriverError:
            # After an error chDB may leave a client stuck: give it up.
            if client is not None:
                client.close()
            client = None
            raise
        finally:
            self._idle.put(client)
