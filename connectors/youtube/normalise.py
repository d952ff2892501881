"""A live chat's items to records: chat lines and events, people pseudonymised."""

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Literal

from connectors.core.channel_records import ChannelRecords
from connectors.youtube.live_chat import BannedDetails, ChatItem, Person
from schemas.codecs import EARLIEST_MS
from schemas.records import AuthorFlags, ChatEvent, ChatMessage, Emote

_KNOWN_NAMES: Final = 20_000
_EMOTE: Final = re.compile(r":[\w-]{2,40}:")
"""A channel's own emoji stand in texts by their shortcuts; Unicode's are letters."""


def person(who: Person) -> str:
    """How somebody is named before it becomes a pseudonym: by the handle, which is unique, else by the id."""
    return who.display_name[1:] if who.display_name.startswith("@") else who.channel_id or who.display_name


@dataclass
class ChatNormaliser(ChannelRecords):
    """Makes records of one live chat's items.

    Remembers who wrote lately: their bare names (no @) become pseudonyms in texts, too.
    """

    platform: str = field(default="youtube", init=False)
    _names: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def records(self, item: ChatItem, received_at: int) -> list[ChatMessage | ChatEvent]:
        """The records of one item, none for those that are nobody's words (polls)."""
        snippet = item.snippet
        match snippet.type:
            case "textMessageEvent":
                return [self._line(item, snippet.text_message_details.message_text, received_at)]
            case "superChatEvent":
                paid = snippet.super_chat_details
                return [self._line(item, paid.user_comment, received_at, paid.amount)]
            case "superStickerEvent":
                paid = snippet.super_sticker_details
                shown = paid.super_sticker_metadata.alt_text
                return [self._line(item, shown, received_at, paid.amount)]
            case "newSponsorEvent":
                return [self._by_author("sub", item, received_at)]
            case "memberMilestoneChatEvent":
                comment = snippet.member_milestone_chat_details.user_comment
                line = [self._line(item, comment, received_at)] if comment else []
                return [self._by_author("sub", item, received_at), *line]
            case "membershipGiftingEvent":
                return [self._by_author("gift", item, received_at)]
            case "messageDeletedEvent":
                target = snippet.message_deleted_details.deleted_message_id
                return self._deleted(item, target, "line deleted by a moderator", received_at)
            case "messageRetractedEvent":
                target = snippet.message_retracted_details.retracted_message_id
                return self._deleted(item, target, "line taken back by its author", received_at)
            case "tombstone":  # a line that was deleted before we came
                return self._deleted(item, item.id, "line deleted", received_at)
            case "userBannedEvent":
                return [self._banned(item, snippet.user_banned_details, received_at)]
            case "sponsorOnlyModeStartedEvent":
                return [self._room_state(item, "members-only=1", received_at)]
            case "sponsorOnlyModeEndedEvent":
                return [self._room_state(item, "members-only=0", received_at)]
        return []

    def stream_up(self, at: int, received_at: int) -> ChatEvent:
        """The broadcast began."""
        return self.event("stream_up", self.stream_id, at, received_at)

    def stream_down(self, received_at: int) -> ChatEvent:
        """The broadcast is over."""
        return self.event("stream_down", self.stream_id, received_at, received_at)

    def _line(self, item: ChatItem, said: str, received_at: int, amount: float | None = None) -> ChatMessage:
        author = item.author_details
        self._learn(person(author))
        self._learn(author.display_name)
        shortcuts = frozenset(_EMOTE.findall(said))
        text = self.pseudonyms.text(said, self._names)
        return ChatMessage(
            workspace=self.workspace,
            channel=self.address,
            stream_id=self.stream_id,
            message_id=item.id,
            kind="message",
            sent_at=_at(item, received_at),
            received_at=received_at,
            expires_at=self.retention.expires_at(self.platform, received_at),
            author=self.pseudonyms.author(person(author)),
            author_flags=AuthorFlags(
                subscriber=author.is_chat_sponsor,
                moderator=_either(author.is_chat_moderator, author.is_chat_owner),
            ),
            text=text,
            emotes=tuple(
                Emote(found[0], self.platform, *found.span())
                for found in _EMOTE.finditer(text)
                if found[0] in shortcuts
            ),
            amount=amount,
        )

    def _by_author(self, kind: Literal["sub", "gift"], item: ChatItem, received_at: int) -> ChatEvent:
        source = person(item.author_details)
        return self.event(kind, item.id, _at(item, received_at), received_at, source=source)

    def _deleted(
        self, item: ChatItem, target: str, cause: str, received_at: int
    ) -> list[ChatMessage | ChatEvent]:
        if not target:
            return []  # without a target it would mean the whole chat
        at = _at(item, received_at)
        return [self.event("deletion", target, at, received_at, target_message_id=target, cause=cause)]

    def _banned(self, item: ChatItem, ban: BannedDetails, received_at: int) -> ChatEvent:
        temporary = ban.ban_type.lower() == "temporary"
        return self.event(
            "ban",
            item.id,
            _at(item, received_at),
            received_at,
            target_author=person(ban.banned_user_details),
            cause=f"timed out for {ban.ban_duration_seconds} s" if temporary else "banned",
        )

    def _room_state(self, item: ChatItem, told: str, received_at: int) -> ChatEvent:
        return self.event("room_state", item.id, _at(item, received_at), received_at, cause=told)

    def _learn(self, name: str) -> None:
        if name:
            name = name.removeprefix("@").casefold()
            self._names[name] = None
            self._names.move_to_end(name)
            if len(self._names) > _KNOWN_NAMES:
                self._names.popitem(last=False)


def _at(item: ChatItem, received_at: int) -> int:
    """YouTube's time; ours where it gives none, or one that is absurd or lies ahead of our clock."""
    published = item.published_ms or 0
    return min(published, received_at) if published >= EARLIEST_MS else received_at


def _either(one: bool | None, other: bool | None) -> bool | None:
    return None if one is None and other is None else bool(one or other)
