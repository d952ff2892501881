"""Blind: a stream from which nothing comes, not even heartbeats. The only use of processing time."""

from typing import Final

import msgspec

from pipelines.core.detection.episodes import new_alert
from pipelines.core.detection.state import ChannelState, StreamState
from schemas.records import Alert

BLIND_AFTER_MS: Final = 10_000
"""Heartbeats come every second; ten missing ones are no hiccup of the way here."""


def watch(channel: ChannelState, state: StreamState, now_ms: int) -> tuple[bool, list[Alert]]:
    """Open `blind` when nothing came for BLIND_AFTER_MS of processing time, close it when something does.

    Gives whether the stream's state changed, and the alert revisions.
    """
    if state.touched or state.alive_at < 0:
        state.touched = False
        state.alive_at = now_ms
        return True, seeing(state)
    silent_ms = now_ms - state.alive_at
    if silent_ms < BLIND_AFTER_MS or state.blind is not None or state.clock < 0:
        return False, []
    state.blind = new_alert(
        channel.workspace,
        channel.channel,
        state.stream_id,
        kind="blind",
        severity="high",
        started_at=state.clock,
        detected_at=state.clock + silent_ms,
        why={
            "silent_s": round(silent_ms / 1000, 1),
            "summary": f"No line and no heartbeat for {silent_ms / 1000:.0f} s: nobody is watching.",
        },
    )
    return True, [state.blind]


def seeing(state: StreamState) -> list[Alert]:
    """Close `blind`, where it is open, as something came."""
    if state.blind is None:
        return []
    closed = msgspec.structs.replace(
        state.blind,
        revision=state.blind.revision + 1,
        state="closed",
        ended_at=max(state.clock, state.blind.started_at),
    )
    state.blind = None
    return [closed]
