import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.core.pseudonyms import Pseudonyms
from connectors.youtube.live_chat import ChatItem, parse_item, time_ms
from connectors.youtube.normalise import ChatNormaliser
from schemas.codecs import InvalidRecordError, decode_event, decode_message, encode
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote
from schemas.retention import load_retention
from tests.unit.connectors.youtube import items

NOW = items.AT + 700
PSEUDONYMS = Pseudonyms("k1", bytes(32), "youtube")
DAYS_30 = 30 * 24 * 3_600_000


def fresh() -> ChatNormaliser:
    return ChatNormaliser(items.CHANNEL, f"youtube:{items.CHANNEL}/v", PSEUDONYMS, load_retention())


def parsed(item: dict[str, Any]) -> ChatItem:
    return parse_item(json.dumps(item).encode())


def records(item: dict[str, Any], chat: ChatNormaliser | None = None) -> list[ChatMessage | ChatEvent]:
    return (chat or fresh()).records(parsed(item), NOW)


def line(item: dict[str, Any], chat: ChatNormaliser | None = None) -> ChatMessage:
    (record,) = records(item, chat)
    assert isinstance(record, ChatMessage)
    return record


def event(item: dict[str, Any]) -> ChatEvent:
    (record,) = records(item)
    assert isinstance(record, ChatEvent)
    return record


def test_a_line() -> None:
    mention = PSEUDONYMS.mention("bob.b")
    shown = f"{mention} 🔥 :_hype: yes"
    assert line(items.text("@bob.b 🔥 :_hype: yes")) == ChatMessage(
        channel=f"youtube:{items.CHANNEL}",
        stream_id=f"youtube:{items.CHANNEL}/v",
        message_id="LCC.1",
        kind="message",
        sent_at=items.AT,
        received_at=NOW,
        expires_at=NOW + DAYS_30,
        author=PSEUDONYMS.author("alice-l"),
        author_flags=AuthorFlags(subscriber=True, moderator=False),
        text=shown,
        emotes=(Emote(":_hype:", "youtube", shown.index(":_"), shown.index(":_") + 7),),
    )


def test_one_without_a_handle_is_known_by_the_channel() -> None:
    said = line(items.text("hi", who=items.BOB | {"isChatOwner": True}))
    assert said.author == PSEUDONYMS.author(items.BOB["channelId"])
    assert said.author_flags.moderator is True


def test_names_of_writers_become_pseudonyms_in_later_lines() -> None:
    chat = fresh()
    line(items.text("hello", who=items.ALICE | {"displayName": "@streamfan_77"}), chat)
    assert "streamfan" not in line(items.text("ask streamfan_77", number=2), chat).text


def test_paid_lines_carry_their_amount() -> None:
    said = line(items.SUPER_CHAT)
    assert (said.text, said.amount) == (f"take it {PSEUDONYMS.mention('alice-l')}", 5.0)
    sticker = line(items.STICKER)
    assert (sticker.text, sticker.amount) == ("A dancing pear", 1.99)


@pytest.mark.parametrize(
    ("item", "kind", "cause", "target"),
    [
        (items.NEW_MEMBER, "sub", None, None),
        (items.GIFT, "gift", None, None),
        (items.DELETED, "deletion", "line deleted by a moderator", "LCC.1"),
        (items.TOMBSTONE, "deletion", "line deleted", "LCC.28"),
        (items.BANNED, "ban", "banned", None),
        (items.TIMED_OUT, "ban", "timed out for 300 s", None),
        (items.MEMBERS_ONLY, "room_state", "members-only=1", None),
    ],
)
def test_events(item: dict[str, Any], kind: str, cause: str | None, target: str | None) -> None:
    found = event(item)
    assert (found.kind, found.cause, found.target_message_id) == (kind, cause, target)
    assert found.source == (PSEUDONYMS.author("alice-l") if kind in ("sub", "gift") else None)
    banned = PSEUDONYMS.author(items.BOB["channelId"])
    assert found.target_author == (banned if kind == "ban" else None)


def test_a_milestone_is_a_membership_and_a_line() -> None:
    sub, said = records(items.MILESTONE)
    assert isinstance(sub, ChatEvent) and isinstance(said, ChatMessage)
    assert (sub.kind, said.text) == ("sub", "a year!")


def test_a_deletion_of_nothing_does_not_clear_the_chat() -> None:
    assert records(items.item("messageDeletedEvent")) == []
    assert records(items.POLL) == []


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-01T00:00:00Z", items.AT),
        ("2026-01-01T00:00:00.123456+00:00", items.AT + 123),
        ("2026-01-01T00:00:00", items.AT),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times(text: str, ms: int | None) -> None:
    assert time_ms(text) == ms


@pytest.mark.parametrize(
    ("raw", "error_class"),
    [
        (b"{", "not_json"),
        (b"7", "wrong_type"),
        (b'{"id": "x"}', "missing_field"),
        (b'{"id": "", "snippet": {"type": "x"}}', "missing_field"),
        (b'{"id": "x", "snippet": {"type": 5}}', "wrong_type"),
    ],
)
def test_what_cannot_be_read_is_a_typed_error(raw: bytes, error_class: str) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        parse_item(raw)
    assert caught.value.error_class == error_class


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_known = [value for value in vars(items).values() if isinstance(value, dict) and "snippet" in value]
_fields = {name for known in _known for name in known["snippet"] if name != "hasDisplayContent"}


@given(st.sampled_from(_known), st.dictionaries(st.sampled_from(sorted(_fields)), _json, max_size=4), _json)
def test_any_json_is_records_or_a_typed_error(
    known: dict[str, Any], fields: dict[str, Any], other: Any
) -> None:
    for value in (known | {"snippet": known["snippet"] | fields}, known | {"authorDetails": other}, other):
        try:
            found = records(value)
        except InvalidRecordError:
            continue
        for record in found:
            decode = decode_message if isinstance(record, ChatMessage) else decode_event
            assert decode(encode(record)) == record


@given(st.binary(max_size=200))
def test_any_bytes_are_an_item_or_a_typed_error(raw: bytes) -> None:
    try:
        parse_item(raw)
    except InvalidRecordError as error:
        assert str(error)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_emoji_stand_where_they_are_said_to(said: str) -> None:
    found = line(items.text(f"{said} :_a-b: @x {said}"))
    assert all(found.text[emote.start : emote.end] == emote.name for emote in found.emotes)
