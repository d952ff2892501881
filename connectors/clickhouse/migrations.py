"""Applies `schemas/clickhouse/NNNN_verb_noun.sql` to chDB or a ClickHouse server.

The work (order, checksums, statement splitting, bookkeeping in `schema_migrations`) is done by the library
clickhouse-migrations over our own client. Here is what it cannot know: `${REPLICATED}` in the files becomes
`Replicated` where the database is a Replicated one (a cluster; its tables must then be Replicated*MergeTree,
and its DDL reaches every replica by itself), and nothing elsewhere; `${NO_STATISTICS}` switches statistics of
columns off on servers that gather them; the spans of `retention.yaml` and the key of the score hashes are
written as rows, because they may change or must stay secret, and files may not.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_migrations.connection import ClickhouseConnectConnection
from clickhouse_migrations.exceptions import MigrationException
from clickhouse_migrations.migration import MigrationStorage
from clickhouse_migrations.migrator import Migrator

from connectors.clickhouse.client import StoreAddress, connect, create_database
from schemas.retention import Retention, load_retention

MIGRATIONS: Final = Path(__file__).parents[2] / "schemas" / "clickhouse"
MIGRATIONS_TABLE: Final = "schema_migrations"


class MigrationError(RuntimeError):
    """An applied file was changed or is missing, or a statement failed; the message names it."""


@dataclass(frozen=True)
class MigrationState:
    """One line of `pulse migrate --status`: `state` is applied, pending, md5-mismatch or unknown."""

    version: int
    name: str
    state: str
    applied_at: datetime | None


def migrate(address: StoreAddress, *, retention: Retention | None = None) -> list[str]:
    """Bring the store to the newest schema and write the retention spans; safe to repeat.

    Returns:
        The names of the files applied now, oldest first.

    Raises:
        MigrationError: a file that was applied has changed or gone, or a statement was refused.
    """
    create_database(address)
    client = connect(address)
    try:
        storage = MigrationStorage(MIGRATIONS)
        names = storage.migration_filenames()
        migrator = _migrator(client)
        try:
            migrator.init_schema()
            applied = migrator.apply_migration(
                storage.migrations(),
                multi_statement=True,
                variables={
                    "REPLICATED": _replicated(client, address.database),
                    "NO_STATISTICS": _no_statistics(client),
                },
                sources=names,
            )
        except MigrationException as error:
            raise MigrationError(str(error)) from error
        _write_retention(client, retention or load_retention())
        _make_score_key(client)
        return [names[migration.version] for migration in applied]
    finally:
        client.close()


def migration_states(address: StoreAddress) -> list[MigrationState]:
    """What is applied and what is pending, in order; creates the bookkeeping table where it is missing."""
    create_database(address)
    client = connect(address)
    try:
        storage = MigrationStorage(MIGRATIONS)
        names = storage.migration_filenames()
        migrator = _migrator(client)
        migrator.init_schema()
        return [
            MigrationState(row.version, names.get(row.version, "?"), row.state, row.applied_at)
            for row in migrator.migration_status(storage.migrations())
        ]
    finally:
        client.close()


def _migrator(client: Client) -> Migrator:
    return Migrator(ClickhouseConnectConnection(client), migrations_table=MIGRATIONS_TABLE)


def _replicated(client: Client, database: str) -> str:
    engine = client.query(
        "SELECT engine FROM system.databases WHERE name = {name:String}", parameters={"name": database}
    ).result_rows
    return "Replicated" if engine and engine[0][0] == "Replicated" else ""


def _no_statistics(client: Client) -> str:
    """A further table setting, where the server knows it."""
    known = client.query(
        "SELECT count() FROM system.merge_tree_settings WHERE name = 'auto_statistics_types'"
    )
    return ", auto_statistics_types = ''" if known.result_rows[0][0] else ""


def _write_retention(client: Client, retention: Retention) -> None:
    rows: list[tuple[str, str, int]] = [("*", "dead_letters", retention.dead_letters)]
    for platform, spans in retention.platforms.items():
        rows += [(platform, "text", spans.text), (platform, "derived", spans.derived)]
    client.insert("retention", rows, column_names=["platform", "what", "span_s"])


def _make_score_key(client: Client) -> None:
    if client.query("SELECT count() FROM score_keys").result_rows[0][0] == 0:
        client.insert("score_keys", [(secrets.randbits(64), secrets.randbits(64))], column_names=["k0", "k1"])
