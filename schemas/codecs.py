"""Bytes to typed records and back; the only place where records are encoded, decoded or checked."""

from typing import Final, TypeVar

import msgspec

from schemas.records import PLATFORMS, ChatEvent, ChatMessage, ErrorClass

MAX_RECORD_BYTES: Final = 65_536
"""Larger records are dead letters; the longest platform line (Telegram, 4,096 code points) is far below."""
MAX_AHEAD_MS: Final = 5 * 60_000
"""How far a time may lie ahead of the clock it is checked against."""
EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01; no live chat platform is older. Age alone never makes a later time absurd."""

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_message = msgspec.json.Decoder(ChatMessage)
_event = msgspec.json.Decoder(ChatEvent)


class InvalidRecordError(ValueError):
    """A record that cannot be used; `error_class` says why, the message says where, without its content."""

    def __init__(self, error_class: ErrorClass, detail: str) -> None:
        super().__init__(detail)
        self.error_class: ErrorClass = error_class


def encode(record: msgspec.Struct) -> bytes:
    """One record as UTF-8 JSON without a line break."""
    return _encoder.encode(record)


def record_key(workspace: str, channel: str) -> bytes:
    """The Kafka key of every topic: order holds per channel of a workspace."""
    return f"{workspace}|{channel}".encode()


def decode_message(raw: bytes | None, *, appended_at: int | None = None) -> ChatMessage:
    """Decode and check a record of chat.messages.v1.

    Args:
        raw: the record's value; None (a tombstone) is an error here.
        appended_at: the broker's append time in ms; where given, `received_at` may not lie more than
            MAX_AHEAD_MS after it.

    Raises:
        InvalidRecordError: with the class of the first thing that is wrong.
    """
    _check_size(raw)
    message = _decode(_message, raw)
    if ":" not in message.channel or message.channel.split(":", 1)[0] not in PLATFORMS:
        raise InvalidRecordError("wrong_type", "`channel` is not platform:name of a known platform")
    for field in ("workspace", "stream_id", "message_id"):
        if not getattr(message, field):
            raise InvalidRecordError("missing_field", f"`{field}` is empty")
    _check_times(message.sent_at, message.received_at, appended_at)
    if message.span_to is not None:
        _check_times(message.span_to, message.received_at, appended_at)
    return message


def decode_event(raw: bytes | None, *, appended_at: int | None = None) -> ChatEvent:
    """Decode and check a record of chat.events.v1; errors as `decode_message`."""
    _check_size(raw)
    event = _decode(_event, raw)
    _check_times(event.at, event.received_at, appended_at)
    return event


def _check_size(raw: bytes | None) -> None:
    if not raw:
        raise InvalidRecordError("empty_record", "the record has no value")
    if len(raw) > MAX_RECORD_BYTES:
        raise InvalidRecordError("oversized", f"{len(raw)} bytes, at most {MAX_RECORD_BYTES} are allowed")


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes | None) -> T:
    assert raw is not None
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidRecordError(_class_of(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", str(error)) from None


def _class_of(detail: str) -> ErrorClass:
    if "schema_version" in detail and "missing" not in detail:
        return "unknown_version"
    return "missing_field" if "missing required field" in detail else "wrong_type"


def _check_times(sent_at: int, received_at: int, appended_at: int | None) -> None:
    if sent_at < EARLIEST_MS or received_at < EARLIEST_MS:
        raise InvalidRecordError("absurd_time", "a time lies before the year 2000 (are these seconds?)")
    if sent_at > received_at + MAX_AHEAD_MS:
        raise InvalidRecordError("absurd_time", "`sent_at` lies more than 5 minutes after `received_at`")
    if appended_at is not None and received_at > appended_at + MAX_AHEAD_MS:
        raise InvalidRecordError("absurd_time", "`received_at` lies more than 5 minutes in the future")
