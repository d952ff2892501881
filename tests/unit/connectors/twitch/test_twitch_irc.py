import gzip
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.twitch.irc import emotes_of, number_of, parse_irc, without_action
from connectors.twitch.notices import notice_of
from schemas.codecs import InvalidRecordError
from schemas.records import Emote
from tests.unit.connectors.twitch.frames import GIFT, RAID, RESUB, TIMEOUT, privmsg

SHARED = Path(os.environ.get("PULSE_SHARED", Path(__file__).parents[5] / "shared"))
REAL = SHARED / "data" / "logs" / "channel_f.irc.gz"


def test_a_line_with_tags() -> None:
    message = parse_irc(privmsg("hi : there", more="bits=100"))
    assert (message.command, message.nick, message.channel, message.text) == (
        "PRIVMSG",
        "alice",
        "room",
        "hi : there",
    )
    assert (message.tags["id"], message.tags["color"], number_of(message.tags, "bits")) == (
        "m1",
        "#0D4200",
        100,
    )
    assert number_of(message.tags, "emotes") is None


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a\\sb", "a b"),
        ("a\\:b", "a;b"),
        ("a\\\\sb", "a\\sb"),
        ("\\r\\n", "\r\n"),
        ("a\\b", "ab"),
        ("a\\", "a"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_tag_values_are_unescaped(raw: str, value: str) -> None:
    assert parse_irc(f"@x={raw};y PING").tags == {"x": value, "y": ""}


ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}


@settings(deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_value_survives_escaping(value: str) -> None:
    escaped = "".join(ESCAPES.get(letter, letter) for letter in value)
    assert parse_irc(f"@k={escaped} PRIVMSG #c :x").tags == {"k": value}


@settings(deadline=None)
@given(
    nick=st.from_regex(r"[a-z0-9_]{1,25}", fullmatch=True),
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")),
)
def test_any_text_comes_through(nick: str, text: str) -> None:
    message = parse_irc(f":{nick}!{nick}@{nick}.tmi.twitch.tv PRIVMSG #room :{text}")
    assert (message.nick, message.channel, message.text) == (nick, "room", text)


@settings(deadline=None)
@given(line=st.text())
@example("@")
@example(":")
@example("@a=b")
@example("@a=b :x")
@example("  ")
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        message = parse_irc(line)
    except InvalidRecordError as error:
        assert error.error_class == "source_line"
    else:
        assert message.command
        assert isinstance(message.channel + message.text, str)


def test_emote_positions_count_code_points() -> None:
    text = "👩‍👩‍👧 Kappa مرحبا Keepo"
    kappa, keepo = text.index("Kappa"), text.index("Keepo")
    tag = f"1902:{keepo}-{keepo + 4}/25:{kappa}-{kappa + 4}"
    assert emotes_of(tag, text) == (
        Emote("Kappa", "twitch", kappa, kappa + 5),
        Emote("Keepo", "twitch", keepo, keepo + 5),
    )


@settings(deadline=None)
@given(tag=st.text("0123456789:-,/x", max_size=40), text=st.text(max_size=20))
def test_any_emote_tag_names_only_what_stands_in_the_text(tag: str, text: str) -> None:
    for emote in emotes_of(tag, text):
        assert emote.name == text[emote.start : emote.end] != ""


def test_the_frame_of_an_action_is_taken_off() -> None:
    assert without_action("\x01ACTION waves\x01") == "waves"
    assert without_action("ACTION waves") == "ACTION waves"


def test_notices() -> None:
    raid = notice_of(parse_irc(RAID))
    assert (raid.kind, raid.login, raid.viewers) == ("raid", "testchannel", 15)
    assert raid.text == "15 raiders from @testchannel have joined\n!"
    resub = notice_of(parse_irc(RESUB))
    assert (resub.kind, resub.text) == ("sub", "Great stream -- keep it up!")
    gift = notice_of(parse_irc(GIFT))
    assert (gift.kind, gift.text) == ("gift", "@tww2 gifted a Tier 1 sub to @mr_woodchuck!")
    assert notice_of(parse_irc(TIMEOUT)).kind is None


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data/logs/channel_f.irc.gz")
def test_real_lines() -> None:
    lines = gzip.decompress(REAL.read_bytes()).decode().splitlines()
    messages = [parse_irc(line) for line in lines]
    assert len(messages) == 4557
    assert all(message.command == "PRIVMSG" and message.nick and message.channel for message in messages)
    assert [
        f":{m.nick}!{m.nick}@{m.nick}.tmi.twitch.tv PRIVMSG #{m.channel} :{m.text}" for m in messages
    ] == lines
