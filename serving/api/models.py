"""Shapes of the answers; all times are integer ms since the Unix epoch, UTC."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class Interval(BaseModel):
    """A mean with its 95 % interval, drawn to the channel's usual value where lines are few."""

    mean: float
    low: float
    high: float


class LabelMean(BaseModel):
    """A label and its mean score."""

    label: str
    mean: float


class Stream(BaseModel):
    """One broadcast; rate, coverage and moods are over its last minute."""

    channel: str
    platform: str
    stream_id: str
    title: str
    first_at: int
    last_at: int = Field(description="Where the stream's own clock stands.")
    last_seen_at: int = Field(description="When we last heard of it, heartbeats included (wall clock).")
    ended: bool
    freshness_s: float
    messages: int
    rate_per_s: float
    coverage: float | None = Field(description="Scored ÷ seen; null without lines.")
    sentiment: Interval | None
    toxicity: Interval | None
    top_emotions: list[LabelMean]
    open_alerts: int
    worst_severity: str | None
    spark: list[int] = Field(description="Messages of the last 60 ten-second spans, oldest first.")


class Streams(BaseModel):
    """Answer of /streams."""

    streams: list[Stream]


class WindowPoint(BaseModel):
    """One step of a stream's moods."""

    start_ms: int
    messages: int
    scored: int
    abstained: int
    coverage: float | None
    authors: int | None = Field(description="Distinct authors; null where the step is longer than a window.")
    new_authors: int
    sentiment: Interval | None
    toxicity: Interval | None
    hate: float | None
    sarcasm: float | None
    basic: dict[str, Interval]
    emotions: dict[str, float]


class Windows(BaseModel):
    """Answer of /windows."""

    stream_id: str
    step_ms: int
    points: list[WindowPoint]


class ActivityPoint(BaseModel):
    """One second of a stream as the detectors saw it, model or not."""

    channel: str
    stream_id: str
    second_ms: int
    messages: int
    authors: int
    first_time_authors: int
    duplicates: int
    links: int
    emotes: int
    sample_rate: float


class ActivityAnswer(BaseModel):
    """Answer of /activity."""

    stream_id: str
    points: list[ActivityPoint]


class Message(BaseModel):
    """One chat line; scores are null until it is scored."""

    message_id: str
    sent_at: int
    author: str = Field(description="Pseudonym, never a name.")
    text: str
    lang: str | None
    emotions: list[LabelMean] = Field(description="The three strongest.")
    basic: dict[str, float]
    sentiment: float | None
    toxicity: float | None
    hate: float | None
    sarcasm: float | None
    abstained: bool
    scored: bool


class Messages(BaseModel):
    """Answer of /messages, newest first; `next_cursor` leads to older ones, null at the end."""

    messages: list[Message]
    next_cursor: str | None


class AlertAnswer(BaseModel):
    """The newest revision of an alert episode."""

    channel: str
    stream_id: str
    alert_id: str
    revision: int
    kind: str
    severity: str
    state: str
    started_at: int
    detected_at: int
    ended_at: int | None
    why: dict[str, Any]
    evidence: list[str]
    clusters: list[str]
    authors: int
    messages: int
    playbook: str | None
    channels: list[str]
    recovered: bool | None
    recovery_s: float | None


class Alerts(BaseModel):
    """Answer of /alerts, newest first."""

    alerts: list[AlertAnswer]


class MarkRequest(BaseModel):
    """What somebody says of an alert."""

    verdict: Literal["right", "wrong", "muted"]
    note: str = Field(default="", max_length=1_000)
    mute_for_s: int | None = Field(
        default=None,
        ge=0,
        le=30 * 86_400,
        description="How long the alert's kind stays silent on its channel; 0 ends a mute; default an hour.",
    )


class Mark(BaseModel):
    """A mark as it is kept."""

    verdict: Literal["right", "wrong", "muted"]
    note: str
    marked_at: int
    mute_until: int | None


class MarksAnswer(BaseModel):
    """Answer of /alerts/{alert_id}/marks, newest first."""

    marks: list[Mark]


class Mute(BaseModel):
    """A kind of alert that nobody wants to be told of on a channel."""

    channel: str
    kind: str
    until: int


class Mutes(BaseModel):
    """Answer of /mutes."""

    mutes: list[Mute]


class PrecisionPoint(BaseModel):
    """Marked alerts that started in one step; the interval is Wilson's, at 95 %."""

    start_ms: int
    right: int
    wrong: int
    precision: float
    low: float
    high: float


class Precision(BaseModel):
    """Answer of /marks/precision; steps without a marked alert are left out."""

    step_ms: int
    points: list[PrecisionPoint]


class PreparedAction(BaseModel):
    """A moderation action that a playbook prepares; parameters that the type does not have are left out."""

    type: str
    label: str = Field(description="One sentence for people.")
    wait_s: int | None = None
    min_follow_s: int | None = None
    duration_s: int | None = None
    text: str | None = None


class Play(BaseModel):
    """What to do about alerts of a kind and severity, and why."""

    kind: str
    severity: str
    lang: str
    why: str
    steps: list[str]
    actions: list[PreparedAction]


class Event(BaseModel):
    """What happened on a channel besides chat lines."""

    channel: str
    stream_id: str
    event_id: str
    kind: str
    at: int
    received_at: int
    source: str | None
    viewers: int | None
    span_from: int | None
    span_to: int | None
    cause: str | None
    recovered: int | None
    state: str | None


class Events(BaseModel):
    """Answer of /events, newest first."""

    events: list[Event]


class Source(BaseModel):
    """A channel as its source last said; gaps, seconds and lines are of the last 24 hours."""

    channel: str
    platform: str
    state: str
    reason: str
    since: int
    gaps_24h: int
    missed_s_24h: float
    recovered_24h: int
    last_gap_at: int | None


class Sources(BaseModel):
    """Answer of /sources."""

    sources: list[Source]


class Channel(BaseModel):
    """A channel that is to be listened to; `listener` and `state` are null where no process does."""

    workspace: str
    channel: str
    added_by: Literal["file", "cli", "api"]
    added_at: int
    listener: str | None
    state: str | None
    reason: str
    heard_at: int | None


class Channels(BaseModel):
    """Answer of /channels."""

    channels: list[Channel]


class ChannelAdded(BaseModel):
    """Answer to a channel that was put on the list: its address as it is known."""

    channel: str


class Health(BaseModel):
    """Answer of /health; `degraded` where the store takes nothing or a topic lags."""

    status: Literal["ok", "degraded"]
    detail: str
    lag: dict[str, int]
    streams: int
    stalest_s: float | None


class SqlRequest(BaseModel):
    """One reading query."""

    query: str = Field(min_length=1, max_length=100_000)
    format: Literal["json", "csv", "table"] = "json"
