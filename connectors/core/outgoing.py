"""Records to Kafka's topic, key and value."""

from typing import NamedTuple

from connectors.core.source import Record
from schemas import topics
from schemas.codecs import MAX_RECORD_BYTES, encode, record_key
from schemas.records import ChatEvent, ChatMessage, DeadLetter


class Outgoing(NamedTuple):
    """What the Kafka client is handed for one record."""

    topic: str
    key: bytes
    value: bytes


def outgoing(record: Record) -> Outgoing:
    """Encode a record; one over MAX_RECORD_BYTES goes to the dead letters, whose topic has room for it."""
    if isinstance(record, DeadLetter):
        return Outgoing(topics.DEAD_LETTERS, record_key(record.workspace, record.source), encode(record))
    value = encode(record)
    topic = topics.MESSAGES if isinstance(record, ChatMessage) else topics.EVENTS
    if len(value) > MAX_RECORD_BYTES:
        return outgoing(_oversized(record, topic, value))
    return Outgoing(topic, record_key(record.workspace, record.channel), value)


def _oversized(record: ChatMessage | ChatEvent, topic: str, value: bytes) -> DeadLetter:
    record_id = record.message_id if isinstance(record, ChatMessage) else record.event_id
    return DeadLetter(
        dlq_id=f"{topic}/{record_id}",
        workspace=record.workspace,
        stage=record.channel.split(":", 1)[0],
        source=topic,
        partition=-1,
        position=-1,
        error_class="oversized",
        error=f"{len(value)} bytes as a record, at most {MAX_RECORD_BYTES} are allowed",
        raw=value,
        seen_at=record.received_at,
    )
