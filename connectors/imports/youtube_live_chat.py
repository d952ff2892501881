"""yt-dlp's `live_chat.json`: one line an action of YouTube's live chat.

Format: yt-dlp's yt_dlp/downloader/youtube_live_chat.py, and the renderers of YouTube's page.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connectors.imports.export import Export
from connectors.imports.fields import mapping, number, sequence, string
from connectors.imports.line import Item, NoticeKind, RefusedItem, Said, SkippedItem, TimedLine, name_part
from schemas.codecs import InvalidRecordError
from schemas.records import Emote

_VIDEO: Final = re.compile(r"\[([\w-]{11})\]$")
_AMOUNT: Final = re.compile(r"[\d.,\u00a0 ]*\d")
_RENDERERS: Final[dict[str, NoticeKind | None]] = {
    "liveChatTextMessageRenderer": None,
    "liveChatPaidMessageRenderer": None,
    "liveChatPaidStickerRenderer": None,
    "liveChatMembershipItemRenderer": "sub",
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": "gift",
}
_ICONS: Final = {"OWNER": "broadcaster", "MODERATOR": "moderator", "VERIFIED": "partner"}


def read_youtube_live_chat(export: Export) -> Iterator[Item]:
    """Stream the chat items; the stream is the video's id in the file's name, else that name.

    A line may hold several items: numbers after such a line run ahead of the file's by the surplus.
    """
    found = _VIDEO.search(export.stem)
    stream = f"{found[1] if found else name_part(export.stem, 'youtube')}/0"
    surplus = 0
    for at, raw, broken in export.lines():
        try:
            if broken:
                raise broken
            lines = _lines(_decode(raw), stream)
        except InvalidRecordError as error:
            yield RefusedItem(at + surplus, _naming_line(error, at) if surplus else error)
            continue
        if not lines:
            yield SkippedItem(at + surplus)
        for index, (at_ms, said) in enumerate(lines):
            surplus += index > 0
            yield TimedLine(at + surplus, stream, at_ms, said)


def _naming_line(error: InvalidRecordError, at: int) -> InvalidRecordError:
    return InvalidRecordError(error.error_class, f"line {at}: {error}")


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", str(error)[:200]) from None
    return mapping(value, "line")


def _lines(value: dict[str, Any], stream: str) -> list[tuple[int, Said]]:
    replay = mapping(value.get("replayChatItemAction"), "replayChatItemAction")
    actions = sequence(replay.get("actions"), "actions") or [value]
    # while the stream is live yt-dlp writes the time beside the action, afterwards within it
    offset = number(
        replay.get("videoOffsetTimeMsec", value.get("videoOffsetTimeMsec")), "videoOffsetTimeMsec"
    )
    lines: list[tuple[int, Said]] = []
    for action in actions:
        added = mapping(mapping(action, "action").get("addChatItemAction"), "addChatItemAction")
        item = mapping(added.get("item"), "item")
        for name, notice in _RENDERERS.items():
            if name in item:
                if offset is None:
                    raise InvalidRecordError("missing_field", "`videoOffsetTimeMsec` is missing")
                lines.append((int(offset), _said(mapping(item[name], name), notice)))
    return lines


def _said(renderer: dict[str, Any], notice: NoticeKind | None) -> Said:
    parts = _Text()
    if notice == "gift":
        banner = mapping(renderer.get("header"), "header")
        banner = mapping(
            banner.get("liveChatSponsorshipsHeaderRenderer"), "liveChatSponsorshipsHeaderRenderer"
        )
        parts.add(banner.get("primaryText"))
        renderer = {**banner, **renderer}
    else:
        parts.add(renderer.get("message"))
    if not parts.text and notice == "sub":
        parts.add(renderer.get("headerSubtext"))
    name = _simple(renderer.get("authorName"))
    return Said(
        # handles are unique; the names of older exports are not, channel ids are
        author=name[1:]
        if name.startswith("@")
        else string(renderer.get("authorExternalChannelId"), "id") or name,
        text=parts.text,
        emotes=tuple(parts.emotes),
        badges=_badges(renderer),
        bits=_amount(_simple(renderer.get("purchaseAmountText"))),
        notice=notice or msgspec.UNSET,
    )


class _Text:
    """Runs of text and emoji, put together."""

    def __init__(self) -> None:
        self.text = ""
        self.emotes: list[Emote] = []

    def add(self, value: Any) -> None:
        """Append a `{"runs": […]}` or `{"simpleText": …}`."""
        holder = mapping(value, "message")
        self.text += string(holder.get("simpleText"), "simpleText")
        for run in sequence(holder.get("runs"), "runs"):
            fields = mapping(run, "run")
            emoji = mapping(fields.get("emoji"), "emoji")
            self.text += string(fields.get("text"), "text")
            if not emoji:
                continue
            shortcuts = sequence(emoji.get("shortcuts"), "shortcuts")
            if not emoji.get("isCustomEmoji"):
                self.text += string(emoji.get("emojiId"), "emojiId")
                continue
            name = string(shortcuts[0] if shortcuts else emoji.get("emojiId"), "shortcuts")
            self.emotes.append(Emote(name, "youtube", len(self.text), len(self.text) + len(name)))
            self.text += name


def _simple(value: Any) -> str:
    return string(mapping(value, "text").get("simpleText"), "simpleText")


def _badges(renderer: dict[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for value in sequence(renderer.get("authorBadges"), "authorBadges"):
        badge = mapping(mapping(value, "badge").get("liveChatAuthorBadgeRenderer"), "badge")
        icon = string(mapping(badge.get("icon"), "icon").get("iconType"), "iconType")
        # only members' badges are pictures of the channel's own
        found.append(f"{_ICONS.get(icon, icon.lower()) if icon else 'subscriber'}/1")
    return tuple(found)


def _amount(text: str) -> float | int:
    """The figure of a price as YouTube writes it: `$5.00`, `¥1,000`, `5,00 €`; 0 where there is none."""
    found = _AMOUNT.search(text)
    if not found:
        return 0
    digits = re.sub(r"[^\d.,]", "", found[0])
    whole, mark, cents = digits, "", ""
    if len(digits) > 2 and digits[-3] in ".,":  # two decimals
        whole, mark, cents = digits[:-3], ".", digits[-2:]
    whole = re.sub(r"\D", "", whole)[:15] or "0"
    return float(f"{whole}.{cents}") if mark else int(whole)
