"""What leaves a stream for detection over several channels: its newcomers' lines, and how far it has come."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pipelines.core.detection.crowd import SUSPICIOUS_SCORE, Crowd
from pipelines.core.detection.lines import NEWCOMER, Line
from pipelines.core.detection.state import ChannelState, StreamState

MAX_PER_SECOND: Final = 20
"""Traces of one stream and second, the most hostile first: a campaign is seen long before all of it is."""

Campaign = tuple[str, str]
"""Workspace, and the run where it is a replay: what may be joined."""


class Trace(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One line of a newcomer, the last one of a second."""

    workspace: str
    run: str
    second: int
    channel: str
    stream_id: str
    author: int
    key: int
    """Fingerprint of the text; 0 where it says little."""
    signature: bytes
    score: float
    """Hostility of its author so far, see `crowd`."""
    message_id: str


class Report(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """News of one source (an engine) on one campaign space."""

    source: int
    upto: int | None
    """All seconds before this one are evaluated in every stream of the source; None: it has no stream."""
    traces: list[Trace]


def traces(
    second: int, lines: Sequence[Line], crowd: Crowd, stream: StreamState, channel: ChannelState
) -> Iterator[Trace]:
    """The traces of one evaluated second: newcomers who say something, or look hostile whatever they say."""
    latest = {line.author: line for line in lines if line.flags & NEWCOMER}
    told = [
        (crowd.scores[author], line)
        for author, line in latest.items()
        if author in crowd.scores and (line.signature or crowd.scores[author] >= SUSPICIOUS_SCORE)
    ]
    told.sort(key=lambda scored: (-scored[0], scored[1].message_id))
    for score, line in told[:MAX_PER_SECOND]:
        yield Trace(
            workspace=channel.workspace,
            run=channel.run,
            second=second,
            channel=channel.channel,
            stream_id=stream.stream_id,
            author=line.author,
            key=line.key if line.signature else 0,
            signature=line.signature,
            score=round(score, 3),
            message_id=line.message_id,
        )
