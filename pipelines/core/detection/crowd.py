"""The newcomers of the last minutes, and how hostile each one looks."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from pipelines.core.detection.lines import (
    AGED,
    GREETING,
    INSULT,
    LINK,
    LOW_CONTENT,
    NEWCOMER,
    OBFUSCATED,
    TRUSTED,
    YOUNG,
    Line,
)
from pipelines.core.detection.state import ChannelState, Newcomer, StreamState
from schemas.labels import SCALE

SLOW_S: Final = 180
"""Seconds after the last line for which a newcomer belongs to the crowd."""
NOTICE_S: Final = 180
"""Seconds after a raid notice in which newcomers are taken for its guests."""
HOSTILE_SCORE: Final = 0.8
"""An insult alone, even from an old account."""
SUSPICIOUS_SCORE: Final = 0.5
COORDINATED: Final = 3
"""Newcomers with one text that count as coordinated."""

_WEIGHTS: Final = (
    (YOUNG, 0.6),
    (OBFUSCATED, 0.5),
    (INSULT, 0.9),
    (LINK, 0.2),
    (GREETING, -0.4),
    (AGED, -0.1),
)
_COORDINATION: Final = 0.45
_EMOTES: Final = -0.3
"""Guests of a friendly raid paste their channel's raid line, full of its emotes."""
_ANNOUNCED: Final = -0.3
TOXIC_WEIGHT: Final = 2.0
"""Per unit of the chat's excess toxicity, up to TOXIC_MOST: a toxic moment adds to other evidence."""
TOXIC_MOST: Final = 0.3
_LONE_REACTION: Final = -0.2
_MOOD_SPAN_S: Final = 20
_Z95: Final = 1.96


class Crowd(msgspec.Struct, frozen=True):
    """Newcomers by author with their scores, as they stand after one second's lines."""

    newcomers: dict[int, Newcomer]
    scores: dict[int, float]
    """Additive evidence, a naive Bayes log-odds with weights set by hand: account age, text shared with other
    newcomers, insults, obfuscation, links; greetings and emotes speak for a guest."""
    announced: bool
    """A raid notice came within NOTICE_S."""

    def arrived(self, second: int) -> int:
        """Newcomers of this second who look hostile at once."""
        return sum(
            n.first == second and self.scores[author] >= HOSTILE_SCORE for author, n in self.newcomers.items()
        )


def gather(second: int, lines: Sequence[Line], stream: StreamState, channel: ChannelState) -> Crowd | None:
    """The crowd of this second; None where no newcomer spoke in it and no raid was announced."""
    announced = 0 <= second - stream.notice_at < NOTICE_S
    if not announced and not any(line.flags & NEWCOMER for line in lines):
        return None
    newcomers = {author: n for author, n in stream.newcomers.items() if n.last > second - SLOW_S}
    texts = Counter(n.key for n in newcomers.values() if n.key)
    toxic = min(TOXIC_MOST, TOXIC_WEIGHT * _toxicity_excess(second, stream, channel))
    scores = {author: _score(n, texts, toxic, announced) for author, n in newcomers.items()}
    return Crowd(newcomers, scores, announced)


def _score(newcomer: Newcomer, texts: Counter[int], toxic: float, announced: bool) -> float:
    flags = newcomer.flags
    if flags & TRUSTED:
        return 0.0
    score = _weigh(flags)
    if newcomer.key and texts[newcomer.key] >= COORDINATED:
        score += _COORDINATION
    score += toxic
    if flags & LOW_CONTENT and not newcomer.key:
        score += _LONE_REACTION
    if not flags & INSULT:
        score += _EMOTES * bool(newcomer.emotes) + _ANNOUNCED * announced
    return score


@lru_cache(maxsize=4_096)
def _weigh(flags: int) -> float:
    return sum(weight for flag, weight in _WEIGHTS if flags & flag)


def _toxicity_excess(second: int, stream: StreamState, channel: ChannelState) -> float:
    """How far the shrunk toxicity of the last _MOOD_SPAN_S lies above the baseline, cautiously; else 0."""
    rows = [row for row in stream.recent_moods if row.second > second - _MOOD_SPAN_S]
    scored = sum(row.scored for row in rows)
    if not scored:
        return 0.0
    mean, error = channel.toxicity.shrunk(scored, sum(row.toxicity_sum for row in rows) / SCALE)
    return max(0.0, mean - _Z95 * error - channel.toxicity.mean)
