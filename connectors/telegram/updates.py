"""What is read of the Bot API's objects, as types.

Source: core.telegram.org/bots/api, "Available types". Fields that are not read are not checked.
"""

from typing import Final, TypeVar

import msgspec

from schemas.codecs import InvalidRecordError

UPDATE_KINDS: Final = (
    "message", "edited_message", "channel_post", "edited_channel_post", "my_chat_member", "chat_member",
)  # fmt: skip
"""What getUpdates is asked for (`allowed_updates`); reactions are not among it."""

_MEDIA: Final = (
    "animation", "audio", "contact", "document", "game", "location", "paid_media", "photo", "story", "venue",
    "video", "video_note", "voice",
)  # fmt: skip
_ABSENT: Final = msgspec.Raw(b"")
T = TypeVar("T")


class Chat(msgspec.Struct, frozen=True):
    """A group, supergroup, channel or private chat."""

    id: int
    type: str
    username: str = ""


class User(msgspec.Struct, frozen=True):
    """A person or a bot."""

    id: int
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    can_read_all_group_messages: bool = False
    """Of the bot itself: its privacy mode is off."""


class Entity(msgspec.Struct, frozen=True):
    """A part of a text; `offset` and `length` count UTF-16 code units."""

    type: str
    offset: int
    length: int
    user: User | None = None


class Glyph(msgspec.Struct, frozen=True):
    """A sticker or a die: its emoji stands for a text."""

    emoji: str = ""


class Poll(msgspec.Struct, frozen=True):
    """A poll: its question stands for a text."""

    question: str = ""


class RepliedTo(msgspec.Struct, frozen=True):
    """The message that is replied to."""

    message_id: int


class Message(msgspec.Struct, frozen=True):
    """A message of a group, or a post of a channel; times in seconds since the Unix epoch."""

    message_id: int
    date: int
    chat: Chat
    sender: User | None = msgspec.field(default=None, name="from")
    sender_chat: Chat | None = None
    edit_date: int | None = None
    text: str | None = None
    entities: tuple[Entity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[Entity, ...] = ()
    sticker: Glyph | None = None
    dice: Glyph | None = None
    poll: Poll | None = None
    reply_to_message: RepliedTo | None = None
    paid_star_count: int = 0
    migrate_to_chat_id: int | None = None
    animation: msgspec.Raw = _ABSENT
    audio: msgspec.Raw = _ABSENT
    contact: msgspec.Raw = _ABSENT
    document: msgspec.Raw = _ABSENT
    game: msgspec.Raw = _ABSENT
    location: msgspec.Raw = _ABSENT
    paid_media: msgspec.Raw = _ABSENT
    photo: msgspec.Raw = _ABSENT
    story: msgspec.Raw = _ABSENT
    venue: msgspec.Raw = _ABSENT
    video: msgspec.Raw = _ABSENT
    video_note: msgspec.Raw = _ABSENT
    voice: msgspec.Raw = _ABSENT

    @property
    def said(self) -> tuple[str, tuple[Entity, ...]] | None:
        """Its words and their entities; None of a service message, which is nobody's."""
        if self.text is not None:
            return self.text, self.entities
        if self.caption is not None:
            return self.caption, self.caption_entities
        if glyph := self.sticker or self.dice:
            return glyph.emoji, ()
        if self.poll:
            return self.poll.question, ()
        return ("", ()) if any(bytes(getattr(self, name)) for name in _MEDIA) else None


class Member(msgspec.Struct, frozen=True):
    """What somebody is in a chat."""

    status: str
    user: User


class MemberUpdate(msgspec.Struct, frozen=True):
    """Somebody's standing in a chat has changed."""

    chat: Chat
    actor: User = msgspec.field(name="from")
    date: int
    old_chat_member: Member
    new_chat_member: Member


class Update(msgspec.Struct, frozen=True):
    """One update; one of its fields is set."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    channel_post: Message | None = None
    edited_channel_post: Message | None = None
    my_chat_member: MemberUpdate | None = None
    chat_member: MemberUpdate | None = None

    @property
    def new(self) -> Message | None:
        """A message or post that is new."""
        return self.message or self.channel_post

    @property
    def edited(self) -> Message | None:
        """A message or post that was known, as it is now."""
        return self.edited_message or self.edited_channel_post

    @property
    def chat(self) -> Chat | None:
        """Where it happened."""
        about = self.new or self.edited or self.my_chat_member or self.chat_member
        return about.chat if about else None


class _Numbered(msgspec.Struct, frozen=True):
    update_id: int


def parse_update(raw: bytes | msgspec.Raw) -> Update:
    """Read one update.

    Raises:
        InvalidRecordError: it is no JSON, or a field that is read has another type.
    """
    return _decode(raw, Update)


def update_id_of(raw: bytes | msgspec.Raw) -> int | None:
    """The number of an update that may be unreadable otherwise; None where it has none."""
    try:
        return _decode(raw, _Numbered).update_id
    except InvalidRecordError:
        return None


def _decode(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        missing = "missing required field" in str(error)
        raise InvalidRecordError("missing_field" if missing else "wrong_type", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", str(error)[:200]) from None
