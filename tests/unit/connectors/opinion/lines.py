"""Scored lines, alerts, and the Kafka records of them."""

from typing import Any

import msgspec

from connectors.clickhouse.routes import Row
from schemas.codecs import encode
from schemas.records import Alert, ScoredMessage
from schemas.topics import ALERTS, SCORED
from tests.fixtures.store import alert, line, scored

__all__ = ["alert", "near", "row"]


def near(message_id: str, text: str = "so good", workspace: str = "default", **changes: Any) -> ScoredMessage:
    """A line whose toxicity lies near its decision line."""
    fields = {"toxicity": 0.45, "sentiment": 0.5, "lang": "en"} | changes
    return msgspec.structs.replace(scored(line(workspace, message_id, text=text)), **fields)


def row(record: ScoredMessage | Alert | bytes, appended_at: int | None = None) -> Row:
    topic = ALERTS if isinstance(record, Alert) else SCORED
    value = record if isinstance(record, bytes) else encode(record)
    return Row(topic, 0, 0, appended_at, b"k", value)
