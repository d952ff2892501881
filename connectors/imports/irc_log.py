"""Twitch IRC lines: justlog's and rustlog's raw logs with tags, and bare lines without tags or times."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from connectors.imports.export import Export
from connectors.imports.line import Item, RefusedItem, Said, SkippedItem, TimedLine, known, name_part
from connectors.replay.lines import RawLine
from connectors.twitch.irc import IrcMessage, emotes_of, number_of, parse_irc, without_action
from connectors.twitch.notices import notice_of
from schemas.codecs import InvalidRecordError


def read_irc_log(export: Export) -> Iterator[Item]:
    """Stream PRIVMSG and USERNOTICE lines with `tmi-sent-ts`.

    The stream is the channel and the UTC date of its first line in the file.
    """
    streams: dict[str, str] = {}
    for line in export.lines():
        try:
            message = _parse(line)
            if message.command not in ("PRIVMSG", "USERNOTICE"):
                yield SkippedItem(line.number)
                continue
            at_ms = number_of(message.tags, "tmi-sent-ts")
            if at_ms is None or not 0 < at_ms < 4_102_444_800_000:
                raise InvalidRecordError("missing_field", "the line has no time (tag `tmi-sent-ts`)")
            stream = streams.get(message.channel)
            if stream is None:
                date = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
                stream = streams[message.channel] = f"{name_part(message.channel, 'twitch')}/{date}"
            said = _notice(message) if message.command == "USERNOTICE" else _tagged(message)
            yield TimedLine(line.number, stream, at_ms, said, absolute=True)
        except InvalidRecordError as error:
            yield RefusedItem(line.number, error)


def read_bare_irc(export: Export) -> Iterator[Item]:
    """Stream PRIVMSG lines, without times; the stream is the channel and broadcast 0."""
    streams: dict[str, str] = {}
    for line in export.lines():
        try:
            message = _parse(line)
            if message.command != "PRIVMSG":
                yield SkippedItem(line.number)
                continue
            channel = message.channel
            stream = streams.get(channel)
            if stream is None:
                stream = streams[channel] = f"{name_part(channel, 'twitch')}/0"
            said = Said(author=message.nick, text=without_action(message.text))
            yield TimedLine(line.number, stream, None, said)
        except InvalidRecordError as error:
            yield RefusedItem(line.number, error)


def _parse(line: RawLine) -> IrcMessage:
    if line.broken:
        raise line.broken
    try:
        message = parse_irc(line.raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidRecordError("source_line", f"no UTF-8 at byte {error.start}") from None
    if message.command in ("PRIVMSG", "USERNOTICE") and not message.channel:
        raise InvalidRecordError("source_line", f"{message.command} names no channel")
    if message.command == "PRIVMSG" and len(message.params) < 2:
        raise InvalidRecordError("source_line", "PRIVMSG breaks off before its text")
    return message


def _tagged(message: IrcMessage) -> Said:
    tags = message.tags
    text = without_action(message.text)
    return Said(
        author=message.nick,
        text=text,
        emotes=emotes_of(tags.get("emotes", ""), text),
        badges=_badges(tags.get("badges", "")),
        bits=number_of(tags, "bits") or 0,
        first_message=tags["first-msg"] == "1" if "first-msg" in tags else msgspec.UNSET,
        reply_to=known(tags.get("reply-parent-msg-id", "")),
    )


def _notice(message: IrcMessage) -> Said:
    notice = notice_of(message)
    return Said(
        author=notice.login,
        text=notice.text,
        emotes=emotes_of(message.tags.get("emotes", ""), message.text),
        badges=_badges(message.tags.get("badges", "")),
        bits=0,
        notice=notice.kind or msgspec.UNSET,
        viewers=msgspec.UNSET if notice.viewers is None else notice.viewers,
    )


def _badges(tag: str) -> tuple[str, ...]:
    return tuple(tag.split(",")) if tag else ()
