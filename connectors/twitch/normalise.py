"""Twitch's IRC messages to records: chat lines and events, names pseudonymised."""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from connectors.core.channel_records import ChannelRecords
from connectors.core.pseudonyms import Pseudonyms
from connectors.twitch.emotes import NO_EMOTES, EmoteCatalogue
from connectors.twitch.irc import IrcMessage, emotes_of, number_of, without_action
from connectors.twitch.notices import notice_of
from schemas.codecs import EARLIEST_MS, InvalidRecordError
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote, EventKind

_FLAGS: Final = {
    "subscriber": "subscriber",
    "founder": "subscriber",
    "moderator": "moderator",
    "lead_moderator": "moderator",
    "broadcaster": "moderator",  # has a moderator's rights on the own channel
    "vip": "vip",
}
CHAT_CLEARED: Final = "chat cleared by a moderator"
_LINE_DELETED: Final = "line deleted by a moderator"
_KNOWN_NAMES: Final = 20_000
_TOLD_WITHIN_MS: Final = 60_000
"""What two transports tell of the same raid or ban within this is one."""
_ROOM_TAGS: Final = ("emote-only", "followers-only", "r9k", "slow", "subs-only")


@dataclass
class ChannelNormaliser(ChannelRecords):
    """Makes records of one channel's messages; remembers who wrote lately and the room's settings.

    Bare names (no @) of these writers become pseudonyms in texts, as in replayed recordings.
    """

    platform: str = field(default="twitch", init=False)
    catalogue: EmoteCatalogue = field(default=NO_EMOTES, init=False)
    """The channel's emotes beyond those that Twitch tells with each line."""
    _names: dict[str, None] = field(default_factory=dict)
    _room: dict[str, str] = field(default_factory=dict)
    _told: dict[tuple[str, str], tuple[int, set[str]]] = field(default_factory=dict)
    """When each raid and ban (by kind and name) was told first, and by whom."""

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
                return self._cleared(message, received_at)
            case "ROOMSTATE":
                tags = message.tags
                # all settings after a JOIN, and each one that changes afterwards
                return self.room_changed(
                    {name: tags[name] for name in _ROOM_TAGS if name in tags}, received_at
                )
        return []

    def line(
        self,
        *,
        identity: str,
        login: str,
        shown: str,
        said: str,
        emotes: tuple[Emote, ...],
        flags: AuthorFlags,
        bits: int | None,
        reply_to: str | None,
        sent_at: int,
        received_at: int,
    ) -> ChatMessage:
        """The record of a chat line.

        Args:
            identity: Twitch's id of the line, the same over each transport.
            login: the author's name.
            shown: the author's name as chat shows it, of some in another script.
            said: the text.
            emotes: where they stand in `said`, in order.
            flags: what Twitch says of the author.
            bits: that came with it.
            reply_to: the id of the line that it answers.
            sent_at: ms.
            received_at: ms.
        """
        self._remember(login)
        self._remember(shown)
        text, moved = pseudonymised(said, self.catalogue.found_in(said, emotes), self.pseudonyms, self._names)
        return ChatMessage(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            message_id=identity,
            kind="message",
            sent_at=sent_at,
            received_at=received_at,
            expires_at=self.retention.expires_at("twitch", received_at),
            author=self.pseudonyms.author(login),
            author_flags=flags,
            text=text,
            emotes=moved,
            reply_to=reply_to,
            amount=float(bits) if bits else None,
        )

    def line_deleted(self, message_id: str, author: str, at: int, received_at: int) -> ChatEvent:
        """The record of a moderator's deletion of one line."""
        return self.event(
            "deletion",
            message_id,
            at,
            received_at,
            target_message_id=message_id,
            target_author=author,
            cause=_LINE_DELETED,
        )

    def cleared(
        self, login: str, cause: str, identity: str, teller: str, at: int, received_at: int
    ) -> list[ChatMessage | ChatEvent]:
        """The record of a person's lines all going (a ban or timeout), or with no login those of everybody.

        None where another `teller` told of it already.
        """
        kind: EventKind = "ban" if login else "deletion"
        if self._is_told(kind, login, teller, received_at):
            return []
        return [self.event(kind, identity, at, received_at, target_author=login, cause=cause)]

    def raided(
        self, login: str, viewers: int | None, identity: str, teller: str, at: int, received_at: int
    ) -> list[ChatMessage | ChatEvent]:
        """The record of a raid; none where another `teller` told of it already."""
        if self._is_told("raid", login, teller, received_at):
            return []
        return [self.event("raid", identity, at, received_at, source=login, viewers=viewers)]

    def room_changed(self, settings: Mapping[str, str], received_at: int) -> list[ChatMessage | ChatEvent]:
        """The record of the room's settings, all of them, where one of them is new."""
        room = {**self._room, **settings}
        if room == self._room:
            return []
        self._room = room
        told = " ".join(f"{name}={room[name]}" for name in sorted(room))
        identity = f"{self.channel}/{received_at}-{_digest(told)[:8]}"
        return [self.event("room_state", identity, received_at, received_at, cause=told)]

    def _chat(self, message: IrcMessage, login: str, received_at: int) -> ChatMessage:
        tags = message.tags
        identity = tags.get("id", "")
        if not identity:
            raise InvalidRecordError("missing_field", f"{message.command} without the tag `id`")
        said = without_action(message.text)
        return self.line(
            identity=identity,
            login=login,
            shown=tags.get("display-name", ""),
            said=said,
            emotes=emotes_of(tags.get("emotes", ""), said),
            flags=flags_of(tags.get("badges"), tags.get("first-msg")),
            bits=number_of(tags, "bits"),
            reply_to=tags.get("reply-parent-msg-id") or None,
            sent_at=_sent_at(message, received_at),
            received_at=received_at,
        )

    def _notice(self, message: IrcMessage, received_at: int) -> list[ChatMessage | ChatEvent]:
        notice = notice_of(message)
        records: list[ChatMessage | ChatEvent] = []
        identity = message.tags.get("id") or _digest_of(message)
        at = _sent_at(message, received_at)
        if notice.kind == "raid":
            records += self.raided(notice.login, notice.viewers, identity, "irc", at, received_at)
        elif notice.kind:
            records.append(self.event(notice.kind, identity, at, received_at, source=notice.login))
        if message.text:
            records.append(self._chat(message, notice.login, received_at))
        return records

    def _deleted_line(self, message: IrcMessage, received_at: int) -> ChatEvent:
        at, login = _sent_at(message, received_at), message.tags.get("login", "")
        if target := message.tags.get("target-msg-id"):
            return self.line_deleted(target, login, at, received_at)
        identity = _digest_of(message)
        return self.event("deletion", identity, at, received_at, target_author=login, cause=_LINE_DELETED)

    def _cleared(self, message: IrcMessage, received_at: int) -> list[ChatMessage | ChatEvent]:
        seconds = number_of(message.tags, "ban-duration")
        cause = "banned" if seconds is None else f"timed out for {seconds} s"
        return self.cleared(
            message.text,
            cause if message.text else CHAT_CLEARED,
            _digest_of(message),
            "irc",
            _sent_at(message, received_at),
            received_at,
        )

    def _is_told(self, kind: str, login: str, teller: str, received_at: int) -> bool:
        """Whether another one told of the same lately: ids differ between transports."""
        key = (kind, login.casefold())
        told_at, tellers = self._told.pop(key, (0, set[str]()))
        repeated = received_at - told_at < _TOLD_WITHIN_MS and teller not in tellers
        self._told[key] = (told_at, tellers | {teller}) if repeated else (received_at, {teller})
        if len(self._told) > _KNOWN_NAMES:
            del self._told[next(iter(self._told))]
        return repeated

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


def _digest_of(message: IrcMessage) -> str:
    """An id for messages that have none: the same message gives the same id."""
    return _digest(f"{message.command}|{message.params}|{sorted(message.tags.items())}")


def _digest(told: str) -> str:
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:32]


@lru_cache(maxsize=4096)
def flags_of(badges: str | None, first: str | None) -> AuthorFlags:
    """What badges (`set/version,…`) and the mark of a first message say; None where Twitch says nothing."""
    if badges is None:
        return AuthorFlags(first_message=None if first is None else first == "1")
    said = dict.fromkeys(("subscriber", "moderator", "vip"), False)
    for badge in badges.split(","):
        if flag := _FLAGS.get(badge.partition("/")[0]):
            said[flag] = True
    return AuthorFlags(**said, first_message=None if first is None else first == "1")
