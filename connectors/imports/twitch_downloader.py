"""TwitchDownloader's chat JSON (lay295/TwitchDownloader, TwitchDownloaderCore/TwitchObjects/ChatRoot.cs)."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connectors.imports.export import Export
from connectors.imports.fields import mapping, number, sequence, string, time_ms
from connectors.imports.json_stream import header, items
from connectors.imports.line import Item, RefusedItem, Said, TimedLine, name_part
from connectors.twitch.notices import notice_kind
from schemas.codecs import InvalidRecordError
from schemas.records import Emote

_TWITCH_BEGAN_MS: Final = 1_100_000_000_000
"""Accounts older than 2004 are placeholders for an unknown date (0001-01-01)."""


def read_twitch_downloader(export: Export) -> Iterator[Item]:
    """Stream `comments`; the stream is the streamer's name and the video's id."""
    found = header(export, "comments")
    streamer = str(found.get("streamer.login") or found.get("streamer.name") or "")
    video = str(found.get("video.id") or "")
    began_ms = time_ms(found.get("video.created_at"))
    at = 0
    try:
        for at, comment in items(export, "comments.item"):
            try:
                yield _line(at, mapping(comment, "comment"), streamer.lower(), video, began_ms)
            except InvalidRecordError as error:
                yield RefusedItem(at, error, "item")
    except InvalidRecordError as error:
        yield RefusedItem(at + 1, error, "item")


def _line(at: int, comment: dict[str, Any], streamer: str, video: str, began_ms: int | None) -> TimedLine:
    offset_s = number(comment.get("content_offset_seconds"), "content_offset_seconds")
    if offset_s is None:
        raise InvalidRecordError("missing_field", "`content_offset_seconds` is missing")
    message = mapping(comment.get("message"), "message")
    commenter = mapping(comment.get("commenter"), "commenter")
    text, emotes = _text(message)
    said_ms = time_ms(comment.get("created_at"))
    account_ms = time_ms(commenter.get("created_at"))
    has_age = said_ms is not None and account_ms is not None and _TWITCH_BEGAN_MS < account_ms <= said_ms
    notice = mapping(message.get("user_notice_params"), "user_notice_params").get("msg-id")
    said = Said(
        author=string(commenter.get("name"), "name") or string(commenter.get("display_name"), "display_name"),
        text=text,
        emotes=emotes,
        badges=_badges(message),
        bits=number(message.get("bits_spent"), "bits_spent") or 0,
        account_age_s=(said_ms - account_ms) // 1000 if has_age and said_ms and account_ms else msgspec.UNSET,
        notice=notice_kind(notice) or msgspec.UNSET if isinstance(notice, str) else msgspec.UNSET,
    )
    channel = name_part(streamer or string(comment.get("channel_id"), "channel_id"), "twitch")
    broadcast = name_part(video or string(comment.get("content_id"), "content_id"), "0")
    return TimedLine(at, f"{channel}/{broadcast}", _offset_ms(offset_s, said_ms, began_ms), said)


def _offset_ms(offset_s: int | float, said_ms: int | None, began_ms: int | None) -> int:
    """Newer files have whole seconds; `created_at` has the milliseconds within that second."""
    offset_ms = round(offset_s * 1000)
    if said_ms is not None and began_ms is not None and 0 <= said_ms - began_ms - offset_ms < 1000:
        return said_ms - began_ms
    return offset_ms


def _text(message: dict[str, Any]) -> tuple[str, tuple[Emote, ...]]:
    """The text with the emotes of its fragments; positions where the fragments make up the text."""
    body = string(message.get("body"), "body")
    parts: list[str] = []
    emotes: list[Emote] = []
    at = 0
    for item in sequence(message.get("fragments"), "fragments"):
        fragment = mapping(item, "fragment")
        part = string(fragment.get("text"), "text")
        if part and fragment.get("emoticon"):
            emotes.append(Emote(part, "twitch", at, at + len(part)))
        parts.append(part)
        at += len(part)
    joined = "".join(parts)
    if body and joined != body:
        return body, tuple(Emote(emote.name, emote.provider) for emote in emotes)
    return body or joined, tuple(emotes)


def _badges(message: dict[str, Any]) -> tuple[str, ...]:
    found = (mapping(badge, "badge") for badge in sequence(message.get("user_badges"), "user_badges"))
    return tuple(
        f"{string(badge.get('_id'), '_id')}/{string(badge.get('version'), 'version')}" for badge in found
    )
