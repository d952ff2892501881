"""The list of streams: what an operator sees at a glance."""

import time
from collections.abc import Callable
from typing import Any, Final

from schemas.records import Severity
from serving.api.models import Stream
from serving.api.norms import Norms
from serving.api.points import emotion_means, interval, strongest
from serving.api.store import Row, Store

SEVERITIES: Final[tuple[Severity, ...]] = ("info", "low", "medium", "high", "critical")

_RECENT_MS: Final = 60_000
_BUCKET_MS: Final = 10_000
_SPARK: Final = 60
_STILL_S: Final = 60.0
_UNSCORED_MS: Final = 5_000
"""The newest lines have no scores yet; they do not count against the coverage."""

_SPANS: Final = """
SELECT channel, platform, stream_id, toUnixTimestamp64Milli(s.first_at) AS first_at,
    toUnixTimestamp64Milli(s.last_seen_at) AS last_at,
    toUnixTimestamp64Milli(s.last_received_at) AS last_seen_at, ended
FROM streams AS s
WHERE workspace = {workspace:String} AND s.last_received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY s.last_received_at DESC
LIMIT 500
"""
_TOTALS: Final = """
SELECT stream_id, sum(w.messages) AS messages
FROM windows AS w
WHERE workspace = {workspace:String} AND size_ms = 10000 AND stream_id IN {ids:Array(String)}
GROUP BY stream_id
"""
_RECENT: Final = """
WITH mapFromArrays({ids:Array(String)}, {ends:Array(Int64)}) AS ends,
    ends[stream_id] - {recent:Int64} AS since
SELECT stream_id,
    sumIf(w.messages, start_ms >= since) AS recent_messages, sumIf(w.scored, start_ms >= since) AS scored,
    sumIf(w.sentiment_sum, start_ms >= since) AS sentiment_sum,
    sumIf(w.sentiment_sumsq, start_ms >= since) AS sentiment_sumsq,
    sumIf(w.toxicity_sum, start_ms >= since) AS toxicity_sum,
    sumIf(w.toxicity_sumsq, start_ms >= since) AS toxicity_sumsq,
    sumForEachIf(w.emotion_sum, start_ms >= since) AS emotion_sum,
    groupArrayIf((start_ms, w.messages), start_ms > ends[stream_id] - {spark:Int64}) AS buckets
FROM windows AS w
WHERE workspace = {workspace:String} AND size_ms = 10000 AND stream_id IN {ids:Array(String)}
    AND start_ms > {oldest:Int64}
GROUP BY stream_id
"""
_ACTIVITY: Final = """
SELECT stream_id, intDiv(second_ms, 10000) * 10000 AS start_ms, sum(a.messages) AS messages
FROM activity AS a
WHERE workspace = {workspace:String} AND stream_id IN {ids:Array(String)} AND second_ms >= {since:Int64}
GROUP BY stream_id, start_ms
"""
_ALERTS: Final = """
SELECT stream, count() AS open_alerts, max(indexOf({severities:Array(String)}, severity)) AS worst
FROM
(
    SELECT severity, arrayJoin(arrayDistinct(arrayConcat([stream_id], channels))) AS stream
    FROM alerts
    WHERE workspace = {workspace:String} AND state != 'closed'
)
GROUP BY stream
"""


class StreamList:
    """Reads the streams of a workspace; any number of threads."""

    def __init__(self, store: Store, norms: Norms, wall: Callable[[], float] = time.time) -> None:
        self._store, self._norms, self._wall = store, norms, wall
        self._still_known: dict[str, tuple[float, tuple[str, ...], dict[str, Row]]] = {}

    def read(self, workspace: str, active_within_s: int | None = None) -> list[Stream]:
        """Streams heard of within the span (all without one), the last heard first, at most 500."""
        now_ms = int(self._wall() * 1000)
        since = 0 if active_within_s is None else now_ms - active_within_s * 1000
        spans = self._store.rows(_SPANS, {"workspace": workspace, "since": since})
        if not spans:
            return []
        live = [row for row in spans if now_ms - row["last_seen_at"] < _SPARK * _BUCKET_MS]
        by_stream = self._still(workspace, [row for row in spans if row not in live])
        by_stream |= self._sums(workspace, live)
        alerts = self._store.rows(_ALERTS, {"workspace": workspace, "severities": list(SEVERITIES)})
        open_alerts = {row["stream"]: row for row in alerts}
        seen = self._seen(workspace, [row for row in live if not row["ended"]])
        return [
            self._stream(
                workspace,
                row,
                by_stream.get(row["stream_id"], {}),
                seen.get(row["stream_id"], {}),
                open_alerts.get(row["stream_id"], {}),
                now_ms,
            )
            for row in spans
        ]

    def _still(self, workspace: str, spans: list[Row]) -> dict[str, Row]:
        """Sums of streams that nothing was heard of for ten minutes, read once a minute."""
        ids = tuple(row["stream_id"] for row in spans)
        at, known_ids, known = self._still_known.get(workspace, (0.0, (), {}))
        now = self._wall()
        if known_ids != ids or now - at >= _STILL_S:
            known = self._sums(workspace, spans)
            self._still_known[workspace] = (now, ids, known)
        return dict(known)

    def _sums(self, workspace: str, spans: list[Row]) -> dict[str, Row]:
        """By stream: messages in all, sums over its last minute, counts of its last ten minutes."""
        if not spans:
            return {}
        ids, ends = [row["stream_id"] for row in spans], [row["last_at"] for row in spans]
        sums = {
            row["stream_id"]: row for row in self._store.rows(_TOTALS, {"workspace": workspace, "ids": ids})
        }
        recent = self._store.rows(
            _RECENT,
            {
                "workspace": workspace,
                "ids": ids,
                "ends": ends,
                "recent": _RECENT_MS,
                "spark": _SPARK * _BUCKET_MS,
                "oldest": min(ends) - _SPARK * _BUCKET_MS,
            },
        )
        for row in recent:
            sums.setdefault(row["stream_id"], {}).update(row)
        return sums

    def _seen(self, workspace: str, spans: list[Row]) -> dict[str, dict[int, int]]:
        """Lines per ten seconds that the detectors saw on streams still running: these need no model."""
        seen: dict[str, dict[int, int]] = {}
        if spans:
            since = min(row["last_at"] for row in spans) - _SPARK * _BUCKET_MS
            ids = [row["stream_id"] for row in spans]
            for row in self._store.rows(_ACTIVITY, {"workspace": workspace, "ids": ids, "since": since}):
                seen.setdefault(row["stream_id"], {})[row["start_ms"]] = row["messages"]
        return seen

    def _stream(
        self, workspace: str, span: Row, sums: Row, seen: dict[int, int], alerts: Row, now_ms: int
    ) -> Stream:
        channel, last_at = span["channel"], span["last_at"]
        counted = {int(start): int(count) for start, count in sums.get("buckets", [])}
        buckets = {start: max(counted.get(start, 0), seen.get(start, 0)) for start in counted.keys() | seen}
        newest = last_at - last_at % _BUCKET_MS
        starts = range(newest - (_SPARK - 1) * _BUCKET_MS, newest + 1, _BUCKET_MS)
        scored = sums.get("scored", 0)
        norms = self._norms.of(workspace, channel)

        def mood(name: str) -> Any:
            return (
                interval(name, sums[f"{name}_sum"], sums[f"{name}_sumsq"], scored, norms) if scored else None
            )

        return Stream(
            channel=channel,
            platform=span["platform"],
            stream_id=span["stream_id"],
            title=channel.partition(":")[2],
            first_at=span["first_at"],
            last_at=last_at,
            last_seen_at=span["last_seen_at"],
            ended=span["ended"],
            freshness_s=max(0.0, round((now_ms - span["last_seen_at"]) / 1000, 3)),
            messages=max(sums.get("messages", 0), sum(buckets.values())),
            rate_per_s=round(_rate(buckets, last_at), 3),
            coverage=_coverage(sums, seen, last_at),
            sentiment=mood("sentiment"),
            toxicity=mood("toxicity"),
            top_emotions=strongest(emotion_means(sums.get("emotion_sum", []), scored)),
            open_alerts=alerts.get("open_alerts", 0),
            worst_severity=SEVERITIES[alerts["worst"] - 1] if alerts.get("worst") else None,
            spark=[buckets.get(start, 0) for start in starts],
        )


def _rate(buckets: dict[int, int], last_at: int) -> float:
    """Messages per second over the last minute of the stream's clock, by whole and begun buckets."""
    newest = last_at - last_at % _BUCKET_MS
    oldest = newest - _RECENT_MS + _BUCKET_MS
    lines = sum(count for start, count in buckets.items() if start >= oldest)
    return lines / max((last_at - oldest) / 1000, 1.0)


def _coverage(sums: Row, seen: dict[int, int], last_at: int) -> float | None:
    """Scored ÷ seen over the last minute."""
    since = last_at - _RECENT_MS
    noticed = sum(
        count
        for start, count in seen.items()
        if start >= since and start + _BUCKET_MS <= last_at - _UNSCORED_MS
    )
    lines = max(sums.get("recent_messages", 0), noticed)
    return round(min(sums.get("scored", 0) / lines, 1.0), 4) if lines else None
