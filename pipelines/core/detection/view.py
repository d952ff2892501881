"""What a detector is shown for one second, and what it answers."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from pipelines.core.detection.crowd import Crowd
from pipelines.core.detection.lines import Line
from pipelines.core.detection.state import ChannelState, Cluster, Second, StreamState
from schemas.records import AlertKind, Severity

SEVERITIES: Final[tuple[Severity, ...]] = ("info", "low", "medium", "high", "critical")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's answer: the condition of an alert kind holds in this second."""

    kind: AlertKind
    severity: Severity
    strong: bool
    """Strong enough to open an episode; a weak finding only keeps an open one alive (hysteresis)."""
    since: int
    """First second that belongs to the episode, should it open now."""
    why: dict[str, float | int | str]
    authors: frozenset[int]
    messages: int
    """Lines involved since `since`, counted when the episode opens."""
    fresh: int
    """Lines involved in this second."""
    evidence: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    """Streams that a wave covers; empty: the one stream."""


class View(msgspec.Struct, frozen=True):
    """One evaluated second of a stream with the memory around it; detectors only read it."""

    now: Second
    lines: Sequence[Line]
    touched: Sequence[Cluster]
    """Clusters that got lines in this second."""
    stream: StreamState
    channel: ChannelState
    crowd: Crowd | None = None

    @property
    def flooding(self) -> list[int]:
        """Accounts of the open flood episode."""
        episode = self.stream.episodes.get("flood.account")
        return [] if episode is None else episode.authors

    def total(self, field: str, seconds: int) -> int:
        """Sum of a field of `Second` over the last `seconds`, this one included."""
        start = self.now.second - seconds
        return sum(getattr(row, field) for row in reversed(self.stream.recent) if row.second > start)


class Detector(Protocol):
    """A pure step: same view, same findings. All memory is in the states, none in the detector."""

    def step(self, view: View) -> Iterable[Finding]:
        """Findings of this second; none where nothing is up."""
        ...
