"""EventSub's WebSocket frames and the notifications in them: JSON text to typed values, pure.

Source: dev.twitch.tv/docs/eventsub/websocket-reference and dev.twitch.tv/docs/eventsub/eventsub-reference.
Fields that are not read here are left out, so that Twitch may add some.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

import msgspec

from schemas.codecs import InvalidRecordError

Value = TypeVar("Value")


class Metadata(msgspec.Struct, frozen=True):
    """Which kind of message a frame is; a repeated message has the same id."""

    message_id: str
    message_type: str
    message_timestamp: str = ""
    subscription_type: str = ""


class SessionInfo(msgspec.Struct, frozen=True):
    """Of a welcome or a reconnect message."""

    id: str
    keepalive_timeout_seconds: int | None = None
    reconnect_url: str | None = None


class SubscriptionInfo(msgspec.Struct, frozen=True):
    """What a notification or a revocation belongs to."""

    type: str
    id: str = ""
    status: str = ""
    condition: dict[str, Any] = {}

    @property
    def broadcaster(self) -> str:
        """The channel's number."""
        found = self.condition.get("broadcaster_user_id") or self.condition.get("to_broadcaster_user_id")
        return found if isinstance(found, str) else ""


class Payload(msgspec.Struct, frozen=True):
    """What a frame carries, by its kind."""

    session: SessionInfo | None = None
    subscription: SubscriptionInfo | None = None
    event: msgspec.Raw = msgspec.Raw(b"null")


class Frame(msgspec.Struct, frozen=True):
    """One frame."""

    metadata: Metadata
    payload: Payload = Payload()

    def sent_at(self, received_at: int) -> int:
        """When Twitch sent it, in ms; `received_at` where it does not say, or a time ahead of our clock."""
        return min(milliseconds(self.metadata.message_timestamp) or received_at, received_at)


class Fragment(msgspec.Struct, frozen=True):
    """A part of a chat line."""

    type: str
    text: str


class Text(msgspec.Struct, frozen=True):
    """What was said; its fragments in order are the text."""

    text: str = ""
    fragments: tuple[Fragment, ...] = ()


class Badge(msgspec.Struct, frozen=True):
    """A badge by its set's name, as IRC's `badges` tag has it."""

    set_id: str


class Cheer(msgspec.Struct, frozen=True):
    """Bits that came with a line."""

    bits: int


class Reply(msgspec.Struct, frozen=True):
    """Which line is answered."""

    parent_message_id: str


class ChatLine(msgspec.Struct, frozen=True):
    """channel.chat.message."""

    message_id: str
    chatter_user_login: str
    message: Text
    chatter_user_name: str = ""
    badges: tuple[Badge, ...] = ()
    cheer: Cheer | None = None
    reply: Reply | None = None


class RaidNotice(msgspec.Struct, frozen=True):
    """Of a notice: who came along with how many."""

    user_login: str
    user_name: str = ""
    viewer_count: int | None = None


class GiftNotice(msgspec.Struct, frozen=True):
    """Of a notice: who was given a subscription."""

    recipient_user_login: str = ""
    recipient_user_name: str = ""


class ChatNotice(msgspec.Struct, frozen=True):
    """channel.chat.notification: IRC's USERNOTICE."""

    message_id: str
    notice_type: str
    system_message: str = ""
    chatter_user_login: str | None = None
    chatter_user_name: str | None = None
    message: Text = Text()
    badges: tuple[Badge, ...] = ()
    raid: RaidNotice | None = None
    sub_gift: GiftNotice | None = None


class DeletedLine(msgspec.Struct, frozen=True):
    """channel.chat.message_delete."""

    message_id: str
    target_user_login: str = ""


class ClearedPerson(msgspec.Struct, frozen=True):
    """channel.chat.clear_user_messages: a ban or a timeout; Twitch does not say which."""

    target_user_login: str


class Raid(msgspec.Struct, frozen=True):
    """channel.raid, to the channel."""

    from_broadcaster_user_login: str
    viewers: int | None = None


class Online(msgspec.Struct, frozen=True):
    """stream.online: `id` names the broadcast."""

    id: str


class RoomSettings(msgspec.Struct, frozen=True):
    """channel.chat_settings.update."""

    emote_mode: bool = False
    follower_mode: bool = False
    follower_mode_duration_minutes: int | None = None
    slow_mode: bool = False
    slow_mode_wait_time_seconds: int | None = None
    subscriber_mode: bool = False
    unique_chat_mode: bool = False

    def as_room_tags(self) -> Mapping[str, str]:
        """In the words of IRC's ROOMSTATE, so that both transports tell of the same room."""
        return {
            "emote-only": str(int(self.emote_mode)),
            "followers-only": str(self.follower_mode_duration_minutes or 0) if self.follower_mode else "-1",
            "r9k": str(int(self.unique_chat_mode)),
            "slow": str(self.slow_mode_wait_time_seconds or 0) if self.slow_mode else "0",
            "subs-only": str(int(self.subscriber_mode)),
        }


NoticeKind = Literal["raid", "sub", "gift"]
NOTICES: Final[Mapping[str, NoticeKind]] = {
    "raid": "raid",
    "sub": "sub",
    "resub": "sub",
    "gift_paid_upgrade": "sub",
    "prime_paid_upgrade": "sub",
    "sub_gift": "gift",
    "community_sub_gift": "gift",
    "pay_it_forward": "gift",
}
"""Notices that are events here; others are lines and nothing more."""

_frames = msgspec.json.Decoder(Frame)


def parse_frame(text: str) -> Frame:
    """Read one frame.

    Raises:
        InvalidRecordError: it is no JSON, or no EventSub message.
    """
    try:
        return _frames.decode(text.encode(errors="surrogatepass"))
    except msgspec.ValidationError as error:
        raise InvalidRecordError("source_line", f"no EventSub message: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRecordError("source_line", "a frame that is no JSON") from None


def event_of(kind: type[Value], frame: Frame) -> Value:
    """The event of a notification.

    Raises:
        InvalidRecordError: a field is missing or of another type.
    """
    try:
        return msgspec.json.decode(frame.payload.event, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError(
            "missing_field", f"event of {frame.metadata.subscription_type}: {error}"
        ) from None


def milliseconds(timestamp: str) -> int:
    """An RFC 3339 time (with nanoseconds, as Twitch writes them) in ms; 0 where it is none."""
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
