import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.core.pseudonyms import Pseudonyms
from connectors.telegram.normalise import ChatNormaliser
from connectors.telegram.updates import UPDATE_KINDS, parse_update, update_id_of
from schemas.codecs import InvalidRecordError, decode_event, decode_message, encode
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote
from schemas.retention import load_retention
from tests.unit.connectors.telegram.updates import ALICE, AT, BOB, CHAT, ROOM, entity, message, standing

NOW = AT * 1000 + 700
PSEUDONYMS = Pseudonyms("k1", bytes(32), "telegram")
DAYS_30 = 30 * 24 * 3_600_000


@pytest.fixture
def chat() -> ChatNormaliser:
    return fresh()


def fresh() -> ChatNormaliser:
    return ChatNormaliser("room", "telegram:room/2026-01-01", PSEUDONYMS, load_retention())


def records(chat: ChatNormaliser, now: int = NOW, **update: Any) -> list[ChatMessage | ChatEvent]:
    return chat.records(parse_update(json.dumps({"update_id": 5, **update}).encode()), now)


def line(chat: ChatNormaliser, **update: Any) -> ChatMessage:
    (record,) = records(chat, **update)
    assert isinstance(record, ChatMessage)
    return record


def test_a_line(chat: ChatNormaliser) -> None:
    text = "🎉 @alice_l and Bob: 🔥 hi @someone"
    said = message(
        text,
        entities=[
            entity("mention", text, "@alice_l"),
            entity("text_mention", text, "Bob", user=BOB),
            entity("custom_emoji", text, "🔥", custom_emoji_id="5"),
            entity("bold", text, "and"),
        ],
        reply_to_message=message("before", number=7),
        paid_star_count=25,
    )
    alice, bob = PSEUDONYMS.mention("user11"), PSEUDONYMS.mention("user22")
    shown = f"🎉 {alice} and {bob}: 🔥 hi {PSEUDONYMS.mention('someone')}"
    assert line(chat, message=said) == ChatMessage(
        channel="telegram:room",
        stream_id="telegram:room/2026-01-01",
        message_id=f"telegram/{ROOM}/1",
        kind="message",
        sent_at=AT * 1000,
        received_at=NOW,
        expires_at=NOW + DAYS_30,
        author=PSEUDONYMS.author("user11"),
        text=shown,
        emotes=(Emote("🔥", "telegram", shown.index("🔥"), shown.index("🔥") + 1),),
        reply_to=f"telegram/{ROOM}/7",
        amount=25.0,
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"caption": "look", "photo": [{"file_id": "x"}]}, "look"),
        ({"photo": [{"file_id": "x"}]}, ""),
        ({"sticker": {"emoji": "😂", "type": "regular"}}, "😂"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "🎲"),
        ({"poll": {"id": "1", "question": "Who wins?"}}, "Who wins?"),
    ],
)
def test_what_stands_for_a_text(chat: ChatNormaliser, more: dict[str, Any], text: str) -> None:
    assert line(chat, message=message(**more)).text == text


@pytest.mark.parametrize("more", [{"new_chat_members": [BOB]}, {"pinned_message": message("x")}, {}])
def test_service_messages_are_nobodys_lines(chat: ChatNormaliser, more: dict[str, Any]) -> None:
    assert records(chat, message=message(**more)) == []


def test_a_channel_writes_as_itself(chat: ChatNormaliser) -> None:
    post = message("news", sender_chat=CHAT, author_signature="Alice Liddell")
    del post["from"]
    said = line(chat, channel_post=post)
    assert said.author == PSEUDONYMS.author("channel1234567890")
    assert said.author_flags == AuthorFlags(moderator=True)


def test_names_of_writers_become_pseudonyms_in_later_lines(chat: ChatNormaliser) -> None:
    line(chat, message=message("hello"))
    said = line(chat, message=message("ask alice_l or @Alice_L", number=2, **{"from": BOB})).text
    assert "alice" not in said.lower()
    assert said.startswith("ask @k1_")


def test_an_edit_takes_the_old_line_back_and_says_the_new_one(chat: ChatNormaliser) -> None:
    first = line(chat, message=message("teh"))
    edits = [
        records(chat, NOW + 9_000, edited_message=message(text, edit_date=AT + second))
        for second, text in ((5, "the"), (6, "the"), (7, "teh"))
    ]
    gone, new = edits[0]
    assert isinstance(gone, ChatEvent) and isinstance(new, ChatMessage)
    assert (gone.kind, gone.target_message_id, gone.at) == ("deletion", first.message_id, AT * 1000 + 5000)
    assert gone.target_author == first.author == new.author
    assert (new.text, new.sent_at) == ("the", AT * 1000 + 5000)
    assert edits[1] == []  # only its preview has changed
    back_gone, back = edits[2]
    assert isinstance(back_gone, ChatEvent) and isinstance(back, ChatMessage)
    assert back_gone.target_message_id == new.message_id
    assert len({first.message_id, new.message_id, back.message_id}) == 3


def test_an_edit_of_a_line_from_before_the_start(chat: ChatNormaliser) -> None:
    gone, new = records(chat, NOW + 9_000, edited_channel_post=message("b", edit_date=AT + 5))
    assert isinstance(gone, ChatEvent) and isinstance(new, ChatMessage)
    assert gone.target_message_id == f"telegram/{ROOM}/1"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (standing("kicked"), "banned"),
        (standing("restricted", can_send_messages=False), None),
        (standing("restricted", can_send_messages=True), None),
        (standing("member", before="left"), None),
        (standing("kicked", before="kicked"), None),
    ],
)
def test_bans(chat: ChatNormaliser, change: dict[str, Any], cause: str | None) -> None:
    found = records(chat, chat_member=change)
    assert [event.cause for event in found if isinstance(event, ChatEvent)] == ([cause] if cause else [])
    for event in found:
        assert isinstance(event, ChatEvent)
        assert event.target_author == PSEUDONYMS.author("user22")
        assert event.source == PSEUDONYMS.author("user11")


@pytest.mark.parametrize(
    ("raw", "error_class"),
    [
        (b"{", "not_json"),
        (b"[]", "wrong_type"),
        (b'{"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1, "type": "x"}}}', "missing_field"),
        (json.dumps({"update_id": 1, "message": message() | {"text": 5}}).encode(), "wrong_type"),
        (b'{"update_id": 1, "x": ' + b"[" * 5000, "not_json"),
        (b'{"update_id": 1, "message": "\xff"}', "wrong_type"),
    ],
)
def test_what_cannot_be_read_is_a_typed_error(raw: bytes, error_class: str) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        parse_update(raw)
    assert caught.value.error_class == error_class


def test_an_absurd_time_is_ours(chat: ChatNormaliser) -> None:
    assert line(chat, message=message("x", at=3)).sent_at == NOW
    assert line(chat, message=message("x", number=2, at=AT * 100)).sent_at == NOW


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_entity = st.builds(
    lambda kind, offset, length: {"type": kind, "offset": offset, "length": length, "user": BOB},
    st.sampled_from(("mention", "text_mention", "custom_emoji", "bold")),
    st.integers(-2, 60),
    st.integers(-2, 60),
)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.sampled_from(UPDATE_KINDS), st.dictionaries(st.sampled_from(list(message("x"))), _json), _json)
def test_any_json_is_records_or_a_typed_error(kind: str, fields: dict[str, Any], other: Any) -> None:
    for value in (message("x") | fields, standing("kicked") | fields, other):
        raw = json.dumps({"update_id": 5, kind: value}).encode()
        assert update_id_of(raw) == 5
        try:
            found = fresh().records(parse_update(raw), NOW)
        except InvalidRecordError:
            continue
        for record in found:
            decode = decode_message if isinstance(record, ChatMessage) else decode_event
            assert decode(encode(record)) == record


@given(st.binary(max_size=200))
def test_any_bytes_are_an_update_or_a_typed_error(raw: bytes) -> None:
    try:
        parse_update(raw)
    except InvalidRecordError:
        assert update_id_of(raw) is None or b"update_id" in raw


@settings(max_examples=300)
@given(_text, st.lists(_entity, max_size=5))
def test_emoji_stand_where_they_are_said_to(text: str, entities: list[dict[str, Any]]) -> None:
    said = line(fresh(), message=message(text, entities=entities))
    for emote in said.emotes:
        assert said.text[emote.start : emote.end] == emote.name
    assert all(a.end <= b.start for a, b in zip(said.emotes, said.emotes[1:], strict=False))  # type: ignore[operator]


@given(st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{4,20}", fullmatch=True), _text, _text)
def test_no_user_name_gets_out(name: str, before: str, after: str) -> None:
    text = f"{before} @{name} {name}1 {after}"
    author = ALICE | {"username": f"{name}1"}
    said = line(
        fresh(), message=message(text, entities=[entity("mention", text, f"@{name}")], **{"from": author})
    )
    assert f"@{name}" not in said.text
    assert f" {name}1 " not in said.text
    assert author["username"] not in said.author
