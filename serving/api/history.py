"""Windows, activity, messages, alerts and events of the past: the queries and their answers."""

import base64
import binascii
from typing import Any, Final

import msgspec

from schemas.labels import BASIC, EMOTIONS
from serving.api.models import (
    ActivityPoint,
    AlertAnswer,
    Event,
    Message,
    Messages,
    WindowPoint,
)
from serving.api.norms import Norms
from serving.api.points import strongest, window_point
from serving.api.store import Row, Store

MAX_POINTS: Final = 5_000
HOUR_MS: Final = 3_600_000
WINDOW_SIZES_MS: Final = (10_000, 1_000)
FOREVER_MS: Final = 4_102_444_800_000
LOOK_BACK_MS: Final = (15 * 60_000, 4 * HOUR_MS, FOREVER_MS)
"""How far back to look for a page of messages: mostly the first span holds it, and reads little."""

_LAST_WINDOW: Final = """
SELECT any(channel) AS channel, max(start_ms) + 10000 AS last FROM windows
WHERE workspace = {workspace:String} AND stream_id = {stream_id:String} AND size_ms = 10000
"""
_LAST_MESSAGE: Final = """
SELECT toUnixTimestamp64Milli(assumeNotNull(last_message_at)) AS last FROM streams
WHERE workspace = {workspace:String} AND stream_id = {stream_id:String} AND last_message_at IS NOT NULL
"""
_WINDOWS: Final = """
SELECT intDiv(start_ms, {step:Int64}) * {step:Int64} AS start_ms, sum(messages) AS messages,
    sum(scored) AS scored, sum(abstained) AS abstained,
    max(authors_in_window) AS authors, sum(new_authors) AS new_authors,
    sum(sentiment_sum) AS sentiment_sum, sum(sentiment_sumsq) AS sentiment_sumsq,
    sum(toxicity_sum) AS toxicity_sum, sum(toxicity_sumsq) AS toxicity_sumsq,
    sum(hate_sum) AS hate_sum, sum(sarcasm_sum) AS sarcasm_sum,
    sumForEach(basic_sum) AS basic_sum, sumForEach(basic_sumsq) AS basic_sumsq,
    sumForEach(emotion_sum) AS emotion_sum
FROM
(
    SELECT * FROM windows AS w
    WHERE workspace = {workspace:String} AND stream_id = {stream_id:String} AND size_ms = {size:UInt32}
        AND w.start_ms >= {from:Int64} AND w.start_ms < {to:Int64}
)
GROUP BY start_ms
ORDER BY start_ms DESC
LIMIT {limit:UInt32}
"""
_ACTIVITY: Final = """
SELECT channel, stream_id, second_ms, messages, authors, first_time_authors, duplicates, links, emotes,
    sample_rate
FROM activity
WHERE workspace = {workspace:String} AND stream_id = {stream_id:String}
    AND second_ms >= {from:Int64} AND second_ms < {to:Int64}
ORDER BY second_ms DESC
LIMIT {limit:UInt32}
"""
# On the table itself, not on its view: the newest version of a line wins by order, so that the index on
# sent_at may skip what lies outside of the range (FINAL would read every part of the stream).
_MESSAGES: Final = """
SELECT message_id, toString(message_hash) AS hash, toUnixTimestamp64Milli(c.sent_at) AS sent_ms, author, text,
    nullIf(lang, '') AS lang, c.emotions AS emotions, c.basic AS basic, sentiment, toxicity, hate, sarcasm,
    abstained, toBool(version > 0) AS scored
FROM chat_lines AS c
WHERE workspace = {workspace:String} AND stream_id = {stream_id:String} AND expires_at > now64(3, 'UTC')
    AND (workspace, channel, message_hash) NOT IN (
        SELECT workspace, channel, message_hash FROM removed_lines WHERE workspace = {workspace:String})
    AND c.sent_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND c.sent_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    AND (c.sent_at, message_hash)
        < (fromUnixTimestamp64Milli({before:Int64}, 'UTC'), toUInt128({before_hash:String}))
    AND ({q:String} = '' OR positionCaseInsensitiveUTF8(text, {q:String}) > 0)
    AND ({min_toxicity:Float64} <= 0 OR (version > 0 AND toxicity >= {min_toxicity:Float64}))
    AND ({basic_index:UInt8} = 0 OR (version > 0 AND NOT abstained
        AND indexOf(c.basic, arrayMax(c.basic)) = {basic_index:UInt8}))
    AND ({emotion_index:UInt8} = 0 OR (version > 0 AND NOT abstained
        AND indexOf(c.emotions, arrayMax(c.emotions)) = {emotion_index:UInt8}))
ORDER BY c.sent_at DESC, message_hash DESC, version DESC
LIMIT 1 BY message_hash
LIMIT {limit:UInt32}
"""
_ALERTS: Final = """
SELECT channel, stream_id, alert_id, revision, kind, severity, state,
    toUnixTimestamp64Milli(a.started_at) AS started_ms, toUnixTimestamp64Milli(a.detected_at) AS detected_ms,
    toUnixTimestamp64Milli(a.ended_at) AS ended_ms, why, evidence, clusters, authors, messages, playbook,
    channels, recovered, recovery_s
FROM alerts AS a
WHERE workspace = {workspace:String}
    AND ({stream_id:String} = '' OR stream_id = {stream_id:String} OR has(channels, {stream_id:String}))
    AND ({kind:String} = '' OR kind = {kind:String}) AND ({state:String} = '' OR state = {state:String})
    AND a.started_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND a.started_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY a.started_at DESC, alert_id
LIMIT {limit:UInt32}
"""
_EVENTS: Final = """
SELECT channel, stream_id, event_id, kind, toUnixTimestamp64Milli(e.at) AS at,
    toUnixTimestamp64Milli(e.received_at) AS received_at, source, viewers,
    toUnixTimestamp64Milli(e.span_from) AS span_from, toUnixTimestamp64Milli(e.span_to) AS span_to,
    cause, recovered, state
FROM events AS e
WHERE workspace = {workspace:String} AND ({stream_id:String} = '' OR stream_id = {stream_id:String})
    AND ({kind:String} = '' OR kind = {kind:String})
    AND e.at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND e.at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY e.at DESC, event_id
LIMIT {limit:UInt32}
"""


class BadRequestError(ValueError):
    """A parameter makes no sense; the message says which and what would."""


class History:
    """Reads the past of one workspace's streams; any number of threads."""

    def __init__(self, store: Store, norms: Norms) -> None:
        self._store, self._norms = store, norms

    def windows(
        self, workspace: str, stream_id: str, start: int | None, end: int | None, step_ms: int
    ) -> list[WindowPoint]:
        """Points of a range (default: the stream's last hour), oldest first; the newest MAX_POINTS at most.

        Raises:
            BadRequestError: `step_ms` is no whole number of seconds.
        """
        size = next((size for size in WINDOW_SIZES_MS if step_ms > 0 and step_ms % size == 0), None)
        if size is None:
            raise BadRequestError("step_ms must be a multiple of 1000")
        where = {"workspace": workspace, "stream_id": stream_id}
        known = self._store.rows(_LAST_WINDOW, where)[0]
        end = known["last"] if end is None else end
        start = end - HOUR_MS if start is None else start
        rows = self._store.rows(
            _WINDOWS,
            {
                **where,
                "size": size,
                "step": step_ms,
                "from": start - start % step_ms,
                "to": end,
                "limit": MAX_POINTS,
            },
        )
        norms = self._norms.of(workspace, known["channel"])
        return [
            window_point(row, norms, row["authors"] if step_ms == size else None) for row in reversed(rows)
        ]

    def activity(
        self, workspace: str, stream_id: str, start: int | None, end: int | None
    ) -> list[ActivityPoint]:
        """Seconds of a range, oldest first; the newest 8,000 at most."""
        rows = self._store.rows(
            _ACTIVITY,
            {
                "workspace": workspace,
                "stream_id": stream_id,
                "from": start or 0,
                "to": FOREVER_MS if end is None else end,
                "limit": 8_000 if start is not None else HOUR_MS // 1000,
            },
        )
        return [ActivityPoint.model_validate(row) for row in reversed(rows)]

    def messages(
        self,
        workspace: str,
        stream_id: str,
        start: int | None,
        end: int | None,
        *,
        min_toxicity: float,
        emotion: str,
        q: str,
        limit: int,
        cursor: str | None,
    ) -> Messages:
        """Lines of a stream, newest first. `emotion` keeps lines whose strongest label it is.

        Raises:
            BadRequestError: an unknown emotion, or a cursor that is none of ours.
        """
        if emotion and emotion not in BASIC and emotion not in EMOTIONS:
            raise BadRequestError(f"emotion must be one of {', '.join(sorted({*BASIC, *EMOTIONS}))}")
        before, before_hash = _read_cursor(cursor)
        where = {"workspace": workspace, "stream_id": stream_id}
        end = self._last_message(where) + 1 if end is None else end
        newest = min(end, before + 1)
        parameters = where | {
            "to": end,
            "before": before,
            "before_hash": before_hash,
            "q": q,
            "min_toxicity": min_toxicity,
            "basic_index": BASIC.index(emotion) + 1 if emotion in BASIC else 0,
            "emotion_index": EMOTIONS.index(emotion) + 1 if emotion and emotion not in BASIC else 0,
            "limit": limit,
        }
        rows: list[Row] = []
        for span in LOOK_BACK_MS:
            oldest = max(start or 0, newest - span)
            rows = self._store.rows(_MESSAGES, parameters | {"from": oldest})
            if len(rows) == limit or oldest == (start or 0):
                break
        more = f"{rows[-1]['sent_ms']}.{rows[-1]['hash']}" if len(rows) == limit else None
        return Messages(messages=[_message(row) for row in rows], next_cursor=_write_cursor(more))

    def _last_message(self, where: dict[str, str]) -> int:
        """When the newest line of a stream was sent, 0 without one."""
        rows = self._store.rows(_LAST_MESSAGE, where)
        return int(rows[0]["last"]) if rows else 0

    def alerts(
        self,
        workspace: str,
        stream_id: str,
        kind: str,
        state: str,
        start: int | None,
        end: int | None,
        limit: int,
    ) -> list[AlertAnswer]:
        """Alert episodes, newest first; of a stream also the waves that cover it."""
        rows = self._store.rows(
            _ALERTS, _filters(workspace, stream_id, kind, start, end, limit) | {"state": state}
        )
        return [
            AlertAnswer(
                **{
                    name: value
                    for name, value in row.items()
                    if name in AlertAnswer.model_fields and name != "why"
                },
                why=msgspec.json.decode(row["why"]),
                started_at=row["started_ms"],
                detected_at=row["detected_ms"],
                ended_at=row["ended_ms"],
            )
            for row in rows
        ]

    def events(
        self, workspace: str, stream_id: str, kind: str, start: int | None, end: int | None, limit: int
    ) -> list[Event]:
        """Channel events, newest first."""
        rows = self._store.rows(_EVENTS, _filters(workspace, stream_id, kind, start, end, limit))
        return [Event.model_validate(row) for row in rows]


def _filters(
    workspace: str, stream_id: str, kind: str, start: int | None, end: int | None, limit: int
) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "stream_id": stream_id,
        "kind": kind,
        "from": start or 0,
        "to": FOREVER_MS if end is None else end,
        "limit": limit,
    }


def _message(row: dict[str, Any]) -> Message:
    scored = row["scored"]
    return Message(
        message_id=row["message_id"],
        sent_at=row["sent_ms"],
        author=row["author"],
        text=row["text"],
        lang=row["lang"],
        emotions=strongest(dict(zip(EMOTIONS, row["emotions"], strict=False))),
        basic=dict(zip(BASIC, row["basic"], strict=False)),
        sentiment=row["sentiment"] if scored else None,
        toxicity=row["toxicity"] if scored else None,
        hate=row["hate"] if scored else None,
        sarcasm=row["sarcasm"] if scored else None,
        abstained=row["abstained"],
        scored=scored,
    )


def _write_cursor(position: str | None) -> str | None:
    return None if position is None else base64.urlsafe_b64encode(position.encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[int, str]:
    if not cursor:
        return FOREVER_MS, "0"
    try:
        at, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(".")
        if not number.isdecimal() or len(number) > 39:
            raise ValueError
        return int(at), number
    except (ValueError, binascii.Error):
        raise BadRequestError("cursor is not one that this API gave out") from None
