"""Mood turns, from the windows of job `score`: a side input that may be missing."""

import math
from collections.abc import Iterator
from typing import Final

from pipelines.core.baseline import LineMean
from pipelines.core.detection.state import ChannelState, Mood, StreamState
from pipelines.core.detection.view import Finding
from schemas.labels import BASIC, SCALE
from schemas.records import AlertKind

SPAN_S: Final = 20
MIN_SCORED: Final = 10
"""Scored lines in SPAN_S below which a mood is anybody's guess."""
Z95: Final = 1.96
TOXIC_RISE: Final = 0.12
"""By how much the cautious end of the interval must exceed the baseline."""
TOXIC_LEVEL: Final = 0.30
NEGATIVE_FALL: Final = 0.15
NEGATIVE_LEVEL: Final = 0.0
KEEP: Final = 0.5
"""An open episode lives on while half of the rise or fall is left."""
SHIFT_SPAN_S: Final = 30
SHIFT_SCORED: Final = 20
SHIFT_KNOWN: Final = 300
"""Lines that a channel's baseline must have seen before its mix of emotions can be unusual."""
SHIFT: Final = 0.25
"""Share of the emotions that has moved from some to others, surely so."""


class MoodTurn:
    """mood.toxic and mood.negative: the audience's mean lies beyond its own usual, surely so.

    The mean of the last SPAN_S is drawn to the channel's baseline, the more the fewer lines there are, and
    the near end of its 95 % interval has to pass the threshold. Source: credibility estimate (see `LineMean`)
    in a Shewhart-type chart with estimated limits (Montgomery, "Statistical Quality Control", ch. 6).
    """

    def step(self, second: int, stream: StreamState, channel: ChannelState) -> Iterator[Finding]:
        """Findings for the window of `second`, looked at with the fixed lag."""
        rows = [row for row in stream.recent_moods if row.second > second - SPAN_S]
        scored = sum(row.scored for row in rows)
        if scored < MIN_SCORED:
            return
        toxicity = sum(row.toxicity_sum for row in rows) / SCALE
        yield from _turn("mood.toxic", 1.0, toxicity, scored, channel.toxicity, rows, TOXIC_RISE, TOXIC_LEVEL)
        sentiment = sum(row.sentiment_sum for row in rows) / SCALE
        yield from _turn(
            "mood.negative", -1.0, sentiment, scored, channel.sentiment, rows, NEGATIVE_FALL, -NEGATIVE_LEVEL
        )


class MoodShift:
    """mood.shift: the mix of basic emotions is another than this channel's usual one, whichever way.

    The measure is the total variation distance between the mean mixes of the last SHIFT_SPAN_S and of the
    baseline, less what chance alone would give with so many lines. Sources: total variation, Levin and Peres,
    "Markov Chains and Mixing Times" (2017), 4.1; means drawn to the baseline as in `MoodTurn`.
    """

    def step(self, second: int, stream: StreamState, channel: ChannelState) -> Iterator[Finding]:
        """A finding for the window of `second`, looked at with the fixed lag."""
        rows = [row for row in stream.recent_moods if row.second > second - SHIFT_SPAN_S and row.basic_sum]
        scored = sum(row.scored for row in rows)
        if scored < SHIFT_SCORED or channel.basic[0].lines < SHIFT_KNOWN:
            return
        moved: list[float] = []
        chance = 0.0
        for usual, *sums in zip(channel.basic, *(row.basic_sum for row in rows), strict=True):
            mean, error = usual.shrunk(scored, sum(sums) / SCALE)
            moved.append(mean - usual.mean)
            chance += error
        distance = sum(map(abs, moved)) / 2 - math.sqrt(2 / math.pi) * chance / 2
        if distance < KEEP * SHIFT:
            return
        rising, falling = (
            max(range(len(moved)), key=moved.__getitem__),
            min(range(len(moved)), key=moved.__getitem__),
        )
        yield Finding(
            kind="mood.shift",
            severity="info" if distance < 2 * SHIFT else "low",
            strong=distance >= SHIFT,
            since=rows[0].second,
            why={
                "distance": round(distance, 3),
                "rising": BASIC[rising],
                "rise": round(moved[rising], 3),
                "falling": BASIC[falling],
                "fall": round(moved[falling], 3),
                "scored_lines_30s": scored,
                "summary": f"The mood has turned to {BASIC[rising]} (+{moved[rising]:.2f}) from "
                f"{BASIC[falling]} ({moved[falling]:.2f}) over {scored} lines.",
            },
            authors=frozenset(),
            messages=scored,
            fresh=rows[-1].scored,
        )


def _turn(
    kind: AlertKind,
    sign: float,
    total: float,
    scored: int,
    usual: LineMean,
    rows: list[Mood],
    rise: float,
    level: float,
) -> Iterator[Finding]:
    mean, error = usual.shrunk(scored, total)
    beyond = sign * (mean - usual.mean)
    if beyond < KEEP * rise:
        return
    strong = beyond - Z95 * error >= rise and sign * mean >= level
    name = "toxicity" if kind == "mood.toxic" else "sentiment"
    yield Finding(
        kind=kind,
        severity="medium" if beyond < 2 * rise else "high",
        strong=strong,
        since=rows[0].second,
        why={
            name: round(mean, 3),
            "interval": round(Z95 * error, 3),
            "baseline": round(usual.mean, 3),
            "z": round(beyond / math.sqrt(max(usual.var, 1e-6) / scored), 1),
            "scored_lines_20s": scored,
            "summary": f"Mean {name} {mean:.2f} ± {Z95 * error:.2f} over {scored} lines; "
            f"usual here is {usual.mean:.2f}.",
        },
        authors=frozenset(),
        messages=scored,
        fresh=rows[-1].scored,
    )
