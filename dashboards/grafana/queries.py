"""Every ClickHouse query of the dashboards, for those who run them all: tests and the benchmark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana.build import BOARDS, dashboard

_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class BoardQuery:
    """One query of a dashboard.

    Attributes:
        board: uid of the dashboard.
        use: title of the panel, name of the variable with a `$`, or `annotation`.
        sql: as it stands in the dashboard, with macros.
        span_s: length of the dashboard's default time range.
        panel: the panel's JSON; empty for variables and annotations.
    """

    board: str
    use: str
    sql: str
    span_s: int
    panel: dict[str, Any]


def board_queries() -> Iterator[BoardQuery]:
    """The queries of panels, annotations and variables, board by board; both languages ask the same."""
    for uid in BOARDS:
        board = dashboard(uid, "en")
        span_s = _span_s(board["time"]["from"])
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                if "rawSql" in target:
                    yield BoardQuery(uid, panel["title"], target["rawSql"], span_s, panel)
        for mark in board["annotations"].get("list", []):
            yield BoardQuery(uid, "annotation", mark["target"]["rawSql"], span_s, {})
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield BoardQuery(uid, f"${variable['name']}", variable["query"]["rawSql"], span_s, {})


def _span_s(start: str) -> int:
    number, unit = re.fullmatch(r"now-(\d+)([mhd])", start).groups()  # type: ignore[union-attr]
    return int(number) * _SECONDS[unit]
