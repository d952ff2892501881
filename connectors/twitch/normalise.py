"""Twitch's IRC messages to records: chat lines and events, names pseudonymised."""

import hashlib
from collections.abc import Container
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from connectors.core.channel_records import ChannelRecords
from connectors.core.pseudonyms import Pseudonyms
from connectors.twitch.irc import IrcMessage, emotes_of, number_of, without_action
from connectors.twitch.notices import notice_of
from schemas.codecs import EARLIEST_MS, InvalidRecordError
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote

_FLAGS: Final = {
    "subscriber": "subscriber",
    "founder": "subscriber",
    "moderator": "moderator",
    "lead_moderator": "moderator",
    "broadcaster": "moderator",  # has a moderator's rights on the own channel
    "vip": "vip",
}
_KNOWN_NAMES: Final = 20_000
_ROOM_TAGS: Final = ("emote-only", "followers-only", "r9k", "slow", "subs-only")


@dataclass
class ChannelNormaliser(ChannelRecords):
    """Makes records of one channel's messages; remembers who wrote lately and the room's settings.

    Bare names (no @) of these writers become pseudonyms in texts, as in replayed recordings.
    """

    platform: str = field(default="twitch", init=False)
    _names: dict[str, None] = field(default_factory=dict)
    _room: dict[str, str] = field(default_factory=dict)

    def records(self, message: IrcMessage, received_at: int) -> list[ChatMessage | ChatEvent]:
        """The records of one message, none for those that say nothing about the chat.

        Raises:
            InvalidRecordError: a chat line without an id.
        """
        match message.command:
            case "PRIVMSG":
                return [self._chat(message, message.nick, received_at)]
            case "USERNOTICE":
                return self._notice(message, received_at)
            case "CLEARMSG":
                return [self._deleted_line(message, received_at)]
            case "CLEARCHAT":
                return [self._cleared(message, received_at)]
            case "ROOMSTATE":
                return self._room_state(message, received_at)
        return []

    def _chat(self, message: IrcMessage, login: str, received_at: int) -> ChatMessage:
        tags = message.tags
        identity = tags.get("id", "")
        if not identity:
            raise InvalidRecordError("missing_field", f"{message.command} without the tag `id`")
        self._remember(login)
        self._remember(tags.get("display-name", ""))  # of some people in another script than the login
        said = without_action(message.text)
        text, emotes = pseudonymised(
            said, emotes_of(tags.get("emotes", ""), said), self.pseudonyms, self._names
        )
        bits = number_of(tags, "bits")
        return ChatMessage(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            message_id=identity,
            kind="message",
            sent_at=_sent_at(message, received_at),
            received_at=received_at,
            expires_at=self.retention.expires_at("twitch", received_at),
            author=self.pseudonyms.author(login),
            author_flags=_flags(tags.get("badges"), tags.get("first-msg")),
            text=text,
            emotes=emotes,
            reply_to=tags.get("reply-parent-msg-id") or None,
            amount=float(bits) if bits else None,
        )

    def _notice(self, message: IrcMessage, received_at: int) -> list[ChatMessage | ChatEvent]:
        notice = notice_of(message)
        records: list[ChatMessage | ChatEvent] = []
        if notice.kind:
            identity = message.tags.get("id") or _digest(message)
            at = _sent_at(message, received_at)
            event = self.event(
                notice.kind, identity, at, received_at, source=notice.login, viewers=notice.viewers
            )
            records.append(event)
        if message.text:
            records.append(self._chat(message, notice.login, received_at))
        return records

    def _deleted_line(self, message: IrcMessage, received_at: int) -> ChatEvent:
        target = message.tags.get("target-msg-id", "")
        return self.event(
            "deletion",
            target or _digest(message),
            _sent_at(message, received_at),
            received_at,
            target_message_id=target or None,
            target_author=message.tags.get("login", ""),
            cause="line deleted by a moderator",
        )

    def _cleared(self, message: IrcMessage, received_at: int) -> ChatEvent:
        at = _sent_at(message, received_at)
        if not message.text:
            return self.event(
                "deletion", _digest(message), at, received_at, cause="chat cleared by a moderator"
            )
        seconds = number_of(message.tags, "ban-duration")
        cause = "banned" if seconds is None else f"timed out for {seconds} s"
        return self.event("ban", _digest(message), at, received_at, target_author=message.text, cause=cause)

    def _room_state(self, message: IrcMessage, received_at: int) -> list[ChatMessage | ChatEvent]:
        """Twitch sends all settings after a JOIN, and each one that changes afterwards."""
        room = self._room | {name: message.tags[name] for name in _ROOM_TAGS if name in message.tags}
        if room == self._room:
            return []
        self._room = room
        told = " ".join(f"{name}={room[name]}" for name in sorted(room))
        return [
            self.event("room_state", f"{self.channel}/{received_at}", received_at, received_at, cause=told)
        ]

    def _remember(self, name: str) -> None:
        name = name.casefold()
        self._names.pop(name, None)
        self._names[name] = None
        if len(self._names) > _KNOWN_NAMES:
            del self._names[next(iter(self._names))]


def pseudonymised(
    text: str, emotes: tuple[Emote, ...], pseudonyms: Pseudonyms, known: Container[str]
) -> tuple[str, tuple[Emote, ...]]:
    """The text without names, and the emotes where they stand in it.

    Names are looked for between emotes: those stay as they are. An emote that is not a word of its own is
    left out, lest it cut a name in two.
    """
    parts: list[str] = []
    moved: list[Emote] = []
    done = length = 0
    for emote in emotes:
        start, end = emote.start, emote.end
        if start is None or end is None or start < done or not _is_word(text, start, end):
            continue
        before = pseudonyms.text(text[done:start], known)
        length += len(before)
        moved.append(Emote(emote.name, emote.provider, length, length + end - start))
        parts += (before, emote.name)
        length += end - start
        done = end
    parts.append(pseudonyms.text(text[done:], known))
    return "".join(parts), tuple(moved)


def _is_word(text: str, start: int, end: int) -> bool:
    return (start == 0 or text[start - 1].isspace()) and (end == len(text) or text[end].isspace())


def _sent_at(message: IrcMessage, received_at: int) -> int:
    """Twitch's time; ours where it gives none, or one that lies ahead of our clock."""
    sent_at = number_of(message.tags, "tmi-sent-ts") or received_at
    return min(sent_at, received_at) if sent_at >= EARLIEST_MS else received_at


def _digest(message: IrcMessage) -> str:
    """An id for messages that have none: the same message gives the same id."""
    told = f"{message.command}|{message.params}|{sorted(message.tags.items())}"
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _flags(badges: str | None, first: str | None) -> AuthorFlags:
    if badges is None:
        return AuthorFlags(first_message=None if first is None else first == "1")
    said = dict.fromkeys(("subscriber", "moderator", "vip"), False)
    for badge in badges.split(","):
        if flag := _FLAGS.get(badge.partition("/")[0]):
            said[flag] = True
    return AuthorFlags(**said, first_message=None if first is None else first == "1")
