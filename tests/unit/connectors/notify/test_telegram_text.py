from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.notify.config import SEVERITIES
from connectors.notify.outbox import Due
from connectors.notify.telegram_text import MAX_CHARACTERS, text, why
from schemas.records import Alert, AlertKind
from tests.unit.connectors.notify.notices import START_MS, alert

RAID = {
    "hostile_newcomers": 9,
    "newcomers": 12,
    "young_accounts": 8,
    "insulting": 5,
    "obfuscated": 2,
    "same_text": 4,
    "summary": "9 of 12 newcomers look hostile.",
}


def due(told: Alert, news: str = "open") -> Due:
    return Due(1, news, START_MS, START_MS, False, told)  # type: ignore[arg-type]


def test_an_english_message() -> None:
    assert text([due(alert(why=RAID))], "http://page", "en", "Europe/Moscow").split("\n") == [
        "🟠 <b>Hate raid</b> · twitch:somechannel",
        "high · began 03:00:00",
        "9 of 12 newcomers look hostile.",
        "• Turn shield mode on; where there is none, followers-only.",
        "• Tell the streamer in the ear not to read the chat out and to go on with the show.",
        "• Ban the accounts of the evidence, newest first, and delete their lines.",
        '<a href="http://page/#/default/twitch%3Asomechannel%2F40123456789">Open the stream</a>',
    ]


def test_a_russian_message_has_a_russian_sentence() -> None:
    lines = text([due(alert(why=RAID), "worse")], "http://page", "ru", "UTC").split("\n")
    assert lines[:2] == [
        "🟠 <b>Рейд-атака</b> · twitch:somechannel",
        "высокая · усилилось, началось 00:00:00",
    ]
    assert lines[2].startswith("9 из 12 новичков выглядят враждебно")


def test_the_english_sentence_stands_where_a_number_is_missing() -> None:
    assert why(alert(), "ru") == "9 of 12 newcomers look hostile."
    assert why(alert(kind="mood.shift"), "ru") == "9 of 12 newcomers look hostile."


def test_steps_give_way_where_there_is_no_room() -> None:
    long = due(alert(why={"summary": "'" * 500}, channel="&" * 120))
    shown = text([long], "http://page/" + "p" * 200, "en", "UTC")
    assert "•" not in shown
    assert "Hate raid" in shown


def test_a_closed_alert_says_so() -> None:
    over = alert(state="closed", ended_at=START_MS + 90_000)
    assert "✅" in text([due(over, "closed")], "http://page", "en", "UTC")
    assert "over, 00:00:00 – 00:01:30" in text([due(over, "closed")], "http://page", "en", "UTC")


def test_the_worst_comes_first() -> None:
    both = [
        due(alert(severity="low", channel="twitch:b")),
        due(alert(severity="critical", channel="twitch:a")),
    ]
    shown = text(both, "http://page", "en", "UTC")
    assert shown.index("twitch:a") < shown.index("twitch:b")


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_every_kind_has_a_name(kind: AlertKind, language: str) -> None:
    assert kind not in text([due(alert(kind=kind))], "http://page", language, "UTC")  # type: ignore[arg-type]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("b", "a")
        assert not self.open
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@settings(deadline=None)
@given(
    summaries=st.lists(st.text(max_size=900), min_size=1, max_size=30),
    channel=st.text(st.characters(codec="utf-8"), max_size=300),
    severity=st.sampled_from(SEVERITIES),
    language=st.sampled_from(["en", "ru"]),
)
def test_any_alert_is_valid_markup_and_never_too_long(
    summaries: list[str], channel: str, severity: str, language: str
) -> None:
    told = [
        due(alert(why={"summary": summary}, channel=channel, severity=severity, kind="mood.shift"))
        for summary in summaries
    ]
    shown = text(told, "http://page", language, "UTC")  # type: ignore[arg-type]
    assert 0 < len(shown) <= MAX_CHARACTERS
    tags = _Tags()
    tags.feed(shown)
    assert not tags.open
    assert shown.count("<b>") == len(told) or str(len(told) - shown.count("<b>")) in shown.split("\n")[-1]
