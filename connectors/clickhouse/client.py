"""Clients of the store: chDB under a local path, or a ClickHouse server; the URL decides."""

import fcntl
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

DATABASE: Final = "pulse"

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


class StoreLockedError(RuntimeError):
    """Another process holds the chDB path: query through its API instead."""


@dataclass(frozen=True)
class StoreAddress:
    """Where the store is.

    Attributes:
        url: `http[s]://user:password@host:port[/database]` of a server; empty for chDB.
        path: folder of chDB; only used without a URL.
        database: database of all tables and views; a URL's own path overrides it.
        options: engine options of chDB (`max_server_memory_usage` …), applied by the first client of a
            process; every later client of the process must name the same path.
    """

    url: str
    path: Path
    database: str = DATABASE
    options: dict[str, str] = field(default_factory=dict)

    @property
    def embedded(self) -> bool:
        """Whether the store is chDB in this process."""
        return not self.url

    def __post_init__(self) -> None:
        if self.url and (name := urlsplit(self.url).path.strip("/")):
            object.__setattr__(self, "database", name)
        if not _IDENTIFIER.match(self.database):
            raise ValueError(f"{self.database!r} is no database name: letters, digits and _ only")


def connect(
    address: StoreAddress, *, database: str | None = None, settings: dict[str, str | int] | None = None
) -> Client:
    """Open one client; a chDB client is one handle, used by one thread at a time.

    Args:
        address: where the store is.
        database: database of the session; `""` for none, default that of the address.
        settings: ClickHouse settings of the session.

    Raises:
        StoreLockedError: another process holds the chDB path.
        clickhouse_connect.driver.exceptions.Error: the store cannot be reached or refuses.
    """
    name = address.database if database is None else database
    if not address.embedded:
        parts = urlsplit(address.url)
        return clickhouse_connect.get_client(
            dsn=urlunsplit(parts._replace(path="")), database=name or "default", settings=dict(settings or {})
        )
    address.path.mkdir(parents=True, exist_ok=True)
    try:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(address.path),
            database=name or None,
            settings=dict(settings or {}),
            chdb_options=dict(address.options),
        )
    except DriverError as error:
        if _is_locked(address.path):
            raise StoreLockedError(f"another process holds the store at {address.path}") from error
        raise


def _is_locked(path: Path) -> bool:
    """Whether somebody holds the engine's lock (flock on `status`); chDB's own error does not say so."""
    try:
        with (path / "status").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def create_database(address: StoreAddress) -> None:
    """Create the address's database where it is missing."""
    client = connect(address, database="")
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS `{address.database}`")
    finally:
        client.close()
