"""How long the dashboards' queries take on a store, asked as Grafana asks."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from connectors.clickhouse.wire import WireReader
from dashboards.grafana.alerting import conditions
from dashboards.grafana.frame import COMPARE
from dashboards.grafana.language import speaker
from dashboards.grafana.macros import ALL, Asked
from dashboards.grafana.queries import BoardQuery, board_queries
from infra.local.acceptance.grown_store import WORKSPACE, Growth

AIM_MS: Final = 100.0
_MERGES_S: Final = 600.0
_POINTS: Final = 1_000
"""Points that Grafana asks for: about the pixels of a panel's width."""
_INTERVALS_MS: Final = (1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000)
"""Grafana's rounded intervals (packages/grafana-data, rangeUtil.roundInterval)."""
_RULE_SPAN_S: Final = 600
_COMPARED: Final = 3


@dataclass(frozen=True)
class Timed:
    """One query: the span that it was asked for, its times by the clock, and this process's CPU time."""

    query: BoardQuery
    span_s: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float

    def shown(self) -> dict[str, Any]:
        """For the report."""
        return {
            "query": f"{self.query.board} / {self.query.use}",
            "span_s": self.span_s,
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "cpu_ms": self.cpu_ms,
        }


def timed(
    reader: WireReader, growth: Growth, *, rounds: int, spans_s: Sequence[int | None]
) -> Iterator[Timed]:
    """Time every query of dashboards and alert rules; the broadcast is the largest one.

    Args:
        reader: as the HTTP interface uses it: read-only, one thread a query.
        growth: what the store holds.
        rounds: each query runs once unmeasured, then so often.
        spans_s: time ranges, which end with the last line; None is the dashboard's own.
    """
    for query in (*board_queries(), *_rules()):
        for span_s in dict.fromkeys(query.span_s if span is None else span for span in spans_s):
            sql = _asked(growth, query, span_s).expand(query.sql)
            took: list[float] = []
            busy: list[float] = []
            for _ in range(rounds + 1):
                began, busy_began = time.perf_counter(), time.process_time()
                reader.ask(sql, "Native", parameters={}, settings={})
                took.append((time.perf_counter() - began) * 1_000)
                busy.append((time.process_time() - busy_began) * 1_000)
            took, busy = sorted(took[1:]), sorted(busy[1:])
            p95 = took[max(0, -(-len(took) * 95 // 100) - 1)]
            yield Timed(query, span_s, round(median(took), 1), round(p95, 1), round(median(busy), 1))


def settle(client: Client, told: Callable[[str], None]) -> None:
    """Wait until the engine has no merge under way: right after a bulk load it would be measured too."""
    give_up = time.monotonic() + _MERGES_S
    while time.monotonic() < give_up:
        running = client.query("SELECT count() FROM system.merges").result_rows[0][0]
        if not running:
            return
        told(f"{running} merges run")
        time.sleep(2)


def _asked(growth: Growth, query: BoardQuery, span_s: int) -> Asked:
    broadcasts = growth.stream_ids()[: _COMPARED if query.board == COMPARE else 1]
    variables: Mapping[str, str | Sequence[str]] = {
        "workspace": WORKSPACE,
        "platform": ALL,
        "channel": ALL,
        "broadcast": broadcasts,
        "min_toxicity": "0",
        "search": "",
    }
    step_ms = span_s * 1_000 / _POINTS
    interval_ms = next((each for each in _INTERVALS_MS if each >= step_ms), _INTERVALS_MS[-1])
    return Asked(growth.end_ms - span_s * 1_000, growth.end_ms, interval_ms, variables)


def _rules() -> Iterator[BoardQuery]:
    for condition in conditions(speaker("en")):
        yield BoardQuery("rule", condition.uid, condition.sql, _RULE_SPAN_S, {})
