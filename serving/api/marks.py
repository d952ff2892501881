"""What people say of alerts: kept in the store, told as precision over time, honoured by the notifier."""

import math
import time
from collections.abc import Callable
from typing import Final

from serving.api.history import FOREVER_MS, BadRequestError
from serving.api.models import Mark, MarkRequest, Mute, PrecisionPoint
from serving.api.store import Store

DEFAULT_MUTE_S: Final = 3_600
MAX_POINTS: Final = 5_000
_Z95: Final = 1.96

_KNOWN: Final = "SELECT 1 FROM alerts WHERE workspace = {workspace:String} AND alert_id = {alert_id:String}"
_INSERT: Final = """
INSERT INTO alert_marks
    (workspace, alert_id, marked_at, verdict, note, mute_until, channel, kind, severity, started_at,
    expires_at)
SELECT
    a.workspace, a.alert_id, fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {verdict:String}, {note:String},
    if({mute_until:Int64} = 0, NULL, fromUnixTimestamp64Milli({mute_until:Int64}, 'UTC')),
    a.channel, a.kind, a.severity, a.started_at, a.expires_at
FROM alert_revisions AS a FINAL
WHERE a.workspace = {workspace:String} AND a.alert_id = {alert_id:String}
"""
_OF_ALERT: Final = """
SELECT verdict, note, toUnixTimestamp64Milli(m.marked_at) AS marked_at,
    toUnixTimestamp64Milli(m.mute_until) AS mute_until
FROM marks AS m
WHERE workspace = {workspace:String} AND alert_id = {alert_id:String}
ORDER BY m.marked_at DESC
LIMIT 200
"""
_PRECISION: Final = """
SELECT intDiv(toUnixTimestamp64Milli(l.started_at), {step:Int64}) * {step:Int64} AS start_ms,
    countIf(label = 1) AS right, countIf(label = 0) AS wrong
FROM alert_labels AS l
WHERE workspace = {workspace:String} AND ({kind:String} = '' OR kind = {kind:String})
    AND l.started_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND l.started_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY start_ms
ORDER BY start_ms
LIMIT {limit:UInt32}
"""
_MUTES: Final = """
SELECT channel, kind, toUnixTimestamp64Milli(argMax(m.mute_until, m.marked_at)) AS until
FROM marks AS m
WHERE workspace = {workspace:String} AND verdict = 'muted'
GROUP BY channel, kind
HAVING until > {now:Int64}
"""


class Marks:
    """Marks over the store; any number of threads."""

    def __init__(self, store: Store, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._store, self._now_ms = store, now_ms

    def add(self, workspace: str, alert_id: str, request: MarkRequest) -> Mark | None:
        """Keep a mark; None where the alert is not known.

        Raises:
            BadRequestError: a mute's length without a mute.
        """
        if request.mute_for_s is not None and request.verdict != "muted":
            raise BadRequestError("mute_for_s goes with the verdict `muted` only")
        if not self._store.rows(_KNOWN, {"workspace": workspace, "alert_id": alert_id}):
            return None
        at, until = self._now_ms(), None
        if request.verdict == "muted":
            span_s = DEFAULT_MUTE_S if request.mute_for_s is None else request.mute_for_s
            until = at + span_s * 1000
        self._store.write(
            _INSERT,
            {
                "workspace": workspace,
                "alert_id": alert_id,
                "at": at,
                "verdict": request.verdict,
                "note": request.note,
                "mute_until": until or 0,
            },
        )
        return Mark(verdict=request.verdict, note=request.note, marked_at=at, mute_until=until)

    def of(self, workspace: str, alert_id: str) -> list[Mark]:
        """The marks of an alert, newest first."""
        rows = self._store.rows(_OF_ALERT, {"workspace": workspace, "alert_id": alert_id})
        return [Mark.model_validate(row) for row in rows]

    def precision(
        self, workspace: str, start: int | None, end: int | None, step_ms: int, kind: str
    ) -> list[PrecisionPoint]:
        """Share of marked alerts that were right, by the time at which they started; no empty steps."""
        rows = self._store.rows(
            _PRECISION,
            {
                "workspace": workspace,
                "kind": kind,
                "from": start or 0,
                "to": FOREVER_MS if end is None else end,
                "step": step_ms,
                "limit": MAX_POINTS,
            },
        )
        return [_point(row["start_ms"], row["right"], row["wrong"]) for row in rows]

    def mutes(self, workspace: str) -> list[Mute]:
        """Which kinds of alert are muted on which channels now, and until when."""
        rows = self._store.rows(_MUTES, {"workspace": workspace, "now": self._now_ms()})
        return [Mute.model_validate(row) for row in rows]


def _point(start_ms: int, right: int, wrong: int) -> PrecisionPoint:
    """Precision with its 95 % Wilson score interval (Wilson 1927; good for small counts)."""
    total = right + wrong
    share, z2 = right / total, _Z95 * _Z95
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    return PrecisionPoint(
        start_ms=start_ms,
        right=right,
        wrong=wrong,
        precision=share,
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
    )
