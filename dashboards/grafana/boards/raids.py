# ruff: noqa: S608  (SQL of our own constants; variables are quoted by Grafana)
"""Raids: attacks under way, their texts, accounts and waves, and how fast we saw them."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana.frame import RAIDS, frame, stream_link, with_alert_marks, with_streams
from dashboards.grafana.language import Say
from dashboards.grafana.panels import PanelBuilder, bars, figure, lines, listed, over_time, rows
from dashboards.grafana.query import SEVERITIES, STREAMS, during

HOSTILE = "kind IN ('attack.raid', 'attack.wave', 'flood.account', 'spam.links')"
_ATTACKS = f"alerts WHERE {STREAMS} AND {HOSTILE} AND $__timeFilter(detected_at)"
_SECONDS = "(toUnixTimestamp64Milli(detected_at) - toUnixTimestamp64Milli(started_at)) / 1000"


def build(say: Say) -> Dashboard:
    """The dashboard."""
    board = frame(
        RAIDS,
        say("Pulse: raids", "Pulse: рейды"),
        say("Attacks under way and how fast they were seen.", "Идущие атаки и скорость их обнаружения."),
        say,
        span="1h",
        refresh="5s",
    )
    with_alert_marks(with_streams(board, say), say, f"{STREAMS} AND {HOSTILE}")
    for panel in (*_figures(say), _live(say), *_shape(say), _waves(say)):
        board.with_panel(panel)
    return board


def _figures(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        figure(
            say("Live attacks", "Идущие атаки"),
            say("Hostile episodes that have not closed.", "Враждебные эпизоды, которые ещё идут."),
            listed(f"SELECT count() AS open FROM {_ATTACKS} AND state != 'closed'"),
            width=6,
            levels=((None, "green"), (1, "red")),
        ),
        figure(
            say("Attacks of the span", "Атак за период"),
            say("Hostile episodes, closed or not.", "Враждебные эпизоды, закрытые или нет."),
            listed(f"SELECT count() AS attacks FROM {_ATTACKS}"),
            width=6,
        ),
        figure(
            say("Time to detect, median", "Время обнаружения, медиана"),
            say("From the first line of the episode to the alert.", "От первой строки эпизода до тревоги."),
            listed(f"SELECT quantileExact(0.5)({_SECONDS}) AS seconds FROM {_ATTACKS}"),
            width=6,
            unit="s",
            decimals=1,
            levels=((None, "green"), (10, "orange"), (30, "red")),
        ),
        figure(
            say("Time to detect, p95", "Время обнаружения, p95"),
            say("95 of 100 attacks were seen within this time.", "95 из 100 атак замечены за это время."),
            listed(f"SELECT quantileExact(0.95)({_SECONDS}) AS seconds FROM {_ATTACKS}"),
            width=6,
            unit="s",
            decimals=1,
            levels=((None, "green"), (20, "orange"), (60, "red")),
        ),
    )


def _live(say: Say) -> PanelBuilder:
    return rows(
        say("Attacks, live ones first", "Атаки, сначала идущие"),
        say(
            "Every hostile episode with the numbers that crossed, and the playbook's name.",
            "Каждый враждебный эпизод с цифрами, которые перешли порог, и названием инструкции.",
        ),
        listed(
            "SELECT started_at AS time, stream_id AS stream, kind, severity, state, summary, authors,"
            " messages,"
            f" {_SECONDS} AS seconds, playbook FROM {_ATTACKS}"
            f" ORDER BY state = 'closed', indexOf({SEVERITIES}, severity) DESC, time DESC LIMIT 200"
        ),
        names={
            "time": say("Start", "Начало"),
            "stream": say("Stream", "Эфир"),
            "kind": say("Kind", "Вид"),
            "severity": say("Severity", "Уровень"),
            "state": say("State", "Состояние"),
            "summary": say("Why", "Почему"),
            "authors": say("Accounts", "Аккаунтов"),
            "messages": say("Lines", "Строк"),
            "seconds": say("Seen after", "Замечено через"),
            "playbook": say("Playbook", "Инструкция"),
        },
        units={"seconds": "s"},
        links={"stream": [stream_link(say)]},
        height=10,
    )


def _shape(say: Say) -> tuple[PanelBuilder, ...]:
    return (
        lines(
            say("Repeated texts and newcomers", "Повторы и новые авторы"),
            say(
                "Lines a second whose text other accounts sent too, by first-time authors, and with links.",
                "Строк в секунду с чужим текстом, от новых авторов и со ссылками.",
            ),
            over_time(
                "SELECT $__timeInterval(second) AS time, sum(duplicates) / $__interval_s AS repeats,"
                " sum(first_time_authors) / $__interval_s AS newcomers, sum(links) / $__interval_s AS links"
                f" FROM activity WHERE {STREAMS} AND {during('second_ms')} GROUP BY time ORDER BY time"
            ),
            unit="mps",
            names={
                "repeats": say("repeated texts", "повторы"),
                "newcomers": say("by newcomers", "от новых"),
                "links": say("links", "ссылки"),
            },
        ),
        lines(
            say("Time to detect", "Время обнаружения"),
            say("Each attack at its detection, by kind.", "Каждая атака в момент обнаружения, по видам."),
            over_time(
                f"SELECT $__timeInterval(detected_at) AS time, kind, max({_SECONDS}) AS seconds"
                f" FROM {_ATTACKS} GROUP BY time, kind ORDER BY time"
            ),
            unit="s",
            series="kind",
            levels=((None, "green"), (30, "red")),
        ),
        rows(
            say("Clusters", "Группы текстов"),
            say(
                "Fingerprints of near-identical texts in the attacks: where, how many episodes and accounts.",
                "Отпечатки почти одинаковых текстов в атаках: где, сколько эпизодов и аккаунтов.",
            ),
            listed(
                "SELECT cluster, groupUniqArray(5)(channel) AS channels, count() AS episodes, max(authors)"
                " AS accounts"
                f" FROM (SELECT arrayJoin(clusters) AS cluster, channel, authors FROM {_ATTACKS})"
                " GROUP BY cluster ORDER BY episodes DESC, accounts DESC LIMIT 50"
            ),
            names={
                "cluster": say("Fingerprint", "Отпечаток"),
                "channels": say("Channels", "Каналы"),
                "episodes": say("Episodes", "Эпизодов"),
                "accounts": say("Accounts", "Аккаунтов"),
            },
            width=12,
        ),
        rows(
            say("Accounts", "Аккаунты"),
            say(
                "Pseudonyms of the authors of the evidence: lines, first message, age where known. No"
                " scores of persons.",
                "Псевдонимы авторов улик: строки, первое ли сообщение, возраст, если известен. Без оценок"
                " людей.",
            ),
            listed(
                "SELECT author, any(messages.channel) AS channel, count() AS lines,"
                " max(ifNull(author_flags.first_message, false)) AS first_message,"
                " min(author_flags.account_age_s) AS account_age"
                f" FROM (SELECT * FROM messages WHERE {STREAMS}) AS messages"
                " WHERE $__timeFilter(sent_at) AND message_id IN"
                f" (SELECT arrayJoin(evidence) FROM {_ATTACKS})"
                " GROUP BY author ORDER BY lines DESC LIMIT 100"
            ),
            names={
                "author": say("Account", "Аккаунт"),
                "channel": say("Channel", "Канал"),
                "lines": say("Lines", "Строк"),
                "first_message": say("First message", "Первое сообщение"),
                "account_age": say("Account age", "Возраст"),
            },
            units={"account_age": "dtdurations"},
            width=12,
        ),
        bars(
            say("Attacks by kind", "Атаки по видам"),
            say("Hostile episodes of the span.", "Враждебные эпизоды за период."),
            listed(f"SELECT kind, count() AS episodes FROM {_ATTACKS} GROUP BY kind ORDER BY episodes DESC"),
        ),
    )


def _waves(say: Say) -> PanelBuilder:
    return rows(
        say("Waves across channels", "Волны по каналам"),
        say(
            "One alert for an attack that runs over several channels: which, when, how many accounts.",
            "Одна тревога на атаку по нескольким каналам: какие, когда, сколько аккаунтов.",
        ),
        listed(
            "SELECT started_at AS time, arrayStringConcat(channels, ', ') AS streams, length(channels) AS"
            " covered,"
            f" severity, state, authors, summary FROM {_ATTACKS} AND kind = 'attack.wave' ORDER BY time"
            f" DESC LIMIT 100"
        ),
        names={
            "time": say("Start", "Начало"),
            "streams": say("Streams", "Эфиры"),
            "covered": say("Streams covered", "Эфиров"),
            "severity": say("Severity", "Уровень"),
            "state": say("State", "Состояние"),
            "authors": say("Accounts", "Аккаунтов"),
            "summary": say("Why", "Почему"),
        },
        width=16,
        height=8,
    )
