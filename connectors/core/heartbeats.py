"""Which streams were silent for so long that a heartbeat is due."""

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

SILENT_MS: Final = 1_000
"""A stream without a message for so long gets a heartbeat."""


class Silence(NamedTuple):
    """A stream that said nothing after `from_ms`, up to and including `to_ms`."""

    stream: int
    from_ms: int
    to_ms: int


class Heartbeats:
    """Follows when each stream was last heard; pure, its clock is the times it is told.

    Streams are known by a number of the caller's. Each stream's heartbeats are `step_ms` apart, counted from
    its last message or heartbeat. A call costs the logarithm of the number of streams per heartbeat given.
    """

    def __init__(self, step_ms: int = SILENT_MS) -> None:
        if step_ms <= 0:
            raise ValueError("the step between heartbeats must be positive")
        self._step_ms = step_ms
        self._heard: dict[int, int] = {}
        self._due: list[tuple[int, int]] = []

    def begin(self, stream: int, at_ms: int) -> None:
        """Follow a stream from that time on."""
        self._heard[stream] = at_ms
        heapq.heappush(self._due, (at_ms + self._step_ms, stream))

    def hear(self, stream: int, at_ms: int) -> None:
        """The stream said something; times of a stream may not go back."""
        self._heard[stream] = at_ms

    def end(self, stream: int) -> None:
        """The stream gets no heartbeats any more."""
        self._heard.pop(stream, None)

    def before(self, until_ms: int) -> Iterator[Silence]:
        """The heartbeats due before that time, by time."""
        while self._due and self._due[0][0] < until_ms:
            at, stream = self._due[0]
            since = self._heard.get(stream)
            if since is None:
                heapq.heappop(self._due)
                continue
            # a stream that was heard since stands in the heap with an old time
            if since + self._step_ms <= at:
                yield Silence(stream, since, at)
                self._heard[stream] = since = at
            heapq.heapreplace(self._due, (since + self._step_ms, stream))
