"""The Bot API's updates to records: chat lines and events, people pseudonymised."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, TypeVar

from connectors.core.channel_records import ChannelRecords
from connectors.telegram.updates import Chat, Entity, MemberUpdate, Message, Update, User
from schemas.codecs import EARLIEST_MS
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED: Final = 20_000
"""Writers, and messages whose edits are recognised, per chat."""
_SUPERGROUPS: Final = 1_000_000_000_000
"""A supergroup's or channel's id in the Bot API is -100 and its own ten digits or more."""


def person(user: User) -> str:
    """How a user is named before it becomes a pseudonym: as in Telegram Desktop's export."""
    return f"user{user.id}"


def collective(chat: Chat) -> str:
    """The same of a channel or group that writes as itself."""
    return f"channel{-chat.id - _SUPERGROUPS}" if -chat.id > _SUPERGROUPS else f"chat{abs(chat.id)}"


@dataclass
class ChatNormaliser(ChannelRecords):
    """Makes records of one chat's updates.

    Remembers user names of those who wrote lately: in texts they become the pseudonym of their owner, who is
    known by a number. An edit takes the line's old text back (a deletion) and says the new one.
    """

    platform: str = field(default="telegram", init=False)
    _owners: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """User names and one-word names, casefolded, and whose they are."""
    _current: OrderedDict[int, tuple[str, str]] = field(default_factory=OrderedDict)
    """Of each message: the record's id and the digest of its text as it is now."""

    def records(self, update: Update, received_at: int) -> list[ChatMessage | ChatEvent]:
        """The records of one update, none for those that say nothing about the chat."""
        if update.new:
            return self._new(update.new, received_at)
        if update.edited:
            return self._edited(update.edited, received_at)
        if update.chat_member:
            return self._standing(update.chat_member, update.update_id, received_at)
        return []

    def _new(self, message: Message, received_at: int) -> list[ChatMessage | ChatEvent]:
        said = message.said
        if said is None:
            return []
        identity = self._identity(message)
        if message.message_id not in self._current:  # a repeated one may have been edited since
            _remember(self._current, message.message_id, (identity, _digest(said[0])))
        return [self._line(message, identity, message.date, said, received_at)]

    def _edited(self, message: Message, received_at: int) -> list[ChatMessage | ChatEvent]:
        said = message.said
        if said is None:
            return []
        digest = _digest(said[0])
        old, known = self._current.get(message.message_id, (self._identity(message), ""))
        if digest == known:  # a changed preview or button is no new word
            return []
        edited_at = message.edit_date or message.date
        identity = f"{self._identity(message)}/{edited_at}-{digest}"
        _remember(self._current, message.message_id, (identity, digest))
        taken_back = self.event(
            "deletion",
            old,
            _ms(edited_at, received_at),
            received_at,
            target_message_id=old,
            target_author=_author(message),
            cause="line edited by its author",
        )
        return [taken_back, self._line(message, identity, edited_at, said, received_at)]

    def _line(
        self,
        message: Message,
        identity: str,
        at_s: int,
        said: tuple[str, Sequence[Entity]],
        received_at: int,
    ) -> ChatMessage:
        if message.sender:
            self._learn(message.sender)
        text, emotes = self._pseudonymised(*said)
        replied = message.reply_to_message
        as_itself = message.sender_chat is not None and message.sender_chat.id == message.chat.id
        return ChatMessage(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            message_id=identity,
            kind="message",
            sent_at=_ms(at_s, received_at),
            received_at=received_at,
            expires_at=self.retention.expires_at(self.platform, received_at),
            author=self.pseudonyms.author(_author(message)),
            # whoever writes as the chat itself is one of its administrators
            author_flags=AuthorFlags(moderator=True if as_itself else None),
            text=text,
            emotes=emotes,
            reply_to=_line_id(message.chat, replied.message_id) if replied else None,
            amount=float(message.paid_star_count) if message.paid_star_count > 0 else None,
        )

    def _standing(
        self, change: MemberUpdate, update_id: int, received_at: int
    ) -> list[ChatMessage | ChatEvent]:
        banned = "kicked"
        if change.new_chat_member.status != banned or change.old_chat_member.status == banned:
            return []  # a mute takes nothing back
        return [
            self.event(
                "ban",
                f"{change.chat.id}/{update_id}",
                _ms(change.date, received_at),
                received_at,
                source=person(change.actor),
                target_author=person(change.new_chat_member.user),
                cause="banned",
            )
        ]

    def _pseudonymised(self, text: str, entities: Sequence[Entity]) -> tuple[str, tuple[Emote, ...]]:
        """The text without names, and the custom emoji where they stand in it."""
        parts: list[str] = []
        emotes: list[Emote] = []
        done = length = 0
        for start, end, entity in _places(text, entities):
            if start < done:
                continue
            shown = text[start:end]
            if entity.type == "custom_emoji":
                part = shown
            elif entity.type == "mention":
                name = shown.removeprefix("@")
                part = self.pseudonyms.mention(self._owners.get(name.casefold(), name))
            elif entity.type == "text_mention" and entity.user:
                part = self.pseudonyms.mention(person(entity.user))
            else:
                continue
            before = self.pseudonyms.text(text[done:start], self._owners)
            parts += (before, part)
            length += len(before)
            if part is shown:
                emotes.append(Emote(shown, "telegram", length, length + len(shown)))
            length += len(part)
            done = end
        parts.append(self.pseudonyms.text(text[done:], self._owners))
        return "".join(parts), tuple(emotes)

    def _learn(self, user: User) -> None:
        for name in (user.username, f"{user.first_name} {user.last_name}".strip()):
            if name:
                _remember(self._owners, name.casefold(), person(user))

    def _identity(self, message: Message) -> str:
        return _line_id(message.chat, message.message_id)


def _line_id(chat: Chat, message_id: int) -> str:
    return f"telegram/{chat.id}/{message_id}"


def _author(message: Message) -> str:
    if message.sender_chat:
        return collective(message.sender_chat)
    return person(message.sender) if message.sender else ""


def _places(text: str, entities: Sequence[Entity]) -> list[tuple[int, int, Entity]]:
    """Each entity's start and end in code points, by start; those outside the text are left out."""
    if not entities:
        return []
    units = [0, *accumulate(2 if ord(letter) > 0xFFFF else 1 for letter in text)]
    at = {unit: index for index, unit in enumerate(units)}
    found = [
        (at[entity.offset], at[entity.offset + entity.length], entity)
        for entity in entities
        if entity.length > 0 and entity.offset in at and entity.offset + entity.length in at
    ]
    return sorted(found, key=lambda place: place[:2])


def _ms(seconds: int, received_at: int) -> int:
    """Telegram's time, whole seconds; ours where it is absurd or lies ahead of our clock."""
    return min(seconds * 1000, received_at) if seconds * 1000 >= EARLIEST_MS else received_at


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
