"""One line of recorded chat: its format, its checks, and the chat message it becomes."""

import re
from collections.abc import Container
from functools import lru_cache
from typing import Final

import msgspec

from connectors.core.pseudonyms import Pseudonyms
from schemas.codecs import InvalidRecordError
from schemas.records import AuthorFlags, Emote

MAX_OFFSET_MS: Final = 366 * 24 * 3_600_000
"""A broadcast longer than a year is taken for a wrong unit."""
MAX_FIGURE: Final = 10**12
"""Bits, money and ages above this are taken for a mistake."""
_TOKEN: Final = re.compile(r"\S+")
_FLAGS_BY_BADGE: Final = {
    "subscriber": "subscriber",
    "founder": "subscriber",
    "moderator": "moderator",
    "broadcaster": "moderator",  # has a moderator's rights on the own channel
    "vip": "vip",
}


class RecordedLine(msgspec.Struct, frozen=True):
    """A line as in the file: `stream` is channel/broadcast, `offset_ms` counts from the broadcast's start."""

    stream: str
    offset_ms: int | float
    author: str
    text: str
    emotes: tuple[str | Emote, ...] | None = None
    badges: tuple[str, ...] | None = None
    bits: int | float | None = None
    first_message: bool | None = None
    account_age_s: int | float | None = None
    reply_to: str | None = None
    lang: str | None = None


_decoder = msgspec.json.Decoder(RecordedLine)


def parse_line(raw: bytes) -> RecordedLine:
    """Decode and check one line.

    Raises:
        InvalidRecordError: not JSON, a missing field, a wrong type, or a time that cannot be.
    """
    try:
        line = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        missing = "missing required field" in str(error)
        raise InvalidRecordError(
            "missing_field" if missing else "wrong_type", _without_content(error)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", _without_content(error)) from None
    if not line.stream:
        raise InvalidRecordError("missing_field", "`stream` is empty")
    if not 0 <= line.offset_ms <= MAX_OFFSET_MS:
        raise InvalidRecordError("absurd_time", f"`offset_ms` is not within 0..{MAX_OFFSET_MS}")
    for name in ("bits", "account_age_s"):
        if not 0 <= (getattr(line, name) or 0) <= MAX_FIGURE:
            raise InvalidRecordError("wrong_type", f"`{name}` is not within 0..{MAX_FIGURE}")
    return line


def channel_of(stream: str) -> str:
    """The channel part of a file's `stream`: what stands before the first slash."""
    return stream.split("/", 1)[0] or stream


def flags_of(line: RecordedLine) -> AuthorFlags:
    """What badges and fields say of the author; null where the file does not say."""
    return _flags(
        line.badges, line.first_message, None if line.account_age_s is None else int(line.account_age_s)
    )


def text_and_emotes(
    line: RecordedLine, pseudonyms: Pseudonyms, known: Container[str]
) -> tuple[str, tuple[Emote, ...]]:
    """The text without names, and where its emotes stand in it (code points, ordered by start).

    Every whole token that is an emote's name counts; a name that stands in no token of its own is looked
    for inside words (`:name:`); one that is nowhere has no position.
    """
    if not line.emotes:
        return pseudonyms.text(line.text, known), ()
    named = [emote if isinstance(emote, Emote) else Emote(emote) for emote in line.emotes]
    names = {emote.name: emote.provider for emote in named if emote.name}
    text = pseudonyms.text(line.text, known, keep=names)
    found: list[Emote] = []
    for match in _TOKEN.finditer(text):
        if (provider := names.get(match[0])) is not None:
            found.append(Emote(match[0], provider, match.start(), match.end()))
    seen = {emote.name for emote in found}
    for name, provider in names.items():
        if name not in seen:
            at = text.find(name)
            found.append(Emote(name, provider, at, at + len(name)) if at >= 0 else Emote(name, provider))
    found.sort(key=lambda emote: (emote.start is None, emote.start or 0))
    return text, tuple(found)


@lru_cache(maxsize=4096)
def _flags(
    badges: tuple[str, ...] | None, first_message: bool | None, account_age_s: int | None
) -> AuthorFlags:
    said: dict[str, bool] = {}
    if badges:
        # a platform that shows any badge shows all: what is missing is not there
        said = dict.fromkeys(("subscriber", "moderator", "vip"), False)
        for badge in badges:
            if flag := _FLAGS_BY_BADGE.get(badge.split("/", 1)[0]):
                said[flag] = True
    return AuthorFlags(**said, first_message=first_message, account_age_s=account_age_s)


def _without_content(error: Exception) -> str:
    """The decoder's message names types and fields; values of the line are not in it, except enum members."""
    return str(error)[:200]
