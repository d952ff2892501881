# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Broadcast review: after the stream."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana.boards.stream import emotion_names
from dashboards.grafana.frame import REVIEW, frame, with_alert_marks, with_broadcast
from dashboards.grafana.language import Say
from dashboards.grafana.panels import (
    EMOTION_COLOURS,
    PanelBuilder,
    bars,
    figure,
    lines,
    listed,
    over_time,
    rows,
)
from dashboards.grafana.query import INDEX_STEPS, STREAM, during

SPAN_MS = 120_000
"""How much before and after an event is compared: enough for some dozen lines on a small channel."""

_WINDOWS = f"windows WHERE {STREAM} AND size_ms = 10000"
_INSIDE = f"{_WINDOWS} AND {during('start_ms')}"


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        REVIEW,
        say("Pulse: broadcast review", "Pulse: разбор эфира"),
        say(
            "After the stream: its course, moments, and what events did.",
            "После эфира: ход, моменты и что дали события.",
        ),
        say,
        span="6h",
        refresh="",
    )
    with_alert_marks(with_broadcast(board, say), say, STREAM)
    for panel in (*_figures(say), *_course(say), _moments(say), _events(say), _alerts(say), _gaps(say)):
        board.with_panel(panel)
    return board


def _figures(say: Say) -> tuple[PanelBuilder, ...]:
    minutes = "(max(start_ms) - min(start_ms)) / 1000 + 10"
    return (
        figure(
            say("Length", "Длительность"),
            say(
                "From the first to the last window with lines.", "От первого до последнего окна со строками."
            ),
            listed(f"SELECT {minutes} AS length FROM {_INSIDE}"),
            unit="dtdurations",
        ),
        figure(
            say("Messages", "Сообщений"),
            say("Lines of the broadcast in the span.", "Строк эфира за период."),
            listed(f"SELECT sum(messages) AS messages FROM {_INSIDE}"),
        ),
        figure(
            say("Authors", "Авторов"),
            say(
                "Distinct authors, counted exactly over the stored lines; gone when texts have expired.",
                "Разных авторов, точно по сохранённым строкам; исчезает, когда тексты истекли.",
            ),
            listed(
                f"SELECT uniqExact(author) AS authors FROM messages WHERE {STREAM} AND $__timeFilter(sent_at)"
            ),
        ),
        figure(
            say("Mood", "Настроение"),
            say(
                "Mean sentiment of all scored lines, −1 to 1.",
                "Средняя тональность всех оценённых строк, −1…1.",
            ),
            listed(f"SELECT sum(sentiment_sum) / nullIf(sum(scored), 0) / 10000 AS mood FROM {_INSIDE}"),
            decimals=2,
            levels=((None, "red"), (-0.3, "orange"), (-0.1, "text"), (0.1, "green")),
        ),
        figure(
            say("Toxicity", "Токсичность"),
            say("Mean toxicity of all scored lines.", "Средняя токсичность всех оценённых строк."),
            listed(f"SELECT sum(toxicity_sum) / nullIf(sum(scored), 0) / 10000 AS toxicity FROM {_INSIDE}"),
            unit="percentunit",
            decimals=1,
            levels=((None, "green"), (0.15, "orange"), (0.3, "red")),
        ),
        figure(
            say("Alerts", "Тревог"),
            say("Episodes of the broadcast.", "Эпизодов за эфир."),
            listed(f"SELECT count() AS alerts FROM alerts WHERE {STREAM} AND $__timeFilter(started_at)"),
        ),
    )


def _course(say: Say) -> tuple[PanelBuilder, ...]:
    names = emotion_names(say)
    columns = ", ".join(f"maxIf(mean, name = '{name}') AS {name}" for name in names)
    return (
        lines(
            say("Course of the emotions", "Ход эмоций"),
            say("Shares of the basic emotions over the broadcast.", "Доли базовых эмоций по ходу эфира."),
            over_time(f"SELECT step_start AS time, {columns} FROM {INDEX_STEPS} GROUP BY time ORDER BY time"),
            unit="percentunit",
            names=names,
            colours=EMOTION_COLOURS,
            stacked=True,
            limits=(0, 1),
            width=16,
        ),
        bars(
            say("Languages", "Языки"),
            say("Lines by detected language.", "Строки по определённому языку."),
            listed(
                f"SELECT ifNull(lang, '?') AS language, count() AS lines FROM messages WHERE {STREAM}"
                " AND $__timeFilter(sent_at) GROUP BY language ORDER BY lines DESC LIMIT 15"
            ),
        ),
    )


def _moments(say: Say) -> PanelBuilder:
    return rows(
        say("Moments", "Моменты"),
        say(
            "Steps that differ most from the channel's usual, by |z|: which index, how far, on how many"
            " lines.",
            "Шаги, сильнее всего отличные от обычного для канала, по |z|: показатель, отклонение, число"
            " строк.",
        ),
        listed(
            f"SELECT step_start AS time, name, mean, low, high, usual, z, messages FROM {INDEX_STEPS}"
            " WHERE scored >= 5 AND name != 'neutral' ORDER BY abs(z) DESC LIMIT 25"
        ),
        names={
            "time": say("Time", "Время"),
            "name": say("Index", "Показатель"),
            "mean": say("Mean", "Среднее"),
            "low": say("Low", "Нижняя граница"),
            "high": say("High", "Верхняя граница"),
            "usual": say("Usual", "Обычно"),
            "z": "z",
            "messages": say("Lines", "Строк"),
        },
        links={
            "time": [
                (
                    say("Open the stream", "Открыть эфир"),
                    "/d/pulse-stream?var-workspace=${workspace}&var-broadcast=${broadcast:percentencode}"
                    "&from=${__data.fields.time}&to=now",
                )
            ]
        },
    )


def _events(say: Say) -> PanelBuilder:
    def mean(column: str, side: str) -> str:
        return f"sumIf({column}, {side}) / nullIf(sumIf(scored, {side}), 0) / 10000"

    before, after = "start_ms < at_ms", "start_ms >= at_ms"
    return rows(
        say("Before and after", "До и после"),
        say(
            "Two minutes on each side of each event and alert: mood, toxicity and rate. Not a proof of"
            " cause.",
            "Две минуты до и после каждого события и тревоги: настроение, токсичность, поток. Причинность"
            " не доказана.",
        ),
        listed(
            f"""SELECT any(at) AS time, any(kind) AS kind,
                {mean("sentiment_sum", before)} AS mood_before, {mean("sentiment_sum", after)} AS mood_after,
                {mean("toxicity_sum", before)} AS toxicity_before,
                {mean("toxicity_sum", after)} AS toxicity_after,
                sumIf(messages, {before}) / {SPAN_MS // 1000} AS rate_before,
                sumIf(messages, {after}) / {SPAN_MS // 1000} AS rate_after
            FROM (
                SELECT at, toUnixTimestamp64Milli(at) AS at_ms, kind, event_id AS id FROM events
                WHERE {STREAM} AND kind IN ('raid', 'sub', 'gift', 'stream_up', 'stream_down', 'room_state')
                    AND $__timeFilter(at)
                UNION ALL
                SELECT started_at AS at, toUnixTimestamp64Milli(started_at) AS at_ms, kind, alert_id AS id
                FROM alerts
                WHERE {STREAM} AND $__timeFilter(started_at)
            ) AS marks
            CROSS JOIN (SELECT start_ms, messages, scored, sentiment_sum, toxicity_sum
                FROM {_WINDOWS}) AS around
            WHERE start_ms BETWEEN at_ms - {SPAN_MS} AND at_ms + {SPAN_MS}
            GROUP BY id ORDER BY time LIMIT 200"""
        ),
        names={
            "time": say("Time", "Время"),
            "kind": say("Event", "Событие"),
            "mood_before": say("Mood before", "Настроение до"),
            "mood_after": say("Mood after", "Настроение после"),
            "toxicity_before": say("Toxicity before", "Токсичность до"),
            "toxicity_after": say("Toxicity after", "Токсичность после"),
            "rate_before": say("Lines/s before", "Строк/с до"),
            "rate_after": say("Lines/s after", "Строк/с после"),
        },
        units={"toxicity_before": "percentunit", "toxicity_after": "percentunit"},
    )


def _alerts(say: Say) -> PanelBuilder:
    return rows(
        say("Alerts", "Тревоги"),
        say("What was raised during the broadcast, and for how long.", "Что сработало за эфир и надолго ли."),
        listed(
            "SELECT started_at AS time, kind, severity, dateDiff('second', started_at, ended_at) AS"
            " lasted, summary,"
            f" authors, messages FROM alerts WHERE {STREAM} AND $__timeFilter(started_at) ORDER BY time"
            f" LIMIT 200"
        ),
        names={
            "time": say("Start", "Начало"),
            "kind": say("Kind", "Вид"),
            "severity": say("Severity", "Уровень"),
            "lasted": say("Lasted", "Длилась"),
            "summary": say("Why", "Почему"),
            "authors": say("Accounts", "Аккаунтов"),
            "messages": say("Lines", "Строк"),
        },
        units={"lasted": "s"},
        width=16,
    )


def _gaps(say: Say) -> PanelBuilder:
    return rows(
        say("Gaps", "Пропуски"),
        say(
            "Spans in which lines may be missing: judge the review with them in mind.",
            "Участки, где строк может не хватать: учитывайте их при разборе.",
        ),
        listed(
            f"SELECT span_from AS time, span_to, cause, recovered FROM gaps WHERE {STREAM} AND"
            f" $__timeFilter(at)"
            " ORDER BY time LIMIT 200"
        ),
        names={
            "time": say("From", "С"),
            "span_to": say("To", "По"),
            "cause": say("Cause", "Причина"),
            "recovered": say("Recovered lines", "Возвращено строк"),
        },
        width=8,
    )
