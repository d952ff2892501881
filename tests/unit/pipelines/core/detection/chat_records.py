"""Small builders of records for the detection tests; times are seconds on the stream's clock."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from pipelines.core.detection.engine import Engine, Output
from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import Alert, AuthorFlags, ChatEvent, ChatMessage, Emote, Window

START_MS = 1_700_000_000_000
CHANNEL = "twitch:channel"
STREAM = "broadcast"
YOUNG_S = 3 * 24 * 3600
WORDS = ("left", "right", "map", "song", "game", "boss", "cat", "dog", "rain", "tea", "level", "door", "key")
_ids = count()


def say(
    at_s: float,
    author: str,
    text: str,
    *,
    stream: str = STREAM,
    channel: str = CHANNEL,
    flags: AuthorFlags | None = None,
    emotes: Sequence[str] = (),
    message_id: str | None = None,
) -> ChatMessage:
    at = START_MS + round(at_s * 1000)
    return ChatMessage(
        channel=channel,
        stream_id=stream,
        message_id=message_id or f"m{next(_ids)}",
        kind="message",
        sent_at=at,
        received_at=at,
        expires_at=at + 1,
        author=author,
        text=text,
        author_flags=flags or AuthorFlags(),
        emotes=tuple(Emote(name) for name in emotes),
    )


def beat(
    from_s: float,
    to_s: float | None = None,
    *,
    closing: bool = False,
    stream: str = STREAM,
    channel: str = CHANNEL,
) -> ChatMessage:
    start = START_MS + round(from_s * 1000)
    end = start if to_s is None else START_MS + round(to_s * 1000)
    return ChatMessage(
        channel=channel,
        stream_id=stream,
        message_id=f"h{next(_ids)}",
        kind="heartbeat",
        sent_at=end,
        received_at=end,
        expires_at=end + 1,
        span_from=start,
        span_to=end,
        closing=closing,
    )


def raid_event(at_s: float, viewers: int) -> ChatEvent:
    at = START_MS + round(at_s * 1000)
    return ChatEvent(
        channel=CHANNEL,
        stream_id=STREAM,
        event_id="e1",
        kind="raid",
        at=at,
        received_at=at,
        expires_at=at + 1,
        viewers=viewers,
    )


def window(
    at_s: int, messages: int, *, sentiment: float, toxicity: float, mix: Mapping[str, float] | None = None
) -> Window:
    """A 1 s window whose lines all score alike; `mix` are shares of basic emotions, the others none."""
    none = (0,) * len(EMOTIONS)
    basic = [round((mix or {}).get(label, 0.0) * SCALE) for label in BASIC]
    mood, harm = round(sentiment * SCALE), round(toxicity * SCALE)
    return Window(
        channel=CHANNEL,
        stream_id=STREAM,
        size_ms=1000,
        start_ms=START_MS + at_s * 1000,
        messages=messages,
        scored=messages,
        abstained=0,
        authors_in_window=messages,
        new_authors=0,
        emotion_sum=none,
        emotion_sumsq=none,
        basic_sum=tuple(share * messages for share in basic),
        basic_sumsq=tuple(share * share * messages for share in basic),
        sentiment_sum=mood * messages,
        sentiment_sumsq=mood * mood * messages,
        toxicity_sum=harm * messages,
        toxicity_sumsq=harm * harm * messages,
        hate_sum=0,
        sarcasm_sum=0,
        sample_rate=1.0,
        max_lag_ms=0,
    )


def small_talk(from_s: int, to_s: int, every_s: float = 2.0, people: int = 20) -> list[ChatMessage]:
    """Regulars who say different things at an even pace."""
    steps = int((to_s - from_s) / every_s)
    return [
        say(
            from_s + step * every_s,
            f"regular{step % people}",
            " ".join([*(WORDS[step * factor % len(WORDS)] for factor in (1, 7, 3, 11)), str(step)]),
        )
        for step in range(steps)
    ]


def in_order(*parts: Iterable[ChatMessage]) -> list[ChatMessage]:
    return sorted((record for part in parts for record in part), key=lambda record: record.sent_at)


def run(records: Iterable[ChatMessage | ChatEvent | Window]) -> Output:
    return Engine().process(records)


def opened(output: Output, kind: str) -> list[Alert]:
    return [alert for alert in output.alerts if alert.kind == kind and alert.state == "open"]


def newest(output: Output, kind: str) -> list[Alert]:
    """The newest revision of each episode of a kind."""
    return list({alert.alert_id: alert for alert in output.alerts if alert.kind == kind}.values())
