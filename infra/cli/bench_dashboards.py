"""`pulse bench dashboards`: how long the dashboards' queries take on a grown store."""

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from infra.cli.demo import BUNDLED
from infra.local.acceptance.load_texts import real_texts
from infra.local.acceptance.machine import machine

_FILL_MEMORY_MB = 2_000

console = Console(stderr=True, highlight=False)


def dashboards(
    messages: Annotated[int, typer.Option(min=1_000, help="Chat lines in the store.")] = 10_000_000,
    streams: Annotated[int, typer.Option(min=3, max=1_000, help="Broadcasts side by side.")] = 40,
    hours: Annotated[int, typer.Option(min=1, max=720, help="Length of every broadcast.")] = 24,
    rounds: Annotated[int, typer.Option(min=1, help="Measured runs of each query.")] = 20,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            help="Keep the store here; where it is already, it is used as it is. Default: a temporary one.",
            file_okay=False,
        ),
    ] = None,
) -> None:
    """Time every query of the Grafana dashboards and alert rules on a store of so many messages.

    Prints one JSON line: `p95_ms` is that of the slowest query over its dashboard's own time range,
    `slow` lists the queries above 100 ms, `whole` the same over the whole length of the broadcasts. Each is
    asked as Grafana asks, read-only and on one thread, of the largest broadcast. Needs no running stack;
    about 4 GB of disk and some minutes for ten million messages. Exit status 1 where a query over its
    dashboard's own range is above 100 ms.
    """
    # chDB and its drivers take a second to load
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as temporary:
        found = _measure(folder or Path(temporary), messages, streams, hours, rounds)
    typer.echo(msgspec.json.encode(found).decode())
    if found["slow"]:
        raise typer.Exit(1)


def _measure(folder: Path, messages: int, streams: int, hours: int, rounds: int) -> dict[str, Any]:
    from connectors.clickhouse.client import connect
    from connectors.clickhouse.wire import WireReader
    from infra.local.acceptance.board_times import AIM_MS, Timed, settle, timed
    from infra.local.acceptance.grown_store import WINDOW_SIZES_MS, Growth, grow
    from infra.local.store_settings import StoreSettings, store_address
    from schemas.endpoints import Endpoints

    # filling takes more memory than a store's daily work; a query has its own limit
    settings = StoreSettings(memory_mb=_FILL_MEMORY_MB)
    address = store_address(Endpoints(pulse_home=folder, clickhouse_url=""), settings)
    kept = folder / "growth.json"
    if kept.is_file():
        growth = msgspec.json.decode(kept.read_bytes(), type=Growth)
        stored = growth.messages
    else:
        longest_s = WINDOW_SIZES_MS[-1] // 1_000
        growth = Growth(messages, streams, hours, int(time.time()) // longest_s * WINDOW_SIZES_MS[-1])
        stored = grow(address, growth, real_texts([BUNDLED]), console.print)
        kept.write_bytes(msgspec.json.encode(growth))
    client = connect(address)
    settle(client, console.print)
    client.close()
    reader = WireReader(address)
    whole_s = growth.hours * 3_600
    try:
        times = list(timed(reader, growth, rounds=rounds, spans_s=(None, whole_s)))
    finally:
        reader.close()

    def summary(chosen: list[Timed]) -> dict[str, Any]:
        slowest = max(chosen, key=lambda one: one.p95_ms)
        slow = sorted((one for one in chosen if one.p95_ms > AIM_MS), key=lambda one: -one.p95_ms)
        return {"p95_ms": slowest.p95_ms, "slowest": slowest.shown(), "slow": [one.shown() for one in slow]}

    own = [one for one in times if one.span_s == one.query.span_s]
    return {
        "benchmark": "dashboards",
        "messages": stored,
        "queries": len(own),
        **summary(own),
        "whole": summary([one for one in times if one.span_s == whole_s]),
        "settings": {"streams": growth.streams, "hours": growth.hours, "rounds": rounds},
        "machine": machine(),
    }
