"""`pulse migrate`: the store's schema as in schemas/clickhouse."""

from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import Error as DriverError
from rich.console import Console

from connectors.clickhouse.client import StoreLockedError
from connectors.clickhouse.migrations import MigrationError, migrate, migration_states
from infra.local.store_settings import store_address
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False)
_errors = Console(stderr=True, highlight=False)


@app.command()
def migrations(
    status: Annotated[bool, typer.Option("--status", help="Only show what is applied and pending.")] = False,
) -> None:
    """Apply the migrations of schemas/clickhouse that the store lacks, oldest first; safe to repeat.

    CLICKHOUSE_URL names a server (http[s]://user:password@host:port/database); without it, the store is the
    stack's own, under the folder PULSE_HOME. A starting stack does this by itself, so here it is needed for
    servers. Files that were applied must not change: their checksums are kept in schema_migrations.
    """
    address = store_address(Endpoints())
    try:
        if status:
            for state in migration_states(address):
                when = f"{state.applied_at:%Y-%m-%d %H:%M:%S}" if state.applied_at else "-"
                typer.echo(f"{state.state:<12} {when:<19} {state.name}")
            return
        applied = migrate(address)
    except StoreLockedError as error:
        _errors.print(
            f"[red]not now:[/red] {error}; it applied the migrations when it started "
            "(they are in its table schema_migrations: see `pulse sql`)",
            soft_wrap=True,
        )
        raise typer.Exit(1) from None
    except (MigrationError, DriverError, OSError) as error:
        _errors.print(f"[red]not migrated:[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    for name in applied:
        typer.echo(f"applied {name}")
    _errors.print(f"{len(applied)} applied" if applied else "the store is up to date")
