# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Rows of the Stream dashboard about the chat itself: rate, emotes, languages, repeated texts, lines."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, Dashboard, TextBoxVariable
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.language import Say
from dashboards.grafana.panels import PanelBuilder, bars, lines, listed, over_time, rows
from dashboards.grafana.query import STREAM, during

_MESSAGES = f"messages WHERE {STREAM} AND $__timeFilter(sent_at)"


def add_chat(board: Dashboard, say: Say) -> None:
    """Add the panels, and the variables that filter the table of lines."""
    board.with_variable(
        CustomVariable("min_toxicity")
        .label(say("Toxicity from", "Токсичность от"))
        .values("0,0.2,0.5,0.8")
        .current(model.VariableOption(text="0", value="0"))
    )
    board.with_variable(
        TextBoxVariable("search").label(say("Text contains", "Текст содержит")).default_value("")
    )
    for panel in (*_counts(say), _lines(say), _alerts(say)):
        board.with_panel(panel)


def _counts(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        lines(
            say("Rate and authors", "Поток и авторы"),
            say(
                "Lines a second, and of them first-time authors, repeated texts and links; model or not.",
                "Строк в секунду, из них новые авторы, повторы и ссылки; с моделью или без.",
            ),
            over_time(
                "SELECT $__timeInterval(second) AS time, sum(messages) / $__interval_s AS messages,"
                " sum(first_time_authors) / $__interval_s AS newcomers, sum(duplicates) / $__interval_s AS"
                " repeats,"
                " sum(links) / $__interval_s AS links, sum(emotes) / $__interval_s AS emotes"
                f" FROM activity WHERE {STREAM} AND {during('second_ms')} GROUP BY time ORDER BY time"
            ),
            unit="mps",
            width=24,
            names={
                "messages": say("messages", "сообщения"),
                "newcomers": say("by newcomers", "от новых"),
                "repeats": say("repeated texts", "повторы"),
                "links": say("links", "ссылки"),
                "emotes": say("emotes", "эмоуты"),
            },
        ),
        bars(
            say("Emotes", "Эмоуты"),
            say(
                "Most used emotes of the span; empty where the platform marks none.",
                "Самые частые эмоуты периода; пусто, если площадка их не отмечает.",
            ),
            listed(
                f"SELECT emote.1 AS name, count() AS uses FROM (SELECT arrayJoin(emotes) AS emote FROM"
                f" {_MESSAGES})"
                " GROUP BY name ORDER BY uses DESC LIMIT 15"
            ),
        ),
        bars(
            say("Languages", "Языки"),
            say("Lines by detected language.", "Строки по определённому языку."),
            listed(
                f"SELECT ifNull(lang, '?') AS language, count() AS lines FROM {_MESSAGES}"
                " GROUP BY language ORDER BY lines DESC LIMIT 15"
            ),
        ),
        rows(
            say("Top fingerprints", "Повторяющиеся тексты"),
            say(
                "Texts that several accounts sent, equal up to case and outer spaces; many accounts and"
                " one text is how "
                "raids and copypasta look.",
                "Тексты от нескольких аккаунтов, равные с точностью до регистра и крайних пробелов; так"
                " выглядят рейды "
                "и копипаста.",
            ),
            listed(
                f"SELECT any(text) AS example, uniqExact(author) AS accounts, count() AS lines FROM"
                f" {_MESSAGES}"
                " AND text != '' GROUP BY lowerUTF8(trimBoth(text)) HAVING accounts > 1"
                " ORDER BY accounts DESC, lines DESC LIMIT 30"
            ),
            names={
                "example": say("Text", "Текст"),
                "accounts": say("Accounts", "Аккаунтов"),
                "lines": say("Lines", "Строк"),
            },
            width=8,
            height=8,
        ),
    )


def _lines(say: Say) -> PanelBuilder:
    return rows(
        say("Messages", "Сообщения"),
        say(
            "Newest first, at most 500; narrow by toxicity, text and the time span. Click a time for the"
            " minute around "
            "it. Authors are pseudonyms.",
            "Сначала новые, не более 500; сузьте по токсичности, тексту и времени. Клик по времени"
            " открывает минуту "
            "вокруг. Авторы скрыты псевдонимами.",
        ),
        listed(
            "SELECT sent_at AS time, author, text, lang, sentiment, toxicity, hate,"
            " if(empty(basic), NULL, arrayReverseSort(x -> basic[x], mapKeys(basic))[1]) AS emotion,"
            " abstained,"
            " toUnixTimestamp64Milli(sent_at) - 30000 AS from_ms, toUnixTimestamp64Milli(sent_at) + 30000"
            " AS to_ms"
            f" FROM {_MESSAGES} AND (${{min_toxicity}} = 0 OR toxicity >= ${{min_toxicity}})"
            " AND (${search:sqlstring} = '' OR positionCaseInsensitiveUTF8(text, ${search:sqlstring}) > 0)"
            " ORDER BY time DESC LIMIT 500"
        ),
        names={
            "time": say("Time", "Время"),
            "author": say("Author", "Автор"),
            "text": say("Text", "Текст"),
            "lang": say("Language", "Язык"),
            "sentiment": say("Sentiment", "Тональность"),
            "toxicity": say("Toxicity", "Токсичность"),
            "hate": say("Hate", "Ненависть"),
            "emotion": say("Emotion", "Эмоция"),
            "abstained": say("Not scored", "Без оценки"),
        },
        units={"toxicity": "percentunit", "hate": "percentunit"},
        links={
            "time": [
                (
                    say("The minute around it", "Минута вокруг"),
                    "/d/pulse-stream?var-workspace=${workspace}&var-broadcast=${broadcast:percentencode}"
                    "&from=${__data.fields.from_ms}&to=${__data.fields.to_ms}",
                )
            ]
        },
        levels={"toxicity": ((None, "text"), (0.3, "orange"), (0.6, "red"))},
        height=14,
    ).override_by_regexp("from_ms|to_ms", [model.DynamicConfigValue("custom.hidden", True)])


def _alerts(say: Say) -> PanelBuilder:
    return rows(
        say("Alerts of this stream", "Тревоги эфира"),
        say(
            "Episodes in their newest revision, with the reason in one sentence.",
            "Тревоги в последней редакции, с причиной в одном предложении.",
        ),
        listed(
            "SELECT started_at AS time, kind, severity, state, summary, authors, messages, ended_at"
            f" FROM alerts WHERE {STREAM} AND $__timeFilter(started_at) ORDER BY time DESC LIMIT 200"
        ),
        names={
            "time": say("Start", "Начало"),
            "kind": say("Kind", "Вид"),
            "severity": say("Severity", "Уровень"),
            "state": say("State", "Состояние"),
            "summary": say("Why", "Почему"),
            "authors": say("Accounts", "Аккаунтов"),
            "messages": say("Lines", "Строк"),
            "ended_at": say("End", "Конец"),
        },
    )
