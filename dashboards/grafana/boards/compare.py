# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Compare: broadcasts side by side; every figure is of one broadcast, so no index blends platforms."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana.frame import COMPARE, frame, review_link, with_broadcast
from dashboards.grafana.language import Say
from dashboards.grafana.panels import PanelBuilder, lines, listed, over_time, rows
from dashboards.grafana.query import INDEX_STEPS, WORKSPACE, during

_CHOSEN = f"{WORKSPACE} AND stream_id IN (${{broadcast:sqlstring}})"
_WINDOWS = f"windows WHERE {_CHOSEN} AND size_ms = 10000"


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        COMPARE,
        say("Pulse: compare", "Pulse: сравнение"),
        say(
            "Broadcasts side by side. Choose several; platforms are never blended.",
            "Эфиры рядом. Выберите несколько; площадки не смешиваются.",
        ),
        say,
        span="6h",
        refresh="30s",
    )
    with_broadcast(board, say, several=True)
    for panel in (_table(say), *_by_clock(say), *_by_offset(say)):
        board.with_panel(panel)
    return board


def _table(say: Say) -> PanelBuilder:
    return rows(
        say("Side by side", "Бок о бок"),
        say(
            "One row a broadcast: totals and plain means of the span.",
            "Строка на эфир: суммы и средние за период.",
        ),
        listed(
            "SELECT stream_id AS stream, platform, sum(windows.messages) AS messages,"
            " (max(start_ms) - min(start_ms)) / 1000 + 10 AS length,"
            " sum(sentiment_sum) / nullIf(sum(scored), 0) / 10000 AS mood,"
            " sum(toxicity_sum) / nullIf(sum(scored), 0) / 10000 AS toxicity,"
            " sum(scored) / nullIf(sum(windows.messages), 0) AS coverage"
            f" FROM {_WINDOWS} AND {during('start_ms')} GROUP BY stream, platform ORDER BY platform, stream"
        ),
        names={
            "stream": say("Broadcast", "Эфир"),
            "platform": say("Platform", "Площадка"),
            "messages": say("Messages", "Сообщений"),
            "length": say("Length", "Длительность"),
            "mood": say("Mood (−1 to 1)", "Настроение (−1…1)"),
            "toxicity": say("Toxicity", "Токсичность"),
            "coverage": say("Scored", "Оценено"),
        },
        units={"length": "dtdurations", "toxicity": "percentunit", "coverage": "percentunit"},
        links={"stream": [review_link(say)]},
    )


def _by_clock(say: Say) -> tuple[PanelBuilder, ...]:
    def index(name: str, title: str, limits: tuple[float, float], unit: str) -> PanelBuilder:
        return lines(
            title,
            say(
                "By the clock, one line a broadcast, drawn to its channel's usual on few lines.",
                "По часам, линия на эфир; при малом числе строк тянется к обычному своего канала.",
            ),
            over_time(
                f"SELECT step_start AS time, stream_id, mean FROM {INDEX_STEPS} WHERE name = '{name}' ORDER"
                f" BY time"
            ),
            series="stream_id",
            limits=limits,
            unit=unit,
        )

    return (
        index("sentiment", say("Sentiment", "Тональность"), (-1, 1), "short"),
        index("toxicity", say("Toxicity", "Токсичность"), (0, 1), "percentunit"),
    )


def _by_offset(say: Say) -> tuple[PanelBuilder, ...]:
    aligned = (
        "toStartOfInterval($__fromTime + toIntervalSecond(intDiv(start_ms - first_ms, 1000)),"
        " INTERVAL $__interval_s second)"
    )
    source = (
        f"(SELECT stream_id, start_ms, messages, scored, sentiment_sum FROM {_WINDOWS}) AS w INNER JOIN"
        f" (SELECT stream_id, min(start_ms) AS first_ms FROM {_WINDOWS} GROUP BY stream_id) AS f"
        " ON f.stream_id = w.stream_id"
    )
    told = say(
        "All broadcasts begin at the left edge: the axis shows time since the first line, not the clock.",
        "Все эфиры начинаются у левого края: ось показывает время с первой строки, а не часы.",
    )
    return (
        lines(
            say("Mood since the start", "Настроение от начала"),
            told,
            over_time(
                f"SELECT {aligned} AS time, w.stream_id AS stream_id, sum(sentiment_sum) / sum(scored) /"
                f" 10000 AS mood"
                f" FROM {source} WHERE scored > 0 GROUP BY time, stream_id HAVING time <= $__toTime ORDER"
                f" BY time"
            ),
            series="stream_id",
            limits=(-1, 1),
        ),
        lines(
            say("Messages since the start", "Сообщения от начала"),
            told,
            over_time(
                f"SELECT {aligned} AS time, w.stream_id AS stream_id, sum(messages) / $__interval_s AS rate"
                f" FROM {source} GROUP BY time, stream_id HAVING time <= $__toTime ORDER BY time"
            ),
            series="stream_id",
            unit="mps",
        ),
    )
