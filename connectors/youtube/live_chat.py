"""A live chat's items, as types.

Source: developers.google.com/youtube/v3/live/docs/liveChatMessages. Fields that are not read are not checked.
"""

from datetime import UTC, datetime

import msgspec

from schemas.codecs import InvalidRecordError


class TextDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of textMessageEvent."""

    message_text: str = ""


class Sticker(msgspec.Struct, frozen=True, rename="camel"):
    """What a Super Sticker shows."""

    alt_text: str = ""


class PaidDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of superChatEvent and superStickerEvent; the amount is in millionths of its currency."""

    amount_micros: int | str = 0
    user_comment: str = ""
    super_sticker_metadata: Sticker = Sticker()

    @property
    def amount(self) -> float | None:
        """The amount in its currency; None where it is none."""
        micros = str(self.amount_micros)
        paid = int(micros) / 1_000_000 if micros.isascii() and micros.isdigit() and len(micros) < 19 else 0.0
        return paid or None


class MilestoneDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of memberMilestoneChatEvent."""

    user_comment: str = ""


class DeletedDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of messageDeletedEvent."""

    deleted_message_id: str = ""


class RetractedDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of messageRetractedEvent: its author took it back."""

    retracted_message_id: str = ""


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """An author, or somebody banned."""

    channel_id: str = ""
    display_name: str = ""
    is_chat_owner: bool | None = None
    is_chat_sponsor: bool | None = None
    is_chat_moderator: bool | None = None


class BannedDetails(msgspec.Struct, frozen=True, rename="camel"):
    """Of userBannedEvent."""

    banned_user_details: Person = Person()
    ban_type: str = ""
    ban_duration_seconds: int | str | None = None


class Snippet(msgspec.Struct, frozen=True, rename="camel"):
    """What happened, and when (ISO 8601)."""

    type: str
    published_at: str = ""
    text_message_details: TextDetails = TextDetails()
    super_chat_details: PaidDetails = PaidDetails()
    super_sticker_details: PaidDetails = PaidDetails()
    member_milestone_chat_details: MilestoneDetails = MilestoneDetails()
    message_deleted_details: DeletedDetails = DeletedDetails()
    message_retracted_details: RetractedDetails = RetractedDetails()
    user_banned_details: BannedDetails = BannedDetails()


class ChatItem(msgspec.Struct, frozen=True, rename="camel"):
    """One item of a live chat."""

    id: str
    snippet: Snippet
    author_details: Person = Person()

    @property
    def published_ms(self) -> int | None:
        """When it was said, ms; None where that is no time."""
        return time_ms(self.snippet.published_at)


class Page(msgspec.Struct, frozen=True):
    """A part of a live chat, oldest first."""

    items: tuple[msgspec.Raw, ...]
    next_page: str | None
    wait_s: float
    """How long to wait before the next is asked for."""
    over: bool
    """The broadcast is, and with it the chat."""


def parse_item(raw: bytes | msgspec.Raw) -> ChatItem:
    """Read one item.

    Raises:
        InvalidRecordError: it is no JSON, or a field that is read has another type.
    """
    try:
        item = msgspec.json.decode(raw, type=ChatItem)
    except msgspec.ValidationError as error:
        missing = "missing required field" in str(error)
        raise InvalidRecordError("missing_field" if missing else "wrong_type", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", str(error)[:200]) from None
    if not item.id:
        raise InvalidRecordError("missing_field", "`id` is empty")
    return item


def time_ms(text: str) -> int | None:
    """An ISO 8601 time in ms since the Unix epoch, UTC where it names no zone; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
