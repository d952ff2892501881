"""What the API needs of the store; the process that hosts both injects it."""

from collections.abc import Mapping
from typing import Any, Protocol

Row = dict[str, Any]


class StoreUnavailableError(RuntimeError):
    """The store is down, busy or failed; the same request may succeed later."""


class QueryRefusedError(ValueError):
    """Somebody's own query is not allowed or wrong; the message is fit for its author."""


class Store(Protocol):
    """Blocking calls; any number of threads."""

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """Rows of one of our own queries, values as `{name:Type}` parameters. StoreUnavailableError."""

    def foreign(self, sql: str, output: str) -> bytes:
        """Result of somebody's own query, read-only and limited, as json (one object a line), csv or table.

        Raises QueryRefusedError and StoreUnavailableError.
        """

    def write(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Run one of our own statements that adds rows; on disk on return. StoreUnavailableError."""

    def lag(self) -> dict[str, int]:
        """Records per topic that are not stored yet."""

    def stalled(self) -> bool:
        """Whether a batch waits because the store does not take it."""
