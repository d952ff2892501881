"""Queries of panels and rules: the data sources' query models, and the conditions that most of them share."""

from typing import Any, Final

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusBuilder
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

CLICKHOUSE: Final = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="pulse-clickhouse")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="pulse-prometheus")

_FORMATS: Final = {"timeseries": 0, "table": 1}
"""FormatQueryOption of the data source's backend (grafana-plugin-sdk-go, data/sqlutil)."""

WORKSPACE: Final = "workspace = ${workspace:sqlstring}"
STREAM: Final = f"{WORKSPACE} AND stream_id = ${{broadcast:sqlstring}}"
STREAMS: Final = (
    f"{WORKSPACE} AND $__conditionalAll(platform IN (${{platform:sqlstring}}), $platform)"
    " AND $__conditionalAll(channel IN (${channel:sqlstring}), $channel)"
)
"""Condition on the streams that the variables of a dashboard over many streams pick."""
INDEX_STEPS: Final = (
    "index_steps(workspace = ${workspace:sqlstring}, stream_ids = [${broadcast:sqlstring}],"
    " from_ms = ${__from}, to_ms = ${__to}, step_ms = ${__interval_ms})"
)
"""What people see of the broadcasts, in steps of the panel's interval."""
SEVERITIES: Final = "['info', 'low', 'medium', 'high', 'critical']"


def during(column: str) -> str:
    """Condition that a column of epoch ms lies in the dashboard's span; the sorting key serves it."""
    return f"{column} BETWEEN toUnixTimestamp($__fromTime) * 1000 AND toUnixTimestamp($__toTime) * 1000"


class ClickHouseQuery(Dataquery):
    """A query of the ClickHouse data source (its src/types/sql.ts, CHSqlQuery), written as SQL.

    `shape` is `timeseries` (a time column, numbers, and labels that become series) or `table`.
    """

    def __init__(self, sql: str, shape: str = "table", ref_id: str = "A") -> None:
        self.sql, self.shape, self.ref_id = " ".join(sql.split()), shape, ref_id

    def to_json(self) -> dict[str, object]:
        """The query as Grafana stores it."""
        return {
            "refId": self.ref_id,
            "datasource": CLICKHOUSE,
            "editorType": "sql",
            "queryType": self.shape,
            "format": _FORMATS[self.shape],
            "rawSql": self.sql,
            "meta": {"timezone": "UTC"},
        }


class Query(Builder[Dataquery]):
    """Builder of a ClickHouse query; white space is folded, so no `--` comments in the SQL."""

    def __init__(self, sql: str, shape: str = "table", ref_id: str = "A") -> None:
        self._query = ClickHouseQuery(sql, shape, ref_id)

    def build(self) -> Dataquery:
        """The query."""
        return self._query


class Variable:
    """Query of a variable (CHQuery without a panel)."""

    @staticmethod
    def query(sql: str) -> dict[str, Any]:
        """As the data source stores it in a variable."""
        return {**ClickHouseQuery(sql, ref_id="variable").to_json(), "datasource": CLICKHOUSE.to_json()}


def prometheus(expression: str, legend: str, ref_id: str = "A") -> PrometheusBuilder:
    """A range query of the Prometheus data source."""
    return (
        PrometheusBuilder()
        .ref_id(ref_id)
        .expr(expression)
        .legend_format(legend)
        .range()
        .format(PromQueryFormat.TIME_SERIES)
        .datasource(PROMETHEUS)
    )
