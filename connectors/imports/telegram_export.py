"""Telegram Desktop's export `result.json`: one chat, or all chats of an account.

Format: core.telegram.org/import-export and tdesktop's export/output/export_output_json.cpp.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from connectors.imports.export import Export
from connectors.imports.fields import mapping, number, sequence, string, time_ms
from connectors.imports.json_stream import header, items
from connectors.imports.line import Item, RefusedItem, Said, SkippedItem, TimedLine, name_part
from schemas.codecs import InvalidRecordError
from schemas.records import Emote


def read_telegram_export(export: Export) -> Iterator[Item]:
    """Stream the messages of one chat; of an account's export, chat after chat (each whole in memory).

    The stream is the chat's name and id. Authors are the ids that Telegram gives (`user123`): names are not
    unique there.
    """
    found = header(export, "messages")
    single = "chats.about" not in found and b'"chats"' not in export.head()[:4096]
    at = 0
    try:
        if single:
            stream = _stream(found)
            for at, message in items(export, "messages.item"):
                yield _item(at, message, stream)
        else:
            for chat in (mapping(value, "chat") for _, value in items(export, "chats.list.item")):
                for message in sequence(chat.get("messages"), "messages"):
                    at += 1
                    yield _item(at, message, _stream(chat))
    except InvalidRecordError as error:
        yield RefusedItem(at + 1, error, "item")


def _stream(chat: dict[str, Any]) -> str:
    name, number_ = chat.get("name"), chat.get("id")
    return f"{name_part(str(name or ''), 'telegram')}/{name_part(str(number_ or ''), '0')}"


def _item(at: int, value: Any, stream: str) -> Item:
    try:
        message = mapping(value, "message")
        if message.get("type") != "message":
            return SkippedItem(at)
        seconds = number(message.get("date_unixtime"), "date_unixtime")
        at_ms = time_ms(message.get("date")) if seconds is None else round(seconds * 1000)
        if at_ms is None:
            raise InvalidRecordError("missing_field", "neither `date_unixtime` nor a readable `date`")
        text, emotes = _text(message)
        reply = message.get("reply_to_message_id")
        said = Said(
            author=string(message.get("from_id"), "from_id") or string(message.get("from"), "from"),
            text=text,
            emotes=emotes,
            reply_to=str(reply) if isinstance(reply, int) else msgspec.UNSET,
        )
        return TimedLine(at, stream, at_ms, said, absolute=True)
    except InvalidRecordError as error:
        return RefusedItem(at, error, "item")


def _text(message: dict[str, Any]) -> tuple[str, tuple[Emote, ...]]:
    """The text; a sticker's emoji where there is no text; people without a user name as `@user<id>`."""
    value = message.get("text")
    text = ""
    emotes: list[Emote] = []
    for part in [value] if isinstance(value, str) else sequence(value, "text"):
        if isinstance(part, str):
            text += string(part, "text")
            continue
        entity = mapping(part, "text")
        shown = string(entity.get("text"), "text")
        if entity.get("type") == "mention_name":
            shown = f"@user{entity.get('user_id', '')}"
        elif entity.get("type") == "custom_emoji" and shown:
            emotes.append(Emote(shown, "telegram", len(text), len(text) + len(shown)))
        text += shown
    return text or string(message.get("sticker_emoji"), "sticker_emoji"), tuple(emotes)
