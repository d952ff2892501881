"""The stream's own clock: event time of its records, hard to throw by one bad record."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pipelines.core.detection.lines import Line
from pipelines.core.detection.state import StreamState

GRACE_MS: Final = 500
"""A second is evaluated when the clock is this far past its end, so that slightly reordered lines count."""
MAX_JUMP_MS: Final = 3_000
"""A record further ahead of the clock than this must be confirmed; heartbeats come every second."""
CONFIRMATIONS: Final = 3
"""That many records in a row ahead of the clock move it: a gap really happened."""
MAX_PENDING: Final = 64


def accept(state: StreamState, line: Line) -> Iterator[Line]:
    """Give back the lines that may be filed now, in order, with the clock moved for each.

    A record far ahead of the clock (and the first record of a stream) waits until others bear it out, so that
    one wrong time cannot blind the stream. The clock moves when a second record lies within MAX_JUMP_MS of a
    waiting one and the stream is new or one of the two is a heartbeat (our own connector's word), or when
    CONFIRMATIONS records in a row lie ahead.
    """
    if state.clock >= 0 and line.at <= state.clock + MAX_JUMP_MS:
        state.ahead = 0
        yield from _advance(state, line)
        yield from _release(state)
        return
    agreeing = [other for other in state.pending if _near(other, line)]
    state.pending.append(line)
    del state.pending[:-MAX_PENDING]
    state.ahead += 1
    if agreeing and (state.clock < 0 or any(not other.message_id for other in (*agreeing, line))):
        yield from flush(state, min(other.at for other in (*agreeing, line)))
    elif state.ahead >= CONFIRMATIONS:
        yield from _follow(state)


def flush(state: StreamState, start: int) -> Iterator[Line]:
    """Set the clock to `start` and release everything that waits within reach of it."""
    state.ahead = 0
    state.clock = max(state.clock, start)
    if state.next_second < 0:
        # a first line that was followed by a silence waits too, and belongs to the stream
        state.next_second = min([start, *(line.at for line in state.pending)]) // 1000
    yield from _release(state)


def _follow(state: StreamState) -> Iterator[Line]:
    """Many records in a row lie ahead: go with them, with all but the last where their times grow."""
    row = state.pending[-state.ahead :]
    if any(one.at > other.at for one, other in pairwise(row)):
        yield from flush(state, min(other.at for other in row))
        return
    for line in row[:-1]:
        state.pending.remove(line)
        state.clock = max(state.clock, line.at)
        if state.next_second < 0:
            state.next_second = line.at // 1000
        yield from _advance(state, line)
    state.ahead = 1
    yield from _release(state)


def _near(one: Line, other: Line) -> bool:
    return one.at <= other.until + MAX_JUMP_MS and other.at <= one.until + MAX_JUMP_MS


def _advance(state: StreamState, line: Line) -> Iterator[Line]:
    state.clock = max(state.clock, line.until)
    yield line


def _release(state: StreamState) -> Iterator[Line]:
    """Lines that waited and that the clock has come near to."""
    while state.pending:
        near = [line for line in state.pending if line.at <= state.clock + MAX_JUMP_MS]
        if not near:
            return
        state.pending = [line for line in state.pending if line.at > state.clock + MAX_JUMP_MS]
        for line in near:
            yield from _advance(state, line)
