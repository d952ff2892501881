# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""What all dashboards share: variables, links to each other, annotations, refresh."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.language import Say
from dashboards.grafana.query import CLICKHOUSE, STREAMS, WORKSPACE, ClickHouseQuery, Variable

TAG: Final = "pulse"
OVERVIEW, STREAM, RAIDS, REVIEW, COMPARE, HEALTH = (
    "pulse-overview",
    "pulse-stream",
    "pulse-raids",
    "pulse-review",
    "pulse-compare",
    "pulse-health",
)


def frame(uid: str, title: str, description: str, say: Say, *, span: str, refresh: str) -> build.Dashboard:
    """An empty dashboard with links to the others; `span` and `refresh` are durations as `30m`."""
    board = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .time(f"now-{span}", "now")
        .timezone("browser")
        .refresh(refresh)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .editable()
    )
    board.link(
        build.DashboardLink(say("Pulse", "Pulse"))
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    return board


def _variable(name: str, label: str, sql: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(CLICKHOUSE)
        .query(Variable.query(sql))
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def with_streams(board: build.Dashboard, say: Say) -> build.Dashboard:
    """Variables workspace, platform and channel; the last two may be several or all."""
    board.with_variable(
        _variable(
            "workspace",
            say("Workspace", "Пространство"),
            "SELECT workspace FROM streams GROUP BY workspace ORDER BY workspace = 'default' DESC, workspace",
        )
    )
    for name, label, sql in (
        (
            "platform",
            say("Platform", "Площадка"),
            f"SELECT DISTINCT platform FROM streams WHERE {WORKSPACE} ORDER BY platform",
        ),
        (
            "channel",
            say("Channel", "Канал"),
            f"SELECT DISTINCT toString(channel) FROM streams WHERE {WORKSPACE}"
            " AND $__conditionalAll(platform IN (${platform:sqlstring}), $platform) ORDER BY channel",
        ),
    ):
        board.with_variable(
            _variable(name, label, sql)
            .multi(True)
            .include_all(True)
            .current(model.VariableOption(text="All", value="$__all"))
        )
    return board


def with_broadcast(board: build.Dashboard, say: Say, *, several: bool = False) -> build.Dashboard:
    """The variables of `with_streams`, and broadcast: the newest first."""
    with_streams(board, say)
    broadcast = _variable(
        "broadcast",
        say("Broadcast", "Эфир"),
        f"SELECT stream_id FROM streams WHERE {STREAMS} ORDER BY last_seen_at DESC LIMIT 500",
    )
    return board.with_variable(broadcast.multi(several))


def with_alert_marks(board: build.Dashboard, say: Say, condition: str) -> build.Dashboard:
    """Alert episodes as annotations: time, timeEnd, text and tags."""
    marks = (
        build.AnnotationQuery()
        .name(say("Alerts", "Тревоги"))
        .datasource(CLICKHOUSE)
        .enable(True)
        .icon_color("red")
        .build()
    )
    marks.target = ClickHouseQuery(  # type: ignore[assignment]  # any data source's query stands here
        f"""SELECT started_at AS time, ifNull(ended_at, now64(3)) AS timeEnd, kind AS title,
            concat(severity, ': ', summary) AS text, concat(kind, ',', severity) AS tags
        FROM alerts WHERE {condition} AND started_at <= $__toTime
            AND ifNull(ended_at, now64(3)) >= $__fromTime
        ORDER BY time DESC LIMIT 500""",
        ref_id="Anno",
    )
    return board.annotation(_Built(marks))


class _Built(build.AnnotationQuery):
    """A finished annotation where a builder is expected."""

    def __init__(self, annotation: model.AnnotationQuery) -> None:
        self._internal = annotation


def stream_link(say: Say) -> tuple[str, str]:
    """Link of a table row with the column `stream` to the Stream dashboard."""
    return (
        say("Open the stream", "Открыть эфир"),
        f"/d/{STREAM}?var-workspace=${{workspace}}&var-broadcast=${{__data.fields.stream:percentencode}}"
        "&${__url_time_range}",
    )


def review_link(say: Say) -> tuple[str, str]:
    """Link of a table row with the column `stream` to the Broadcast review."""
    return (
        say("Review the broadcast", "Разбор эфира"),
        f"/d/{REVIEW}?var-workspace=${{workspace}}&var-broadcast=${{__data.fields.stream:percentencode}}"
        "&${__url_time_range}",
    )
