"""Somebody's own queries, the result as bytes in any output format: what ClickHouse's HTTP interface needs.

Read-only is held by the engine as in `reader`; clients stay open between queries, because opening one takes
0.2 s, and are given up after any error (chDB may leave such a client stuck).
"""

import queue
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from connectors.clickhouse.client import StoreAddress, connect
from connectors.clickhouse.reader import FOREIGN_LIMITS, QueryRefusedError, Reader

CLIENTS: Final = 3
"""Queries at once; a dashboard sends a dozen, which then take turns."""

_ALLOWED: Final = re.compile(r"output_format_\w+\Z|date_time_output_format\Z|session_timezone\Z|extremes\Z")
_EMBEDDED: Final = re.compile(r"\sFORMAT\s+(\w+)\s*\Z", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"\{(\w+):\s*((?:Array|Tuple|Map)\s*\([^{}]*\))\s*\}")
_QUOTED: Final = re.compile(r"'(?:\\.|''|[^'\\])*'|\"(?:\\.|\"\"|[^\"\\])*\"|`(?:\\.|[^`\\])*`")
_UNESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


class TooBusyError(RuntimeError):
    """Every client is in use; try again."""


@dataclass(frozen=True)
class Result:
    """Bytes in the format that the query or the caller named."""

    body: bytes
    output: str


class WireReader:
    """Read-only queries of strangers; any number of threads."""

    def __init__(self, address: StoreAddress, *, clients: int = CLIENTS, wait_s: float = 30.0) -> None:
        self._address, self._wait_s = address, wait_s
        self._idle: queue.LifoQueue[Client | None] = queue.LifoQueue()
        for _ in range(clients):
            self._idle.put(None)

    def ask(
        self, sql: str, output: str, *, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> Result:
        """Run one query.

        Args:
            sql: one SELECT, SHOW, DESCRIBE, EXPLAIN or EXISTS; a FORMAT clause wins over `output`.
            output: ClickHouse output format.
            parameters: values of `{name:Type}`, in the escaped text form of ClickHouse's `param_name`.
            settings: those about output formats and time zone are used, all others are dropped.

        Raises:
            QueryRefusedError: the engine's own message, which begins with its code.
            TooBusyError: no client came free in time.
        """
        try:
            client = self._idle.get(timeout=self._wait_s)
        except queue.Empty:
            raise TooBusyError("all reading clients are in use") from None
        kept: Client | None = None
        try:
            wanted = {name: value for name, value in settings.items() if _ALLOWED.match(name)}
            if wanted:
                result = self._once(wanted, sql, output, parameters)
                kept = client
                return result
            client = client or self._open({})
            result = self._run(client, sql, output, parameters)
            kept = client
            return result
        except DriverError as error:
            raise QueryRefusedError(str(error)[:4_000]) from error
        finally:
            if kept is None and client is not None:
                client.close()
            self._idle.put(kept)

    def close(self) -> None:
        """Close the idle clients."""
        while True:
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                return
            if client is not None:
                client.close()

    def _open(self, settings: Mapping[str, str]) -> Client:
        # `readonly` comes last: it forbids every further change of settings.
        return connect(self._address, settings={**settings, **FOREIGN_LIMITS, "readonly": 1})

    def _once(
        self, settings: Mapping[str, str], sql: str, output: str, parameters: Mapping[str, str]
    ) -> Result:
        client = self._open(settings)
        try:
            return self._run(client, sql, output, parameters)
        finally:
            client.close()

    def _run(self, client: Client, sql: str, output: str, parameters: Mapping[str, str]) -> Result:
        text = sql.strip().rstrip(";")
        normal = Reader.checked(client, text)
        embedded = _EMBEDDED.search(_QUOTED.sub("''", normal))
        chosen = embedded[1] if embedded else output
        bound = self._bound(client, normal, parameters)
        body = bytes(client.raw_query(text, parameters=bound, fmt=None if embedded else chosen))
        if not body and chosen == "Native" and re.match(r"\s*(SELECT|WITH)\b", normal, re.IGNORECASE):
            body = self._header(client, normal[: embedded.start()] if embedded else normal, bound)
        return Result(body, chosen)

    def _bound(self, client: Client, sql: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Values as the driver binds them: texts unescaped, arrays and the like read by the engine."""
        kinds = dict(_PARAMETER.findall(sql))
        bound: dict[str, Any] = {}
        for name, value in parameters.items():
            bound[name] = _plain(value)
            if name in kinds:
                raw = client.raw_query(
                    "SELECT CAST({value:String}, {kind:String})",
                    parameters={"value": value, "kind": kinds[name]},
                    fmt="JSONCompactEachRow",
                )
                (bound[name],) = msgspec.json.decode(raw)
        return bound

    def _header(self, client: Client, sql: str, bound: dict[str, Any]) -> bytes:
        """A block without rows: chDB gives no bytes at all where a server names the columns."""
        described = client.raw_query(f"DESCRIBE ({sql})", parameters=bound, fmt="JSONCompactEachRow")
        columns = [msgspec.json.decode(line)[:2] for line in described.splitlines()]
        texts = b"".join(_text(name) + _text(kind) for name, kind in columns)
        return varint(len(columns)) + b"\0" + texts


def varint(number: int) -> bytes:
    """LEB128, ClickHouse's VarUInt."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    return varint(len(raw)) + raw


def _plain(escaped: str) -> str:
    r"""A value of `param_name` without the backslashes of ClickHouse's TabSeparated escaping."""
    return re.sub(r"\\(.)", lambda match: _UNESCAPED.get(match[1], match[1]), escaped, flags=re.DOTALL)
