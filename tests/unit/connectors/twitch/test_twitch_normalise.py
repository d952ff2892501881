import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.twitch.irc import parse_irc
from connectors.twitch.normalise import ChannelNormaliser, pseudonymised
from schemas.codecs import InvalidRecordError, decode_event, decode_message, encode
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote
from schemas.retention import load_retention
from tests.unit.connectors.twitch.conftest import PSEUDONYMS
from tests.unit.connectors.twitch.frames import (
    AT,
    BAN,
    CLEARED,
    DELETED,
    GIFT,
    RAID,
    RESUB,
    ROOM,
    SLOW,
    TIMEOUT,
    privmsg,
)

NOW = AT + 250


@pytest.fixture
def channel() -> ChannelNormaliser:
    return ChannelNormaliser("room", "twitch:room/2026-01-01", PSEUDONYMS, load_retention())


def test_a_chat_line(channel: ChannelNormaliser) -> None:
    line = privmsg(
        "@Bob Kappa hi alice Kappa",
        more="emotes=25:5-9,20-24;badges=subscriber/6,vip/1;bits=50;first-msg=1;reply-parent-msg-id=p1",
    )
    (message,) = channel.records(parse_irc(line), NOW)
    bob, alice = PSEUDONYMS.mention("bob"), PSEUDONYMS.mention("alice")
    text = f"{bob} Kappa hi {alice} Kappa"
    assert message == ChatMessage(
        channel="twitch:room",
        stream_id="twitch:room/2026-01-01",
        message_id="m1",
        kind="message",
        sent_at=AT,
        received_at=NOW,
        expires_at=NOW + 24 * 3_600_000,
        author=PSEUDONYMS.author("alice"),
        author_flags=AuthorFlags(subscriber=True, moderator=False, vip=True, first_message=True),
        text=text,
        emotes=(
            Emote("Kappa", "twitch", text.index("Kappa"), text.index("Kappa") + 5),
            Emote("Kappa", "twitch", len(text) - 5, len(text)),
        ),
        reply_to="p1",
        amount=50.0,
    )
    assert decode_message(encode(message)) == message


def test_events(channel: ChannelNormaliser) -> None:
    found = {}
    for name, line in {
        "raid": RAID,
        "resub": RESUB,
        "gift": GIFT,
        "timeout": TIMEOUT,
        "ban": BAN,
        "cleared": CLEARED,
        "deleted": DELETED,
        "room": ROOM,
    }.items():
        first, *more = channel.records(parse_irc(line), NOW)
        assert isinstance(first, ChatEvent)
        assert decode_event(encode(first)) == first
        assert [record.text for record in more if isinstance(record, ChatMessage)] == (
            ["Great stream -- keep it up!"] if name == "resub" else []
        )
        found[name] = first
    assert {name: event.kind for name, event in found.items()} == {
        "raid": "raid", "resub": "sub", "gift": "gift", "timeout": "ban", "ban": "ban", "cleared": "deletion",
        "deleted": "deletion", "room": "room_state",
    }  # fmt: skip
    ronni = PSEUDONYMS.author("ronni")
    assert (found["raid"].source, found["raid"].viewers) == (PSEUDONYMS.author("testchannel"), 15)
    assert (found["timeout"].target_author, found["timeout"].cause) == (ronni, "timed out for 350 s")
    assert (found["ban"].target_author, found["ban"].cause) == (ronni, "banned")
    assert (found["deleted"].target_message_id, found["deleted"].target_author) == ("abc-123-def", ronni)
    assert found["cleared"].target_author is None
    assert len({event.event_id for event in found.values()}) == len(found)


def test_room_settings_are_told_when_they_change(channel: ChannelNormaliser) -> None:
    told = [channel.records(parse_irc(line), NOW) for line in (ROOM, ROOM, SLOW, SLOW)]
    assert [len(records) for records in told] == [1, 0, 1, 0]
    (changed,) = told[2]
    assert isinstance(changed, ChatEvent)
    assert changed.cause == "emote-only=0 followers-only=-1 r9k=0 slow=10 subs-only=0"


def test_names_in_another_script_are_kept_out_of_texts(channel: ChannelNormaliser) -> None:
    channel.records(parse_irc(privmsg("hi", more="display-name=로레인입니다")), NOW)
    (message,) = channel.records(parse_irc(privmsg("hello 로레인입니다!", nick="bob")), NOW)
    assert isinstance(message, ChatMessage)
    assert message.text == f"hello {PSEUDONYMS.mention('로레인입니다')}!"


def test_times_that_cannot_be_are_ours(channel: ChannelNormaliser) -> None:
    for at, sent_at in ((AT, AT), (NOW + 5000, NOW), (0, NOW), (17, NOW)):
        (message,) = channel.records(parse_irc(privmsg("x", at=at)), NOW)
        assert isinstance(message, ChatMessage)
        assert message.sent_at == sent_at


def test_a_line_without_an_id_is_refused(channel: ChannelNormaliser) -> None:
    with pytest.raises(InvalidRecordError, match="without the tag `id`"):
        channel.records(parse_irc(":u!u@u PRIVMSG #room :x"), NOW)


WORDS = st.sampled_from(["Kappa", "hi", "@Alice", "carol99", "🙂", "مرحبا", "x@carol99", "@carol99,"])


@settings(deadline=None)
@given(words=st.lists(WORDS, max_size=8))
def test_names_go_and_emotes_stay_where_they_are(words: list[str]) -> None:
    text = " ".join(words)
    starts = [match.start() for match in re.finditer("Kappa", text)]
    emotes = tuple(Emote("Kappa", "twitch", start, start + 5) for start in starts)
    found, moved = pseudonymised(text, emotes, PSEUDONYMS, {"carol99"})
    assert "alice" not in found.lower()
    assert "carol99" not in found.replace("x@carol99", "")
    assert len(moved) == words.count("Kappa")
    assert all(found[emote.start : emote.end] == "Kappa" for emote in moved)


def test_an_emote_cannot_cut_a_name_in_two() -> None:
    found, emotes = pseudonymised("@alice", (Emote("ce", "twitch", 4, 6),), PSEUDONYMS, ())
    assert (found, emotes) == (PSEUDONYMS.mention("alice"), ())
