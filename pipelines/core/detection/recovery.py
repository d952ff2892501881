"""Whether the audience was back to usual when an episode closed, and how long after the warning that was.

The index of a hostile kind and of mood.toxic is the toxicity, that of all others the sentiment: the shrunk
mean of the last `mood.SPAN_S` seconds, which is usual while it would not keep a mood alert open.
"""

from typing import Final

from pipelines.core.detection.detectors.mood import (
    KEEP,
    MIN_SCORED,
    NEGATIVE_FALL,
    SPAN_S,
    TOXIC_RISE,
)
from pipelines.core.detection.state import ChannelState, Episode, StreamState
from schemas.labels import SCALE
from schemas.records import AlertKind

BY_TOXICITY: Final[frozenset[AlertKind]] = frozenset(
    {"attack.raid", "attack.wave", "spam.links", "flood.account", "copypasta", "mood.toxic"}
)


def follow(second: int, stream: StreamState, channel: ChannelState) -> None:
    """Note in each open episode since when its index is usual, from the windows up to that of `second`.

    Too few scored lines say nothing: what was known stays.
    """
    if not stream.episodes:
        return
    rows = [row for row in stream.recent_moods if row.second > second - SPAN_S]
    scored = sum(row.scored for row in rows)
    if scored < MIN_SCORED:
        return
    toxicity, _ = channel.toxicity.shrunk(scored, sum(row.toxicity_sum for row in rows) / SCALE)
    sentiment, _ = channel.sentiment.shrunk(scored, sum(row.sentiment_sum for row in rows) / SCALE)
    calm = toxicity - channel.toxicity.mean < KEEP * TOXIC_RISE
    content = channel.sentiment.mean - sentiment < KEEP * NEGATIVE_FALL
    for episode in stream.episodes.values():
        episode.index_known = True
        if not (calm if episode.alert.kind in BY_TOXICITY else content):
            episode.usual_since = -1
        elif episode.usual_since < 0:
            episode.usual_since = second


def outcome(episode: Episode) -> tuple[bool | None, float | None]:
    """For an episode that closes now: whether its index is usual again, and seconds from the warning to that.

    None and None without scores; 0 s where the index was usual all along.
    """
    if not episode.index_known:
        return None, None
    if episode.usual_since < 0:
        return False, None
    return True, max(0, (episode.usual_since + 1) * 1000 - episode.alert.detected_at) / 1000
