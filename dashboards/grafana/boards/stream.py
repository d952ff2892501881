# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Stream: one broadcast in depth."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.grafana.boards.stream_chat import add_chat
from dashboards.grafana.frame import STREAM as UID
from dashboards.grafana.frame import frame, with_alert_marks, with_broadcast
from dashboards.grafana.language import Say
from dashboards.grafana.panels import EMOTION_COLOURS, PanelBuilder, band, figure, lines, listed, over_time
from dashboards.grafana.query import INDEX_STEPS, STREAM, during

_WINDOWS = f"windows WHERE {STREAM} AND size_ms = 10000 AND {during('start_ms')}"
_ACTIVITY = f"activity WHERE {STREAM} AND {during('second_ms')}"


def emotion_names(say: Say) -> dict[str, str]:
    """What people read for the seven basic emotions."""
    return {
        "joy": say("joy", "радость"),
        "sadness": say("sadness", "грусть"),
        "anger": say("anger", "гнев"),
        "fear": say("fear", "страх"),
        "surprise": say("surprise", "удивление"),
        "disgust": say("disgust", "отвращение"),
        "neutral": say("neutral", "нейтрально"),
    }


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        UID,
        say("Pulse: stream", "Pulse: эфир"),
        say("How one audience feels, and why.", "Что чувствует аудитория эфира и почему."),
        say,
        span="30m",
        refresh="5s",
    )
    with_alert_marks(with_broadcast(board, say), say, STREAM)
    for panel in _figures(say):
        board.with_panel(panel)
    board.with_row(Row(say("Mood", "Настроение")))
    for panel in _moods(say):
        board.with_panel(panel)
    for name, shown in emotion_names(say).items():
        if name != "neutral":
            board.with_panel(_emotion(say, name, shown))
    board.with_row(Row(say("Chat", "Чат")))
    add_chat(board, say)
    return board


def _figures(say: Say) -> tuple[PanelBuilder, ...]:
    newest = f"FROM {INDEX_STEPS} WHERE name = 'sentiment' ORDER BY step_start DESC LIMIT 1"
    return (
        figure(
            say("Mood now", "Настроение сейчас"),
            say(
                "Mean sentiment of the newest step, −1 to 1, drawn to the channel's usual on few lines.",
                "Средняя тональность последнего шага, −1…1; при малом числе строк тянется к обычной для"
                " канала.",
            ),
            listed(f"SELECT mean {newest}"),
            decimals=2,
            levels=((None, "red"), (-0.3, "orange"), (-0.1, "text"), (0.1, "green")),
        ),
        figure(
            say("Against the usual", "Против обычного"),
            say(
                "z of the newest step: standard deviations away from what is usual on this channel.",
                "z последнего шага: на сколько стандартных отклонений он отличается от обычного на канале.",
            ),
            listed(f"SELECT z {newest}"),
            decimals=1,
            levels=((None, "red"), (-3, "orange"), (-2, "text"), (2, "green")),
        ),
        figure(
            say("Messages a second", "Сообщений в секунду"),
            say("Over the last minute of the span.", "За последнюю минуту периода."),
            listed(
                f"SELECT sum(messages) / 60 AS rate FROM {_ACTIVITY} AND second > (SELECT max(second) FROM"
                f" {_ACTIVITY}) - INTERVAL 60 SECOND"
            ),
            decimals=1,
            unit="mps",
        ),
        figure(
            say("Authors", "Авторов"),
            say("Distinct authors of the span, counted exactly.", "Разных авторов за период, точно."),
            listed(
                f"SELECT uniqExact(author) AS authors FROM messages WHERE {STREAM} AND $__timeFilter(sent_at)"
            ),
        ),
        figure(
            say("Silent for", "Тишина"),
            say(
                "Since the last message or heartbeat; above 10 s we may be blind.",
                "С последнего сообщения или пульса; более 10 с: возможно, мы слепы.",
            ),
            listed(
                "SELECT if(ended, 0, greatest(0, dateDiff('second', last_seen_at, least(now(),"
                " $__toTime)))) AS silence"
                f" FROM streams WHERE {STREAM}"
            ),
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
    )


def _moods(say: Say) -> tuple[PanelBuilder, ...]:
    names = emotion_names(say)
    columns = ", ".join(f"maxIf(mean, name = '{name}') AS {name}" for name in names)
    interval = {
        "low": say("low", "нижняя граница"),
        "high": say("high", "верхняя граница"),
        "mean": say("mean", "среднее"),
        "usual": say("usual on this channel", "обычное для канала"),
    }
    return (
        lines(
            say("Emotions, stacked", "Эмоции, в сумме"),
            say(
                "Shares of the basic emotions (they sum to about 1), drawn to the usual on few lines.",
                "Доли базовых эмоций (в сумме около 1); при малом числе строк тянутся к обычным.",
            ),
            over_time(f"SELECT step_start AS time, {columns} FROM {INDEX_STEPS} GROUP BY time ORDER BY time"),
            unit="percentunit",
            names=names,
            colours=EMOTION_COLOURS,
            stacked=True,
            limits=(0, 1),
        ),
        _banded(say, "sentiment", say("Sentiment", "Тональность"), (-1, 1), interval),
        _banded(say, "toxicity", say("Toxicity", "Токсичность"), (0, 1), interval),
        lines(
            say("How unusual", "Насколько необычно"),
            say(
                "z of sentiment and toxicity against the channel's usual; beyond ±3 is rare.",
                "z тональности и токсичности относительно обычного для канала; за ±3 бывает редко.",
            ),
            over_time(
                "SELECT step_start AS time, maxIf(z, name = 'sentiment') AS sentiment,"
                f" maxIf(z, name = 'toxicity') AS toxicity FROM {INDEX_STEPS} GROUP BY time ORDER BY time"
            ),
            names={"sentiment": say("sentiment", "тональность"), "toxicity": say("toxicity", "токсичность")},
            levels=((None, "red"), (-3, "transparent"), (3, "red")),
        ),
    )


def _banded(
    say: Say, name: str, title: str, limits: tuple[float, float], names: dict[str, str], colour: str = "blue"
) -> PanelBuilder:
    return band(
        title,
        say(
            "Mean with its 95 % interval, wide on few messages; dashed: what is usual on the channel.",
            "Среднее с 95 % интервалом, широким при малом числе сообщений; пунктир: обычное для канала.",
        ),
        over_time(
            f"SELECT step_start AS time, low, high, mean, usual FROM {INDEX_STEPS} WHERE name = '{name}'"
            f" ORDER BY time"
        ),
        names=names,
        limits=limits,
        colour=colour,
    ).unit("short" if limits[0] < 0 else "percentunit")


def _emotion(say: Say, name: str, shown: str) -> PanelBuilder:
    return band(
        shown.capitalize(),
        say(
            "Share of the emotion with its 95 % interval, wide on few messages.",
            "Доля эмоции с 95 % интервалом, широким при малом числе сообщений.",
        ),
        over_time(
            f"SELECT step_start AS time, low, high, mean FROM {INDEX_STEPS} WHERE name = '{name}' ORDER BY"
            f" time"
        ),
        names={"low": say("low", "нижняя граница"), "high": say("high", "верхняя граница"), "mean": shown},
        width=8,
        limits=(0, 1),
        colour=EMOTION_COLOURS[name],
    )
