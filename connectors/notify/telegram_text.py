"""An alert as Telegram text: HTML of the Bot API, English or Russian, never longer than a message may be."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from connectors.notify.message import page_link
from connectors.notify.outbox import Due
from connectors.notify.rules import rank
from schemas.playbooks import Language, told
from schemas.records import Alert, AlertKind, Severity

MAX_CHARACTERS: Final = 4096
"""Longest text of sendMessage (core.telegram.org/bots/api#sendmessage); here markup counts too."""
_MAX_SENTENCE: Final = 500
_STEPS: Final = 3
"""Steps of the playbook in the message; the page has them all."""

_SIGNS: Final[dict[Severity, str]] = {
    "info": "⚪",
    "low": "🔵",
    "medium": "🟡",
    "high": "🟠",
    "critical": "🔴",
}
_SEVERITIES: Final[dict[Language, dict[Severity, str]]] = {
    "en": {"info": "info", "low": "low", "medium": "medium", "high": "high", "critical": "critical"},
    "ru": {
        "info": "инфо",
        "low": "низкая",
        "medium": "средняя",
        "high": "высокая",
        "critical": "критическая",
    },
}
_KINDS: Final[dict[Language, dict[AlertKind, str]]] = {
    "en": {
        "attack.raid": "Hate raid",
        "attack.wave": "Wave of attacks",
        "flood.account": "Flood by one account",
        "spam.links": "Link spam",
        "raid.friendly": "Friendly raid",
        "hype": "Hype",
        "copypasta": "Copypasta",
        "mood.negative": "Bad mood",
        "mood.toxic": "Toxic mood",
        "mood.shift": "Mood shift",
        "mention": "Mention",
        "blind": "Not watching",
    },
    "ru": {
        "attack.raid": "Рейд-атака",
        "attack.wave": "Волна атак",
        "flood.account": "Флуд одного аккаунта",
        "spam.links": "Спам ссылками",
        "raid.friendly": "Дружеский рейд",
        "hype": "Хайп",
        "copypasta": "Копипаста",
        "mood.negative": "Плохое настроение",
        "mood.toxic": "Токсичное настроение",
        "mood.shift": "Смена настроения",
        "mention": "Упоминание",
        "blind": "Не слышно",
    },
}
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {"open": "began", "worse": "got worse, began", "closed": "over", "page": "Open the stream"},
    "ru": {
        "open": "началось",
        "worse": "усилилось, началось",
        "closed": "кончилось",
        "page": "Открыть стрим",
    },
}
_MORE: Final[dict[Language, str]] = {"en": "… and {count} more", "ru": "… и ещё {count}"}
_RUSSIAN_WHY: Final[dict[AlertKind, str]] = {
    "attack.raid": "{hostile_newcomers} из {newcomers} новичков выглядят враждебно: молодых аккаунтов "
    "{young_accounts}, оскорбляют {insulting}, с подменой букв {obfuscated}, с одним текстом {same_text}.",
    "flood.account": "Один аккаунт написал строк за 30 с: {lines_30s}.",
    "spam.links": "Ссылок за минуту: {suspicious_links_60s}, от новых или молодых аккаунтов: {accounts}.",
    "raid.friendly": "Новичков за минуту: {newcomers}.",
    "hype": "Строк за 10 с: {lines_10s}, обычно здесь {baseline_10s}.",
    "copypasta": "Один и тот же текст за 30 с написали аккаунтов: {accounts_30s}.",
    "mood.negative": "Средняя тональность {sentiment} ± {interval} по {scored_lines_20s} строкам; "
    "обычно здесь {baseline}.",
    "mood.toxic": "Средняя токсичность {toxicity} ± {interval} по {scored_lines_20s} строкам; "
    "обычно здесь {baseline}.",
    "blind": "Ни строки, ни сигнала {silent_s} с: за чатом никто не следит.",
}
"""The sentence in Russian, from the same numbers; where one is missing, the English one stands."""


def text(due: Sequence[Due], page_url: str, language: Language, timezone: str) -> str:
    """The whole message, worst alert first; what does not fit is counted in the last line."""
    zone = ZoneInfo(timezone)
    worst_first = sorted(due, key=lambda item: (-rank(item.alert.severity), item.alert.started_at))
    parts: list[str] = []
    length = 0
    reserve = len(_MORE[language]) + 12
    for item in worst_first:
        part = _paragraph(item, page_url, language, zone)
        if length + len(part) + 2 + reserve > MAX_CHARACTERS:
            part = _paragraph(item, page_url, language, zone, steps=0)
        if length + len(part) + 2 + reserve > MAX_CHARACTERS:
            break
        parts.append(part)
        length += len(part) + 2
    if left := len(due) - len(parts):
        parts.append(_MORE[language].format(count=left))
    return "\n\n".join(parts)


def why(alert: Alert, language: Language) -> str:
    """One sentence: the numbers that crossed."""
    summary = str(alert.why.get("summary", ""))
    if language == "ru" and alert.kind in _RUSSIAN_WHY:
        try:
            return _RUSSIAN_WHY[alert.kind].format_map(alert.why)
        except KeyError:
            return summary
    return summary


def _paragraph(item: Due, page_url: str, language: Language, zone: ZoneInfo, *, steps: int = _STEPS) -> str:
    alert = item.alert
    closed = alert.state == "closed"
    sign = "✅" if closed else _SIGNS[alert.severity]
    head = f"{sign} <b>{_KINDS[language][alert.kind]}</b> · {escape(_cut(alert.channel, 120))}"
    if closed and alert.ended_at is not None:
        when = (
            f"{_WORDS[language]['closed']}, {_clock(alert.started_at, zone)} – {_clock(alert.ended_at, zone)}"
        )
    else:
        when = f"{_WORDS[language][item.news]} {_clock(alert.started_at, zone)}"
    line = f"{_SEVERITIES[language][alert.severity]} · {when}"
    link = f'<a href="{escape(page_link(page_url, alert))}">{_WORDS[language]["page"]}</a>'
    sentence = escape(_cut(why(alert, language), _MAX_SENTENCE))
    return "\n".join([head, line, sentence, *_advice(alert, language, 0 if closed else steps), link])


def _advice(alert: Alert, language: Language, most: int) -> list[str]:
    return [f"• {escape(step)}" for step in told(alert.kind, alert.severity, language)["steps"][:most]]


def _clock(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M:%S")


def _cut(sentence: str, most: int) -> str:
    return sentence if len(sentence) <= most else sentence[: most - 1] + "…"
