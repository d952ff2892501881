"""chat-downloader's JSON array or JSON lines (xenova/chat-downloader), of Twitch, YouTube and others."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connectors.imports.export import Export
from connectors.imports.fields import mapping, number, sequence, string
from connectors.imports.json_stream import items
from connectors.imports.line import Item, NoticeKind, RefusedItem, Said, SkippedItem, TimedLine, name_part
from connectors.twitch.notices import notice_kind, with_logins
from schemas.codecs import InvalidRecordError
from schemas.records import Emote

_NOTICES: Final[dict[str, NoticeKind]] = {
    "subscription": "sub",
    "resubscription": "sub",
    "membership_item": "sub",
    "subscription_gift": "gift",
    "mystery_subscription_gift": "gift",
    "sponsorships_gift_purchase_announcement": "gift",
}
_PLACE: Final = re.compile(r"(\d{1,6})-(\d{1,6})")
_BADGES: Final = {"owner": "broadcaster", "verified": "partner", "member": "subscriber"}
"""Titles that YouTube shows, by Twitch's name for the same."""


def read_chat_downloader_array(export: Export) -> Iterator[Item]:
    """Stream the items of one array; the stream is the file's name."""
    at = 0
    try:
        for at, item in items(export, "item"):
            yield _item(at, item, export, "item")
    except InvalidRecordError as error:
        yield RefusedItem(at + 1, error, "item")


def read_chat_downloader_lines(export: Export) -> Iterator[Item]:
    """Stream one item a line."""
    for at, raw, broken in export.lines():
        if broken:
            yield RefusedItem(at, broken)
            continue
        try:
            item = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield RefusedItem(at, InvalidRecordError("not_json", str(error)[:200]))
        else:
            yield _item(at, item, export, "line")


def _item(at: int, value: Any, export: Export, unit: Any) -> Item:
    try:
        item = mapping(value, "item")
        message = item.get("message")
        sentence = string(item.get("system_message") or item.get("header_secondary_text"), "system_message")
        if not (isinstance(message, str) or sentence or item.get("message_type") in _NOTICES):
            return SkippedItem(at)
        return _line(at, item, string(message, "message"), sentence, export)
    except InvalidRecordError as error:
        return RefusedItem(at, error, unit)


def _line(at: int, item: dict[str, Any], text: str, sentence: str, export: Export) -> TimedLine:
    author = mapping(item.get("author"), "author")
    name = string(author.get("name"), "name")
    shown = string(author.get("display_name"), "display_name")
    kind = string(item.get("message_type"), "message_type")
    notice = _NOTICES.get(kind) or notice_kind(kind)
    bits = number(item.get("bits"), "bits") or _money(item)
    said = Said(
        author=(name or shown or string(author.get("id"), "id")).removeprefix("@"),
        text=text or with_logins(sentence, [(shown or name, name)]),
        emotes=_emotes(item, text),
        badges=_badges(author),
        bits=bits,
        first_message=item["is_first_message"]
        if isinstance(item.get("is_first_message"), bool)
        else msgspec.UNSET,
        reply_to=string(mapping(item.get("in_reply_to"), "in_reply_to").get("message_id"), "message_id")
        or msgspec.UNSET,
        notice=notice or msgspec.UNSET,
        viewers=_viewers(item),
    )
    at_ms, absolute = _time(item)
    broadcast = "live" if absolute else "0"  # clocks of their own
    return TimedLine(at, f"{name_part(export.stem, 'chat')}/{broadcast}", at_ms, said, absolute)


def _time(item: dict[str, Any]) -> tuple[int, bool]:
    """Seconds from the broadcast's start (negative before it), else microseconds since the Unix epoch."""
    seconds = number(item.get("time_in_seconds"), "time_in_seconds")
    if seconds is not None:
        return round(seconds * 1000), False
    stamp = number(item.get("timestamp"), "timestamp")
    if stamp is None:
        raise InvalidRecordError("missing_field", "neither `time_in_seconds` nor `timestamp`")
    # early versions left Twitch's milliseconds as they came
    return round(stamp / 1000) if stamp > 1e14 else round(stamp), True


def _viewers(item: dict[str, Any]) -> int | msgspec.UnsetType:
    raiders = number(item.get("number_of_raiders"), "number_of_raiders")
    return msgspec.UNSET if raiders is None else int(raiders)


def _money(item: dict[str, Any]) -> int | float:
    return number(mapping(item.get("money"), "money").get("amount"), "amount") or 0


def _emotes(item: dict[str, Any], text: str) -> tuple[Emote, ...]:
    found: list[Emote] = []
    for value in sequence(item.get("emotes"), "emotes"):
        emote = mapping(value, "emote")
        name = string(emote.get("name"), "name")
        provider = "youtube" if "is_custom_emoji" in emote else "twitch"
        if emote.get("is_custom_emoji") is False:
            continue  # a plain emoji
        places = emote.get("locations") or []
        spans = [
            (int(first), int(last) + 1)
            for place in ([places] if isinstance(places, str) else sequence(places, "locations"))
            for first, last in _PLACE.findall(str(place))
        ]
        inside = [Emote(text[start:end], provider, start, end) for start, end in spans if end <= len(text)]
        found += inside or ([Emote(name, provider)] if name else [])
    return tuple(sorted(found, key=lambda emote: (emote.start is None, emote.start or 0)))


def _badges(author: dict[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for value in sequence(author.get("badges"), "badges"):
        badge = mapping(value, "badge")
        name = string(badge.get("name") or badge.get("title"), "name").lower()
        name = name.split("/")[0] if "/" in name else name
        first = name.split(" ")[0]
        version = badge.get("version")
        found.append(f"{_BADGES.get(first, name)}/{'1' if version is None else version}")
    return tuple(found)
