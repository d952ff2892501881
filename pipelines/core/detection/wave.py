"""One campaign over several channels: joins the traces of all streams of a workspace."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median_high
from typing import Final

import msgspec

from pipelines.core.detection.episodes import DETECTION_DELAY_MS, Episodes
from pipelines.core.detection.state import Episode
from pipelines.core.detection.traces import Report, Trace
from pipelines.core.detection.view import Finding
from pipelines.core.fingerprint import bands
from schemas.records import Alert, AlertKind, Severity

KIND: Final[AlertKind] = "attack.wave"
SPAN_S: Final = 90
"""Seconds within which traces belong together."""
HOSTILE: Final = 0.75
"""Evidence from which on an account takes part, links included."""
LINKED_TEXT: Final = 0.4
"""Evidence for a text that newcomers of other channels say too."""
LINKED_AUTHOR: Final = 0.4
"""Evidence for an account that is new on several channels at once."""
CHANNEL_ACCOUNTS: Final = 2
"""Accounts that must take part on a channel before it counts."""
OPEN_CHANNELS: Final = 3
OPEN_PLACES: Final = 8
"""Places taken on OPEN_CHANNELS; an account takes one on each channel where it takes part."""
OPEN_LINKED: Final = 6
"""Of them held by linked accounts: so many are enough, too."""
PAIR_LINKED: Final = 8
"""Two channels are a wave when so many accounts take part that are linked to the other one."""
SLOWEST_S: Final = 10
"""Live streams are waited for until the usual one is so far ahead: one slow clock may not delay a warning."""
DELAY_MS: Final = DETECTION_DELAY_MS + 1_500
"""A second is evaluated when every stream has passed it (heartbeats come each second), one tick later."""
MAX_TRACES: Final = 4_000
"""Kept at most, waiting and recent each; the oldest go first. Some 150 bytes each."""
END: Final = 1 << 62


class WaveState(msgspec.Struct, array_like=True):
    """All state of a workspace (of one run where it is a replay); at most 2 × MAX_TRACES traces."""

    sources: dict[int, int] = {}
    """How far each source has come; those that have streams."""
    waiting: list[Trace] = []
    recent: list[Trace] = []
    evaluated: int = -1
    """All seconds before this one are evaluated."""
    episodes: dict[str, Episode] = {}
    cooling: dict[str, int] = {}
    closed_at: dict[str, int] = {}


class Waves:
    """attack.wave: newcomers who look hostile or act in concert on several channels at once.

    An account's evidence is its hostility where it looked worst (see `crowd`), more where its text or itself
    is seen on other channels. Sources: campaigns as clusters of near-duplicate texts over accounts, Gao et
    al., "Towards Online Spam Filtering in Social Networks" (NDSS 2012); accounts reused over channels, Han et
    al., "Hate Raids on Twitch" (CSCW 2023).

    What comes out depends on the traces alone and not on the order in which sources report, as long as each
    source has reported once before the others are far ahead. Not thread-safe.
    """

    def __init__(self, state: WaveState | None = None, *, live: bool) -> None:
        """Go on from `state`; `live`: streams share the wall clock, so none is waited for without end."""
        self.state = state or WaveState()
        self._live = live

    def take(self, report: Report) -> None:
        """Note what a source has seen and how far it has come."""
        state = self.state
        if report.upto is None:
            state.sources.pop(report.source, None)
        else:
            state.sources[report.source] = report.upto
        state.waiting.extend(report.traces)
        del state.waiting[:-MAX_TRACES]

    def advance(self) -> list[Alert]:
        """Evaluate the seconds that every stream has passed."""
        state = self.state
        if not state.sources:
            return []
        reached = state.sources.values()
        slowest = min(reached)
        return self._evaluate(max(slowest, median_high(reached) - SLOWEST_S) if self._live else slowest)

    def finish(self) -> list[Alert]:
        """Evaluate and close everything, if no source has a stream any more."""
        return [] if self.state.sources else self._evaluate(END)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to wait for."""
        state = self.state
        return not (state.sources or state.waiting or state.episodes)

    def _evaluate(self, end: int) -> list[Alert]:
        state = self.state
        if end <= state.evaluated:
            return []
        alerts: list[Alert] = []
        due = sorted(
            (trace for trace in state.waiting if trace.second < end),
            key=lambda trace: (max(trace.second, state.evaluated), trace.stream_id, trace.message_id),
        )
        state.waiting = [trace for trace in state.waiting if trace.second >= end]
        for second, fresh in _by_second(due, state.evaluated):
            alerts += self._expire(second)
            state.recent = [trace for trace in state.recent if trace.second > second - SPAN_S] + fresh
            del state.recent[:-MAX_TRACES]
            alerts += self._second(second, fresh)
        state.evaluated = end if end < END else max([state.evaluated, *(trace.second + 1 for trace in due)])
        return alerts + self._expire(end)

    def _expire(self, second: int) -> list[Alert]:
        return Episodes("", "", "", self.state).expire(second) if self.state.episodes else []

    def _second(self, second: int, fresh: Sequence[Trace]) -> list[Alert]:
        recent = self.state.recent
        if KIND not in self.state.episodes:
            # what the last wave brought does not count again: its stragglers are no new wave
            before = self.state.closed_at.get(KIND, -1)
            recent = [trace for trace in recent if trace.second > before]
        finding = _finding(second, fresh, recent)
        if finding is None:
            return []
        first = next(trace for trace in recent if trace.stream_id == finding.channels[0])
        episodes = Episodes(first.workspace, first.channel, first.stream_id, self.state, delay_ms=DELAY_MS)
        return episodes.update(second, [finding])


def _by_second(due: Iterable[Trace], evaluated: int) -> Iterator[tuple[int, list[Trace]]]:
    """The traces by the second in which they are looked at: their own, or the first that is still open."""
    seconds: dict[int, list[Trace]] = defaultdict(list)
    for trace in due:
        seconds[max(trace.second, evaluated)].append(trace)
    yield from sorted(seconds.items())


def _finding(second: int, fresh: Sequence[Trace], recent: Sequence[Trace]) -> Finding | None:
    if len({trace.stream_id for trace in recent}) < 2:
        return None
    texts, authors = _text_links(recent), _author_links(recent)
    worst: dict[int, float] = {}
    for trace in recent:
        worst[trace.author] = max(trace.score, worst.get(trace.author, trace.score))
    taking_part: dict[str, dict[int, list[Trace]]] = defaultdict(lambda: defaultdict(list))
    linked: set[int] = set()
    for trace in recent:
        by_text, by_author = texts.get(trace.key, False), trace.author in authors
        if worst[trace.author] + LINKED_TEXT * by_text + LINKED_AUTHOR * by_author >= HOSTILE:
            taking_part[trace.stream_id][trace.author].append(trace)
            if by_text or by_author:
                linked.add(trace.author)
    channels = {
        stream: accounts for stream, accounts in taking_part.items() if len(accounts) >= CHANNEL_ACCOUNTS
    }
    lines = [trace for accounts in channels.values() for said in accounts.values() for trace in said]
    fresh_ids = {trace.message_id for trace in fresh}
    new = sum(trace.message_id in fresh_ids for trace in lines)
    if len(channels) < 2 or not new:
        return None
    involved = frozenset(trace.author for trace in lines)
    places = Counter(author in linked for accounts in channels.values() for author in accounts)
    strong = (
        len(channels) >= OPEN_CHANNELS and (places.total() >= OPEN_PLACES or places[True] >= OPEN_LINKED)
    ) or len(involved & linked) >= PAIR_LINKED
    lines.sort(key=lambda trace: (trace.second, trace.stream_id, trace.message_id))
    shared = Counter(trace.key for trace in lines if texts.get(trace.key))
    return Finding(
        kind=KIND,
        severity=_severity(len(channels), len(involved)),
        strong=strong,
        since=lines[0].second,
        why={
            "channels": len(channels),
            "accounts": len(involved),
            "linked_accounts": len(involved & linked),
            "shared_texts": len(shared),
            "summary": f"{len(involved)} newcomers act alike on {len(channels)} channels within {SPAN_S} s; "
            f"{len(involved & linked)} are linked by a text or by being new on several.",
        },
        authors=involved,
        messages=len(lines),
        fresh=new,
        evidence=tuple(trace.message_id for trace in lines[-50:]),
        clusters=tuple(f"{key:016x}" for key, _ in shared.most_common(10)),
        channels=tuple(dict.fromkeys(trace.stream_id for trace in lines)),
    )


def _text_links(recent: Sequence[Trace]) -> dict[int, bool]:
    """By text whether newcomers of several channels say it, or nearly it: texts that share a band are one."""
    leader: dict[int, int] = {}
    root: dict[int, int] = {}
    streams: dict[int, set[str]] = defaultdict(set)
    for trace in recent:
        if not trace.key:
            continue
        if trace.key not in root:
            own = bands(trace.signature)
            root[trace.key] = next((leader[band] for band in own if band in leader), trace.key)
            for band in own:
                leader.setdefault(band, root[trace.key])
        streams[root[trace.key]].add(trace.stream_id)
    return {key: len(streams[first]) > 1 for key, first in root.items()}


def _author_links(recent: Sequence[Trace]) -> set[int]:
    """Accounts that are new on several channels."""
    seen: dict[int, str] = {}
    linked: set[int] = set()
    for trace in recent:
        if seen.setdefault(trace.author, trace.stream_id) != trace.stream_id:
            linked.add(trace.author)
    return linked


def _severity(channels: int, accounts: int) -> Severity:
    return "critical" if channels >= 4 and accounts >= 20 else "high"
