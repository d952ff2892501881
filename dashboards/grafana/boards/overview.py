# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Overview: all my streams, the worst first."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana.frame import OVERVIEW, frame, review_link, stream_link, with_alert_marks, with_streams
from dashboards.grafana.language import Say
from dashboards.grafana.panels import PanelBuilder, figure, lines, listed, over_time, rows, states
from dashboards.grafana.query import SEVERITIES, STREAMS, during

_WINDOWS = f"windows WHERE {STREAMS} AND size_ms = 10000 AND {during('start_ms')}"
_HEARD = f"streams WHERE {STREAMS} AND last_seen_at >= $__fromTime AND first_at <= $__toTime"
_SINCE_SEEN = "greatest(0, dateDiff('second', last_seen_at, least(now(), $__toTime)))"

_TROUBLE = f"""
SELECT s.stream_id AS stream, toString(s.channel) AS channel, s.platform AS platform,
    a.worst AS trouble, a.open AS open_alerts, w.mood AS mood, w.toxicity AS toxicity, w.rate AS rate,
    w.coverage AS coverage, s.silent AS freshness, s.ended AS ended
FROM (SELECT stream_id, channel, platform, if(ended, 0, {_SINCE_SEEN}) AS silent, toUInt8(ended) AS ended
    FROM {_HEARD}) AS s
LEFT JOIN (
    SELECT stream_id, sum(sentiment_sum) / nullIf(sum(scored), 0) / 10000 AS mood,
        sum(toxicity_sum) / nullIf(sum(scored), 0) / 10000 AS toxicity,
        sum(messages) / greatest(1, (max(start_ms) - min(start_ms)) / 60000) AS rate,
        sum(scored) / nullIf(sum(messages), 0) AS coverage
    FROM {_WINDOWS} GROUP BY stream_id
) AS w ON w.stream_id = s.stream_id
LEFT JOIN (
    SELECT stream_id, countIf(state != 'closed') AS open,
        max(indexOf({SEVERITIES}, severity) + if(state != 'closed', 10, 0)) AS worst
    FROM alerts WHERE {STREAMS} AND $__timeFilter(detected_at) GROUP BY stream_id
) AS a ON a.stream_id = s.stream_id
ORDER BY trouble DESC, freshness > 30 DESC, toxicity DESC NULLS LAST
"""


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        OVERVIEW,
        say("Pulse: overview", "Pulse: обзор"),
        say("All streams at a glance, the most troubled first.", "Все эфиры сразу, самые тревожные сверху."),
        say,
        span="15m",
        refresh="5s",
    )
    with_alert_marks(with_streams(board, say), say, STREAMS)
    for panel in _figures(say):
        board.with_panel(panel)
    board.with_panel(
        rows(
            say("My streams, by trouble", "Мои эфиры по тревожности"),
            say(
                "Worst first: severity of the worst alert of the span (1 info to 5 critical, 10 more while"
                " it is "
                "open), then silence, then toxicity. Means are plain; the Stream page shows their"
                " uncertainty.",
                "Сначала худшие: уровень худшей тревоги за период (1 инфо … 5 критично, плюс 10, пока"
                " открыта), "
                "затем тишина, затем токсичность. Средние без поправок; погрешность показана на странице"
                " эфира.",
            ),
            listed(_TROUBLE),
            names={
                "stream": say("Stream", "Эфир"),
                "channel": say("Channel", "Канал"),
                "platform": say("Platform", "Площадка"),
                "trouble": say("Trouble", "Тревожность"),
                "open_alerts": say("Open alerts", "Открытые тревоги"),
                "mood": say("Mood (−1 to 1)", "Настроение (−1…1)"),
                "toxicity": say("Toxicity", "Токсичность"),
                "rate": say("Messages a minute", "Сообщений в минуту"),
                "coverage": say("Scored", "Оценено"),
                "freshness": say("Silent for", "Тишина"),
                "ended": say("Ended", "Завершён"),
            },
            units={"toxicity": "percentunit", "coverage": "percentunit", "freshness": "s"},
            links={"stream": [stream_link(say), review_link(say)]},
            levels={
                "trouble": ((None, "green"), (3, "yellow"), (13, "orange"), (14, "red")),
                "mood": ((None, "red"), (-0.3, "orange"), (-0.1, "text"), (0.1, "green")),
                "toxicity": ((None, "text"), (0.15, "orange"), (0.3, "red")),
                "coverage": ((None, "red"), (0.9, "orange"), (0.98, "green")),
                "freshness": ((None, "green"), (10, "orange"), (60, "red")),
            },
            height=12,
        )
    )
    for panel in _courses(say):
        board.with_panel(panel)
    board.with_panel(
        states(
            say("State of each channel", "Состояние каналов"),
            say(
                "Severity of the worst alert at each moment; an empty stretch means that nothing was heard: "
                "blind, not calm.",
                "Уровень худшей тревоги в каждый момент; пустой участок значит, что данных не было: слепота, "
                "а не спокойствие.",
            ),
            over_time(
                f"""SELECT time, channel, max(level) AS severity FROM (
                    SELECT $__timeInterval(second) AS time, channel, 0 AS level
                    FROM activity WHERE {STREAMS} AND {during("second_ms")}
                    UNION ALL
                    SELECT $__timeInterval(toDateTime(arrayJoin(range(
                        toUInt32(greatest(started_at, $__fromTime)),
                        toUInt32(least(ifNull(ended_at, now64(3)), $__toTime)) + 1, $__interval_s)))) AS time,
                        channel, indexOf({SEVERITIES}, severity) AS level
                    FROM alerts WHERE {STREAMS} AND started_at <= $__toTime
                        AND ifNull(ended_at, now64(3)) >= $__fromTime
                ) GROUP BY time, channel ORDER BY time"""
            ),
            meanings={
                "0": (say("calm", "спокойно"), "green"),
                "1": (say("info", "инфо"), "blue"),
                "2": (say("low", "низкий"), "yellow"),
                "3": (say("medium", "средний"), "orange"),
                "4": (say("high", "высокий"), "red"),
                "5": (say("critical", "критичный"), "dark-red"),
            },
            series="channel",
        )
    )
    return board


def _figures(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        figure(
            say("Streams heard", "Слышно эфиров"),
            say(
                "Streams with a message or heartbeat in the span.",
                "Эфиры с сообщением или пульсом за период.",
            ),
            listed(f"SELECT count() AS streams FROM {_HEARD}"),
        ),
        figure(
            say("Open alerts", "Открытые тревоги"),
            say("Alert episodes that have not closed.", "Тревоги, которые ещё не закрыты."),
            listed(
                f"SELECT count() AS open FROM alerts WHERE {STREAMS} AND state != 'closed' AND"
                f" $__timeFilter(detected_at)"
            ),
            levels=((None, "green"), (1, "orange"), (5, "red")),
        ),
        figure(
            say("Messages a second", "Сообщений в секунду"),
            say("Over all chosen streams, model or not.", "По всем выбранным эфирам, с моделью или без."),
            listed(
                f"SELECT sum(messages) / greatest(1, (max(second_ms) - min(second_ms)) / 1000 + 1) AS rate"
                f" FROM activity WHERE {STREAMS} AND {during('second_ms')}"
            ),
            decimals=1,
            unit="mps",
        ),
        figure(
            say("Longest silence", "Самая долгая тишина"),
            say(
                "Of the running streams: seconds since the last message or heartbeat. Above 10 s we may be"
                " blind.",
                "Среди идущих эфиров: секунд с последнего сообщения или пульса. Более 10 с: возможно, мы"
                " слепы.",
            ),
            listed(f"SELECT max({_SINCE_SEEN}) AS silence FROM {_HEARD} AND NOT ended"),
            unit="s",
            levels=((None, "green"), (10, "orange"), (60, "red")),
        ),
        figure(
            say("Scored", "Оценено"),
            say("Share of messages that the model scored.", "Доля сообщений, оценённых моделью."),
            listed(f"SELECT sum(scored) / nullIf(sum(messages), 0) AS coverage FROM {_WINDOWS}"),
            unit="percentunit",
            decimals=1,
            levels=((None, "red"), (0.9, "orange"), (0.98, "green")),
        ),
        figure(
            say("Gaps", "Пропуски"),
            say("Spans in which lines may have been lost.", "Участки, где строки могли потеряться."),
            listed(f"SELECT count() AS gaps FROM gaps WHERE {STREAMS} AND $__timeFilter(at)"),
            levels=((None, "green"), (1, "orange")),
        ),
    )


def _courses(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        lines(
            say("Mood by channel", "Настроение по каналам"),
            say("Mean sentiment of scored lines, −1 to 1.", "Средняя тональность оценённых строк, −1…1."),
            over_time(
                f"SELECT $__timeInterval(window_start) AS time, channel, sum(sentiment_sum) / sum(scored) /"
                f" 10000 AS mood"
                f" FROM {_WINDOWS} AND scored > 0 GROUP BY time, channel ORDER BY time"
            ),
            series="channel",
            limits=(-1, 1),
        ),
        lines(
            say("Messages by channel", "Сообщения по каналам"),
            say("Lines a second, model or not.", "Строк в секунду, с моделью или без."),
            over_time(
                f"SELECT $__timeInterval(second) AS time, channel, sum(messages) / $__interval_s AS rate"
                f" FROM activity WHERE {STREAMS} AND {during('second_ms')} GROUP BY time, channel ORDER BY"
                f" time"
            ),
            series="channel",
            unit="mps",
        ),
    )
