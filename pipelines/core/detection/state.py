"""All state of a stream and of a channel, as plain bounded values that encode fast and exactly.

Encoded size per channel: about 3 KB when quiet, 50 KB at 160 lines a minute (0.4 ms to encode), below 600 KB
whatever comes (a test floods it). The bounds stand here, in `memory` and in `sketch`.
"""

from typing import Final

import msgspec

from pipelines.core.baseline import Ewma, LineMean
from pipelines.core.detection.lines import Line
from pipelines.core.detection.sketch import SeenAuthors
from schemas.labels import BASIC
from schemas.records import Alert

BLOCK_S: Final = 10
"""Seconds per block of the rate baselines."""
WINDOW_S: Final = 60
"""Span of everything that detectors look back on line by line."""
MAX_CLUSTERS: Final = 400
"""Fingerprint clusters kept per stream, the least recently used one is dropped first."""
MAX_HITS: Final = 200
"""Lines remembered per cluster."""


class Hit(msgspec.Struct, array_like=True, gc=False):
    """One line in a fingerprint cluster or of an account."""

    second: int
    author: int
    flags: int
    message_id: str
    key: int


class Cluster(msgspec.Struct, array_like=True):
    """Lines of the last WINDOW_S whose texts are equal or near-identical."""

    key: int
    signature: bytes
    flags: int
    hits: list[Hit]


class Newcomer(msgspec.Struct, array_like=True, gc=False):
    """What an author new to the channel has said so far."""

    first: int
    """Second of the first line."""
    last: int
    lines: int
    flags: int
    """Of all lines together."""
    emotes: int
    key: int
    """Cluster of the newest line with content; 0 for none."""
    message_id: str
    """Of the newest line."""


class LinkHit(msgspec.Struct, array_like=True, gc=False):
    """One line with a link."""

    second: int
    author: int
    flags: int
    key: int
    message_id: str


class Second(msgspec.Struct, array_like=True, gc=False):
    """Counts of one evaluated second."""

    second: int
    messages: int = 0
    authors: int = 0
    newcomers: int = 0
    """Authors whose very first line on the channel fell into this second."""
    duplicates: int = 0
    links: int = 0
    emotes: int = 0
    system: int = 0
    """Lines by the platform or announcing bots."""
    hostile: int = 0
    """Newcomers whose very first line fell into this second and looks hostile."""


class Mood(msgspec.Struct, array_like=True, gc=False):
    """What detectors keep of a row of pulse.windows.v1 (1 s); sums on the scale of `labels.SCALE`."""

    second: int
    scored: int
    sentiment_sum: int
    sentiment_sumsq: int
    toxicity_sum: int
    toxicity_sumsq: int
    basic_sum: tuple[int, ...] = ()
    """In the order of `labels.BASIC`."""
    basic_sumsq: tuple[int, ...] = ()


class Episode(msgspec.Struct, array_like=True):
    """An alert that is open, or still cooling down."""

    alert: Alert
    last_active: int
    """Last second in which the condition held."""
    last_revision: int
    authors: list[int]
    index_known: bool = False
    """Scored lines have said how the audience feels since the episode opened."""
    usual_since: int = -1
    """Second since which its index is usual; -1 while it is not (see `recovery`)."""


class StreamState(msgspec.Struct, array_like=True):
    """One broadcast: its clock, what is not yet evaluated, and the detectors' short memory."""

    stream_id: str
    clock: int = -1
    next_second: int = -1
    pending: list[Line] = []
    """Records too far ahead of the clock to be believed alone."""
    ahead: int = 0
    """Records in a row that were too far ahead."""
    open: dict[int, list[Line]] = {}
    overflow: dict[int, int] = {}
    late: int = 0
    recent: list[Second] = []
    clusters: dict[int, Cluster] = {}
    accounts: dict[int, list[Hit]] = {}
    newcomers: dict[int, Newcomer] = {}
    links: list[LinkHit] = []
    moods: dict[int, Mood] = {}
    """Windows that have come and whose fixed lag is not yet over, by second."""
    mood_due: list[int] = []
    """Evaluated seconds with lines whose window will be looked at."""
    recent_moods: list[Mood] = []
    """Windows of the last seconds, as used."""
    unscored: int = 0
    """Seconds whose window was not there in time."""
    episodes: dict[str, Episode] = {}
    cooling: dict[str, int] = {}
    closed_at: dict[str, int] = {}
    """Last active second of the last episode of a kind."""
    notice_at: int = -1
    """Second of the last raid announcement."""
    notice_viewers: int = 0
    calm: bool = True
    """The last activity row was the zero row of a silence."""
    blind: Alert | None = None
    touched: bool = False
    """A record came since the last tick."""
    alive_at: int = -1
    """Processing time when the stream was last heard of; -1 before the first tick."""


def _rate() -> Ewma:
    return Ewma(mean=2.0, var=4.0, alpha=1 / 60, prior_blocks=1)


def _newcomer_rate() -> Ewma:
    return Ewma(mean=1.0, var=1.0, alpha=1 / 60, prior_blocks=3)


def _hostile_rate() -> Ewma:
    # an hour's memory: a drip of minutes must not become its own baseline
    return Ewma(mean=0.02, var=0.02, alpha=1 / 360, prior_blocks=120)


def _sentiment() -> LineMean:
    return LineMean(mean=0.05, var=0.12)


def _toxicity() -> LineMean:
    return LineMean(mean=0.08, var=0.03)


def _basic() -> list[LineMean]:
    return [LineMean(mean=0.0, var=0.0, prior=0) for _ in BASIC]


class ChannelState(msgspec.Struct, array_like=True):
    """One channel: its baselines, who has spoken there, and its streams."""

    workspace: str
    channel: str
    run: str = ""
    """The replay run, so that two replays of one recording do not share a baseline."""
    seen: SeenAuthors = msgspec.field(default_factory=SeenAuthors)
    rate: Ewma = msgspec.field(default_factory=_rate)
    newcomer_rate: Ewma = msgspec.field(default_factory=_newcomer_rate)
    sentiment: LineMean = msgspec.field(default_factory=_sentiment)
    toxicity: LineMean = msgspec.field(default_factory=_toxicity)
    lines: int = 0
    """Lines evaluated so far."""
    first_second: int = -1
    streams: dict[str, StreamState] = {}
    ended: dict[str, int] = {}
    """Streams that were closed, by the second up to which they were evaluated; the last few."""
    alive_at: int = -1
    basic: list[LineMean] = msgspec.field(default_factory=_basic)
    """Baselines of the basic emotions, in the order of `labels.BASIC`."""
    hostile_rate: Ewma = msgspec.field(default_factory=_hostile_rate)
    """Of newcomers who look hostile."""
