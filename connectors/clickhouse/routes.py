"""Which topic goes to which landing table, and what a record of it must be."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from schemas.codecs import InvalidRecordError, decode_event, decode_message
from schemas.records import (
    Activity,
    Alert,
    ChatMessage,
    DeadLetter,
    Erasure,
    ErrorClass,
    Opinion,
    ScoredMessage,
    Window,
)

MESSAGES: Final = "chat.messages.v1"
SCORED: Final = "chat.scored.v1"
EVENTS: Final = "chat.events.v1"
WINDOWS: Final = "pulse.windows.v1"
ALERTS: Final = "pulse.alerts.v1"
ACTIVITY: Final = "pulse.activity.v1"
DEAD_LETTERS: Final = "chat.dlq.v1"
ERASURES: Final = "pulse.erasures.v1"
OPINIONS: Final = "pulse.opinions.v1"


class Row(NamedTuple):
    """One Kafka record: where it lies, when the broker appended it (ms, or None), its key and bytes.

    `traceparent` is its header of that name, read only where traces are on.
    """

    topic: str
    partition: int
    offset: int
    appended_at: int | None
    key: bytes | None
    value: bytes | None
    traceparent: str | None = None


Identity = tuple[str, str, str]


class Route(NamedTuple):
    """How the records of one topic reach the store.

    Attributes:
        table: landing table; the record's own bytes are inserted there.
        check: decodes one row; raises InvalidRecordError. Costs 1 to 4 µs a record and keeps out what the
            engine's lenient JSON reader would take (missing fields, two objects in one record).
        refused_by: whoever dead-letters the records that fail the check, where that is not the sink.
        live: whether stored records are handed on to the API's live feed.
        identity: for a table that two topics fill, what the two records of one row have in common.
        complete: whether the other topic's record of a row says nothing that this one does not.
        upserts: whether the writer is an upsert sink, whose empty records only take back an earlier row of
            their key before a newer one follows; the tables' versions do that here.
    """

    table: str
    check: Callable[[Row], msgspec.Struct]
    refused_by: str | None = None
    live: bool = False
    upserts: bool = False
    identity: Callable[[Any], Identity] | None = None
    complete: bool = False


def _line(record: ChatMessage | ScoredMessage) -> Identity:
    return record.workspace, record.stream_id, record.message_id


def _typed(kind: type[msgspec.Struct]) -> Callable[[Row], msgspec.Struct]:
    decoder = msgspec.json.Decoder(kind)

    def check(row: Row) -> msgspec.Struct:
        error_class: ErrorClass = "not_json"
        try:
            if not row.value:
                raise InvalidRecordError("empty_record", "the record has no value")
            record: msgspec.Struct = decoder.decode(row.value)
        except msgspec.ValidationError as error:
            detail = str(error)
            error_class = "missing_field" if "missing required field" in detail else "wrong_type"
            raise InvalidRecordError(error_class, detail) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRecordError(error_class, str(error)) from None
        return record

    return check


ROUTES: Final[dict[str, Route]] = {
    MESSAGES: Route(
        "landing_messages",
        lambda row: decode_message(row.value, appended_at=row.appended_at),
        refused_by="score",
        identity=_line,
    ),
    SCORED: Route("landing_messages", _typed(ScoredMessage), identity=_line, complete=True),
    EVENTS: Route("landing_events", lambda row: decode_event(row.value, appended_at=row.appended_at)),
    WINDOWS: Route("landing_windows", _typed(Window), live=True, upserts=True),
    ALERTS: Route("landing_alerts", _typed(Alert), live=True),
    ACTIVITY: Route("landing_activity", _typed(Activity), live=True),
    DEAD_LETTERS: Route("landing_dead_letters", _typed(DeadLetter)),
    ERASURES: Route("landing_erasures", _typed(Erasure)),
    OPINIONS: Route("landing_opinions", _typed(Opinion)),
}
