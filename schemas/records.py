"""Record types of all topics; the JSON schemas in `messages/` are generated from them and diffed by a test.

All times are integer milliseconds since the Unix epoch, UTC. Optional fields may be added to a version;
anything that would break a reader needs a new version (see `tests/contract`).
"""

from typing import Literal

import msgspec

PLATFORMS = ("twitch", "youtube", "telegram", "replay", "simulator")

Kind = Literal["message", "heartbeat"]
EventKind = Literal[
    "raid", "sub", "gift", "stream_up", "stream_down", "deletion", "ban", "room_state", "gap", "source_state"
]
AlertKind = Literal[
    "attack.raid",
    "attack.wave",
    "flood.account",
    "spam.links",
    "raid.friendly",
    "hype",
    "copypasta",
    "mood.negative",
    "mood.toxic",
    "mood.shift",
    "mention",
    "blind",
]
Severity = Literal["info", "low", "medium", "high", "critical"]
AlertState = Literal["open", "update", "closed"]
SourceState = Literal["connecting", "live", "degraded", "offline", "blocked"]
OpinionReason = Literal["toxicity", "sarcasm", "sentiment", "alert"]
"""The figure that lies near its decision line, or an open alert of the stream."""
ErrorClass = Literal[
    "not_json",
    "wrong_type",
    "missing_field",
    "oversized",
    "unknown_version",
    "absurd_time",
    "empty_record",
    "source_line",
    "refused_by_model",
]


class Emote(msgspec.Struct, frozen=True):
    """An emote in the text; `start` and `end` (exclusive) are code-point offsets, null where unknown."""

    name: str
    provider: str = "unknown"
    start: int | None = None
    end: int | None = None


class AuthorFlags(msgspec.Struct, frozen=True):
    """What the platform says of an author; null means that it did not say."""

    subscriber: bool | None = None
    moderator: bool | None = None
    vip: bool | None = None
    first_message: bool | None = None
    account_age_s: int | None = None


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """chat.messages.v1: one chat line, or one heartbeat of a stream that was silent.

    A heartbeat has an empty text and author. It may cover a silent span (`from`..`to`); a closing one ends
    the stream. `author` is `key id.HMAC`, never a name.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    message_id: str
    kind: Kind
    sent_at: int
    received_at: int
    expires_at: int
    author: str = ""
    author_flags: AuthorFlags = AuthorFlags()
    text: str = ""
    emotes: tuple[Emote, ...] = ()
    reply_to: str | None = None
    amount: float | None = None
    lang: str | None = None
    span_from: int | None = msgspec.field(default=None, name="from")
    span_to: int | None = msgspec.field(default=None, name="to")
    closing: bool = False


class ScoredMessage(ChatMessage, frozen=True, kw_only=True):
    """chat.scored.v1: a chat line with its scores, each rounded to 1 / labels.SCALE.

    `abstained` lines (unsupported language, nothing left after cleaning) carry figures that stay out of
    windows. `late_ms` is how far the line lay behind its stream's clock when it came; lines later than the
    window state's span have `counted` = false: they are stored, but no window holds them.
    """

    emotions: dict[str, float]
    basic: dict[str, float]
    sentiment: float
    toxicity: float
    hate: float
    sarcasm: float
    model: str
    model_version: str
    scored_at: int
    abstained: bool
    late_ms: int = 0
    counted: bool = True


class ChatEvent(msgspec.Struct, frozen=True, kw_only=True):
    """chat.events.v1: what happened on a channel besides chat lines."""

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    event_id: str
    kind: EventKind
    at: int
    received_at: int
    expires_at: int
    source: str | None = None
    """Raiding channel or acting moderator, pseudonymised; null where unknown."""
    viewers: int | None = None
    target_message_id: str | None = None
    target_author: str | None = None
    span_from: int | None = msgspec.field(default=None, name="from")
    span_to: int | None = msgspec.field(default=None, name="to")
    cause: str | None = None
    recovered: int | None = None
    state: str | None = None
    """Of kind source_state: connecting, live, degraded, offline or blocked."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.windows.v1: counts and integer sums of one stream over [start_ms, start_ms + size_ms).

    Sums are over counted lines that did not abstain, of round(score * labels.SCALE); `*_sumsq` are sums of
    the squares of those integers; arrays are in the order of `labels.EMOTIONS` and `labels.BASIC`.
    `authors_in_window` is exact and may never be added up over windows. A later row of the same key has
    `messages` at least as large and replaces the earlier one.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    size_ms: int
    start_ms: int
    messages: int
    scored: int
    abstained: int
    authors_in_window: int
    new_authors: int
    emotion_sum: tuple[int, ...]
    emotion_sumsq: tuple[int, ...]
    basic_sum: tuple[int, ...]
    basic_sumsq: tuple[int, ...]
    sentiment_sum: int
    sentiment_sumsq: int
    toxicity_sum: int
    toxicity_sumsq: int
    hate_sum: int
    sarcasm_sum: int
    sample_rate: float
    max_lag_ms: int
    """Largest scored_at - received_at of a line in the window."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.activity.v1: what `detect` saw in one second of a stream, model or not."""

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    second_ms: int
    messages: int
    authors: int
    first_time_authors: int
    duplicates: int
    """Lines of that second whose fingerprint cluster held lines of other accounts."""
    links: int
    emotes: int
    sample_rate: float = 1.0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.alerts.v1: one revision of an alert episode; the key is `alert_id`, the newest revision counts.

    `alert_id` = hash of stream, kind and episode start. Times are on the stream's own clock.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    alert_id: str
    revision: int
    kind: AlertKind
    severity: Severity
    state: AlertState
    started_at: int
    detected_at: int
    ended_at: int | None
    why: dict[str, float | int | str]
    """The numbers that crossed, by name, and `summary`: one English sentence for people."""
    evidence: tuple[str, ...] = ()
    """Message ids, at most 50."""
    clusters: tuple[str, ...] = ()
    """Fingerprints (hex) of the texts involved, at most 10."""
    authors: int = 0
    messages: int = 0
    playbook: str | None = None
    """What to do: `kind/severity` of `schemas/playbooks`."""
    channels: tuple[str, ...] = ()
    """The stream ids that a wave covers; otherwise the one stream."""
    recovered: bool | None = None
    """At the close: whether the audience's index was usual again; null while open and without scores.

    The index is the toxicity for hostile kinds and mood.toxic, the sentiment for all others.
    """
    recovery_s: float | None = None
    """Seconds from `detected_at` until it was; 0 where it was usual all along, null where it was not."""


class ScoreDifference(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.shadow.v1: one line of a sample as the model in service and a candidate score it.

    Holds no text and no author. Figures are by name (`toxicity`, `basic.joy`, `emotions.love`, …), rounded to
    1 / labels.SCALE. A line that comes twice gives the same record again but for `compared_at`.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    message_id: str
    sent_at: int
    expires_at: int
    compared_at: int
    model: str
    model_version: str
    candidate: str
    candidate_version: str
    share: float
    """Share of all lines that the sample holds."""
    lang: str | None
    candidate_lang: str | None
    abstained: bool
    candidate_abstained: bool
    scores: dict[str, float]
    """Figures of the model in service."""
    candidate_scores: dict[str, float]
    """Figures of the candidate, under the same names."""


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.opinions.v1: one scored line as a large language model reads it, beside the scores of the model.

    Holds no text and no author. Of the records of a line and a language model the
    newest `given_at` counts.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    stream_id: str
    message_id: str
    sent_at: int
    expires_at: int
    given_at: int
    reason: OpinionReason
    """Why it was asked."""
    lang: str | None
    model: str
    """The model in service, and below its figures."""
    model_version: str
    sentiment: float
    toxicity: float
    sarcasm: float
    opinion_model: str
    """The language model, and below what it says in the same units."""
    prompt_version: str
    opinion_sentiment: float
    opinion_toxicity: float
    opinion_sarcasm: float
    cached: bool
    """Whether the opinion was given of an earlier line with the same canonical text."""


def playbook_id(kind: AlertKind, severity: Severity) -> str:
    """How an alert names its playbook: `kind/severity`."""
    return f"{kind}/{severity}"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """chat.dlq.v1: a record that could not be read, with its original bytes.

    The key `dlq_id` is the position (`topic/partition/offset`, or `file:line` with the run), so a repeated
    dead letter is the same dead letter.
    """

    schema_version: Literal[1] = 1
    dlq_id: str
    workspace: str = "default"
    stage: str
    """Who refused it: `score` or the connector's name."""
    source: str
    """Topic, or file name of a replay."""
    partition: int
    position: int
    """Offset in the topic, or line number (from 1) in the file."""
    error_class: ErrorClass
    error: str
    """What was wrong and where; holds no text of the record."""
    raw: bytes
    """The original bytes; base64 in JSON."""
    seen_at: int


class FollowedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.channels.v1: a channel that is to be listened to; the topic's newest record of a key counts.

    The key is `workspace|channel`; a record without a value takes the channel off the list.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    channel: str
    """`platform:name`."""
    added_at: int
    added_by: Literal["file", "cli", "api"]
    """A channels file takes back only what it added itself."""


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.erasures.v1: what is to be forgotten of a person, keyed by `workspace|author`; the newest counts.

    Lines sent up to `erase_before` leave the store; of an author who is `opted_out` no line reaches Kafka any
    more, and none that is still on its way is shown.
    """

    schema_version: Literal[1] = 1
    workspace: str = "default"
    author: str
    """The pseudonym, which is one platform's."""
    requested_at: int
    erase_before: int
    opted_out: bool = False


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where one channel stands, as the process that listens to it sees it."""

    workspace: str = "default"
    channel: str
    state: SourceState
    reason: str = ""
    heard_at: int | None = None
    """Up to when the channel was surely heard; null where it never was."""


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """pulse.listeners.v1: a sign of life of one process that listens to channels, keyed by its name.

    One that gives none for some seconds of the broker's time counts as dead, and the others take its channels
    over. One that is leaving owns none any more, but hears its channels until the others do.
    """

    schema_version: Literal[1] = 1
    listener: str
    started_at: int
    beat_at: int
    phase: Literal["listening", "leaving", "left"] = "listening"
    sources: tuple[SourceStatus, ...] = ()
