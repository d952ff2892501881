"""Windows computed directly from scored lines: the reference for the Flink job, and the offline way."""

from collections import defaultdict
from collections.abc import Iterable

from schemas.labels import BASIC, EMOTIONS, SCALE
from schemas.records import ScoredMessage, Window


def aggregate(scored: Iterable[ScoredMessage], size_ms: int) -> list[Window]:
    """The windows of `size_ms` that hold these lines, by stream and start (see `schemas.records.Window`).

    Args:
        scored: lines in order of arrival, each message id once; those with `counted` = false are left out.
        size_ms: window length; starts are multiples of it since the epoch.
    """
    groups: dict[tuple[str, str, str, int], list[tuple[ScoredMessage, bool]]] = defaultdict(list)
    seen: set[tuple[str, str, str]] = set()
    for line in scored:
        if not line.counted:
            continue
        author = (line.workspace, line.stream_id, line.author)
        key = (line.workspace, line.channel, line.stream_id, line.sent_at - line.sent_at % size_ms)
        groups[key].append((line, author not in seen))
        seen.add(author)
    return [_window(key, size_ms, lines) for key, lines in sorted(groups.items())]


def _window(key: tuple[str, str, str, int], size_ms: int, lines: list[tuple[ScoredMessage, bool]]) -> Window:
    workspace, channel, stream_id, start_ms = key
    told = [line for line, _ in lines if not line.abstained]
    emotions = [[_scaled(line.emotions[label]) for line in told] for label in EMOTIONS]
    basic = [[_scaled(line.basic[label]) for line in told] for label in BASIC]
    sentiment = [_scaled(line.sentiment) for line in told]
    toxicity = [_scaled(line.toxicity) for line in told]
    return Window(
        workspace=workspace,
        channel=channel,
        stream_id=stream_id,
        size_ms=size_ms,
        start_ms=start_ms,
        messages=len(lines),
        scored=len(told),
        abstained=len(lines) - len(told),
        authors_in_window=len({line.author for line, _ in lines}),
        new_authors=sum(new for _, new in lines),
        emotion_sum=tuple(map(sum, emotions)),
        emotion_sumsq=tuple(map(_sumsq, emotions)),
        basic_sum=tuple(map(sum, basic)),
        basic_sumsq=tuple(map(_sumsq, basic)),
        sentiment_sum=sum(sentiment),
        sentiment_sumsq=_sumsq(sentiment),
        toxicity_sum=sum(toxicity),
        toxicity_sumsq=_sumsq(toxicity),
        hate_sum=sum(_scaled(line.hate) for line in told),
        sarcasm_sum=sum(_scaled(line.sarcasm) for line in told),
        sample_rate=1.0,
        max_lag_ms=max(max(0, line.scored_at - line.received_at) for line, _ in lines),
    )


def _scaled(score: float) -> int:
    return round(score * SCALE)


def _sumsq(values: list[int]) -> int:
    return sum(value * value for value in values)
