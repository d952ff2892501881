"""From window sums to what people see; the same for stored rows and live ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.core.indices import index_of
from schemas.labels import BASIC, EMOTIONS, SCALE
from serving.api.models import Interval, LabelMean, WindowPoint
from serving.api.norms import ChannelNorms


def interval(name: str, total: int, total_sq: int, lines: int, norms: ChannelNorms) -> Interval | None:
    """The index as mean, low, high with four decimals (the scores have no more); null without lines."""
    index = index_of(name, total, total_sq, lines, norms[name])
    if index is None:
        return None
    return Interval(mean=round(index.mean, 4), low=round(index.low, 4), high=round(index.high, 4))


def window_point(row: Mapping[str, Any], norms: ChannelNorms, authors: int | None) -> WindowPoint:
    """One point out of the sums of a window, or of several added up."""
    lines = row["scored"]

    def mean(total: int) -> float | None:
        return round(total / lines / SCALE, 4) if lines else None

    basic = {}
    for label, total, total_sq in zip(BASIC, row["basic_sum"], row["basic_sumsq"], strict=False):
        found = interval(label, total, total_sq, lines, norms)
        if found is not None:
            basic[label] = found
    return WindowPoint(
        start_ms=row["start_ms"],
        messages=row["messages"],
        scored=lines,
        abstained=row["abstained"],
        coverage=round(lines / row["messages"], 4) if row["messages"] else None,
        authors=authors,
        new_authors=row["new_authors"],
        sentiment=interval("sentiment", row["sentiment_sum"], row["sentiment_sumsq"], lines, norms),
        toxicity=interval("toxicity", row["toxicity_sum"], row["toxicity_sumsq"], lines, norms),
        hate=mean(row["hate_sum"]),
        sarcasm=mean(row["sarcasm_sum"]),
        basic=basic,
        emotions=emotion_means(row["emotion_sum"], lines),
    )


def emotion_means(totals: Sequence[int], lines: int) -> dict[str, float]:
    """Plain means of the 28 fine labels; empty without lines."""
    if not lines:
        return {}
    return {label: round(total / lines / SCALE, 4) for label, total in zip(EMOTIONS, totals, strict=False)}


def strongest(scores: Mapping[str, float], count: int = 3) -> list[LabelMean]:
    """The labels with the highest scores, highest first."""
    ranked = sorted(scores.items(), key=lambda item: -item[1])[:count]
    return [LabelMean(label=label, mean=round(score, 4)) for label, score in ranked]
