"""One IRC line with IRCv3 tags: text to a typed message.

Grammar: RFC 1459, section 2.3.1, and the IRCv3 specification of message tags
(ircv3.net/specs/extensions/message-tags).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.codecs import InvalidRecordError
from schemas.records import Emote

_NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPES: Final = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_COMMAND: Final = re.compile(r"[A-Z]+|[0-9]{3}")
"""Twitch writes commands in capitals; anything else is text that is no IRC."""
_ACTION: Final = "\x01ACTION "


class IrcMessage(NamedTuple):
    """A parsed line; tag values are unescaped, `params` holds the trailing one last."""

    tags: Mapping[str, str]
    nick: str
    """Of the prefix: what stands before `!`, else the server's name; empty without a prefix."""
    command: str
    params: tuple[str, ...]

    @property
    def channel(self) -> str:
        """The first parameter without `#`; empty where it is no channel."""
        first = self.params[0] if self.params else ""
        return first[1:] if first.startswith("#") else ""

    @property
    def text(self) -> str:
        """The second parameter, which of chat messages is what was said; empty where there is none."""
        return self.params[1] if len(self.params) > 1 else ""


def parse_irc(line: str) -> IrcMessage:
    """Read one line without its line break.

    Raises:
        InvalidRecordError: it has no command, or tags without a message.
    """
    tags = _NO_TAGS
    rest = line
    if rest.startswith("@"):
        raw_tags, _, rest = rest.partition(" ")
        tags = _tags(raw_tags[1:])
        rest = rest.lstrip(" ")
    nick = ""
    if rest.startswith(":"):
        prefix, _, rest = rest.partition(" ")
        nick = prefix[1:].partition("!")[0]
    head, colon, trailing = rest.partition(" :")
    words = head.split()
    if not words or not _COMMAND.fullmatch(words[0]):
        raise InvalidRecordError("source_line", "no IRC line: it has no command")
    if colon:
        words.append(trailing)
    return IrcMessage(tags, nick, words[0], tuple(words[1:]))


def without_action(text: str) -> str:
    """The text of a `/me` line (CTCP ACTION) without its frame; any other text as it is.

    Twitch counts emote positions from after the frame's beginning.
    """
    return text[len(_ACTION) :].removesuffix("\x01") if text.startswith(_ACTION) else text


def emotes_of(tag: str, text: str) -> tuple[Emote, ...]:
    """The emotes of Twitch's `emotes` tag: `id:first-last,first-last/id:…`, in code points, last included.

    Ranges that are malformed or lie outside the text are left out: the tag is decoration, the line counts.
    Source: dev.twitch.tv/docs/chat/irc (PRIVMSG tags).
    """
    if not tag:
        return ()
    found: list[Emote] = []
    for emote in tag.split("/"):
        for place in emote.partition(":")[2].split(","):
            first, _, last = place.partition("-")
            if not (_is_number(first) and _is_number(last)):
                continue
            start, end = int(first), int(last) + 1
            if start < end <= len(text):
                found.append(Emote(text[start:end], "twitch", start, end))
    found.sort(key=lambda emote: emote.start or 0)
    return tuple(found)


def number_of(tags: Mapping[str, str], name: str) -> int | None:
    """A tag's value as a number; None where it is missing or none."""
    value = tags.get(name, "")
    return int(value) if _is_number(value) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _tags(raw: str) -> dict[str, str]:
    pairs = {key: value for key, _, value in (tag.partition("=") for tag in raw.split(";")) if key}
    if "\\" in raw:
        return {key: _unescape(value) if "\\" in value else value for key, value in pairs.items()}
    return pairs


def _unescape(value: str) -> str:
    """An unknown escape is its second character, a lone backslash at the end is nothing (message-tags)."""
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), value)
