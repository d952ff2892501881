"""EventSub's notifications to records, in the same words as the records of IRC."""

from connectors.twitch.irc import without_action
from connectors.twitch.normalise import CHAT_CLEARED, ChannelNormaliser, flags_of
from connectors.twitch.notices import with_logins
from connectors.twitch.notifications import (
    NOTICES,
    ChatLine,
    ChatNotice,
    ClearedPerson,
    DeletedLine,
    Frame,
    Raid,
    RoomSettings,
    Text,
    event_of,
)
from schemas.records import ChatEvent, ChatMessage, Emote

Records = list[ChatMessage | ChatEvent]


def records_of(channel: ChannelNormaliser, frame: Frame, received_at: int) -> Records:
    """The records of one notification of that channel; none for types that say nothing here.

    Raises:
        InvalidRecordError: a field is missing or of another type.
    """
    at, identity = frame.sent_at(received_at), frame.metadata.message_id
    match frame.metadata.subscription_type:
        case "channel.chat.message":
            return [_line(channel, event_of(ChatLine, frame), at, received_at)]
        case "channel.chat.notification":
            return _notice(channel, event_of(ChatNotice, frame), at, received_at)
        case "channel.chat.message_delete":
            deleted = event_of(DeletedLine, frame)
            return [channel.line_deleted(deleted.message_id, deleted.target_user_login, at, received_at)]
        case "channel.chat.clear":
            return channel.cleared("", CHAT_CLEARED, identity, "eventsub", at, received_at)
        case "channel.chat.clear_user_messages":
            login = event_of(ClearedPerson, frame).target_user_login
            return channel.cleared(login, "banned or timed out", identity, "eventsub", at, received_at)
        case "channel.raid":
            raid = event_of(Raid, frame)
            login = raid.from_broadcaster_user_login
            return channel.raided(login, raid.viewers, identity, "channel.raid", at, received_at)
        case "channel.chat_settings.update":
            return channel.room_changed(event_of(RoomSettings, frame).as_room_tags(), received_at)
        case "channel.shield_mode.begin":
            return channel.room_changed({"shield": "1"}, received_at)
        case "channel.shield_mode.end":
            return channel.room_changed({"shield": "0"}, received_at)
        case "stream.online":
            return [channel.event("stream_up", identity, at, received_at)]
        case "stream.offline":
            return [channel.event("stream_down", identity, at, received_at)]
    return []


def _line(channel: ChannelNormaliser, line: ChatLine, at: int, received_at: int) -> ChatMessage:
    said, emotes = _said(line.message)
    return channel.line(
        identity=line.message_id,
        login=line.chatter_user_login,
        shown=line.chatter_user_name,
        said=said,
        emotes=emotes,
        flags=flags_of(",".join(badge.set_id for badge in line.badges), None),
        bits=line.cheer.bits if line.cheer else None,
        reply_to=line.reply.parent_message_id if line.reply else None,
        sent_at=at,
        received_at=received_at,
    )


def _notice(channel: ChannelNormaliser, notice: ChatNotice, at: int, received_at: int) -> Records:
    login, shown = notice.chatter_user_login or "", notice.chatter_user_name or ""
    records: Records = []
    kind = NOTICES.get(notice.notice_type)
    if kind == "raid":
        viewers = notice.raid.viewer_count if notice.raid else None
        raider = notice.raid.user_login if notice.raid else login
        records += channel.raided(raider, viewers, notice.message_id, "eventsub", at, received_at)
    elif kind:
        records.append(channel.event(kind, notice.message_id, at, received_at, source=login))
    said, emotes = _said(notice.message)
    if not said:
        names = [(shown, login)]
        if notice.raid:
            names.append((notice.raid.user_name, notice.raid.user_login))
        if notice.sub_gift:
            names.append((notice.sub_gift.recipient_user_name, notice.sub_gift.recipient_user_login))
        said, emotes = with_logins(notice.system_message, names), ()
    if said:
        flags = flags_of(",".join(badge.set_id for badge in notice.badges), None)
        records.append(
            channel.line(
                identity=notice.message_id,
                login=login,
                shown=shown,
                said=said,
                emotes=emotes,
                flags=flags,
                bits=None,
                reply_to=None,
                sent_at=at,
                received_at=received_at,
            )
        )
    return records


def _said(text: Text) -> tuple[str, tuple[Emote, ...]]:
    """The text without the frame of `/me`, and its emotes by their places in code points."""
    said = without_action(text.text)
    at = -text.text.find(said)
    emotes: list[Emote] = []
    for fragment in text.fragments:
        end = at + len(fragment.text)
        if fragment.type == "emote" and fragment.text and said[max(at, 0) : end] == fragment.text:
            emotes.append(Emote(fragment.text, "twitch", at, end))
        at = end
    return said, tuple(emotes)
