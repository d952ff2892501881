"""The formats that can be imported, and how content tells them apart."""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from connectors.imports.chat_downloader import read_chat_downloader_array, read_chat_downloader_lines
from connectors.imports.export import Export
from connectors.imports.irc_log import read_bare_irc, read_irc_log
from connectors.imports.line import Reader
from connectors.imports.telegram_export import read_telegram_export
from connectors.imports.twitch_downloader import read_twitch_downloader
from connectors.imports.youtube_live_chat import read_youtube_live_chat

Format = Literal[
    "twitch-downloader",
    "chat-downloader",
    "chat-downloader-lines",
    "irc-log",
    "irc",
    "youtube-live-chat",
    "telegram",
]

READERS: Final[Mapping[Format, Reader]] = {
    "twitch-downloader": read_twitch_downloader,
    "chat-downloader": read_chat_downloader_array,
    "chat-downloader-lines": read_chat_downloader_lines,
    "irc-log": read_irc_log,
    "irc": read_bare_irc,
    "youtube-live-chat": read_youtube_live_chat,
    "telegram": read_telegram_export,
}
TIMELESS: Final[frozenset[Format]] = frozenset({"irc"})
"""Formats whose lines have no times."""

_IRC: Final = re.compile(
    rb"(?:@[^ ]+ +)?(?::[^ ]+ +)?"
    rb"(?:PRIVMSG|USERNOTICE|NOTICE|CLEARCHAT|CLEARMSG|ROOMSTATE|USERSTATE|GLOBALUSERSTATE|HOSTTARGET|JOIN"
    rb"|PART|CAP|PING|PONG|RECONNECT|\d{3})(?: |$)"
)
_CHAT: Final = re.compile(rb" (?:PRIVMSG|USERNOTICE) #")
_CHAT_DOWNLOADER: Final = re.compile(rb'"(?:time_in_seconds|message_type|action_type|message_id)"\s*:')
_LINES_LOOKED_AT: Final = 100


def format_of(export: Export) -> Format | Literal["recording"] | None:
    """What a file's content says it is; `recording` is recorded chat already, None is unknown.

    Raises:
        OSError: the file cannot be opened.
    """
    head = export.head()
    lines = [line.strip() for line in head.split(b"\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT]]
    lines = [line for line in lines if line]
    if not lines:
        return None
    if head.lstrip()[:1] in (b"{", b"["):
        return _json_format(head, lines)
    irc = [line for line in lines if _IRC.match(line)]
    if not irc:
        return "recording" if any(_is_recorded(line) for line in lines) else None
    chat = next((line for line in irc if _CHAT.search(line)), b"")
    return "irc-log" if b"tmi-sent-ts=" in chat.partition(b" ")[0] else "irc"


def has_times(export: Export) -> bool:
    """Whether recorded chat says when its first lines were said.

    Raises:
        OSError: the file cannot be opened.
    """
    head = export.head()
    return next((b'"offset_ms":null' not in line for line in head.split(b"\n") if _is_recorded(line)), True)


def _json_format(head: bytes, lines: list[bytes]) -> Format | Literal["recording"] | None:
    first = lines[0]
    if head.lstrip().startswith(b"["):
        return "chat-downloader" if _CHAT_DOWNLOADER.search(head) else None
    if b'"replayChatItemAction"' in head or b'"addChatItemAction"' in head:
        return "youtube-live-chat"
    if any(_is_recorded(line) for line in lines):
        return "recording"
    if first.endswith(b"}") and _CHAT_DOWNLOADER.search(first):
        return "chat-downloader-lines"
    if b'"content_offset_seconds"' in head or (b'"streamer"' in head and b'"comments"' in head):
        return "twitch-downloader"
    if b'"messages"' in head and (b'"date_unixtime"' in head or b'"from_id"' in head or b'"type"' in head):
        return "telegram"
    return None


def _is_recorded(line: bytes) -> bool:
    if b'"stream"' not in line or b'"offset_ms"' not in line:
        return False
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(value, dict) and "stream" in value and "offset_ms" in value
