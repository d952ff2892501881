"""The short memory of a stream: takes one second's lines in, forgets what is older than its span."""

from collections.abc import Sequence
from typing import Final

from pipelines.core.detection.lines import (
    FIRST,
    LINK,
    LOW_CONTENT,
    NEWCOMER,
    NOT_FIRST,
    NOTICE,
    SYSTEM,
    TRUSTED,
    YOUNG,
    Line,
)
from pipelines.core.detection.state import (
    MAX_CLUSTERS,
    MAX_HITS,
    WINDOW_S,
    ChannelState,
    Cluster,
    Hit,
    LinkHit,
    Newcomer,
    Second,
    StreamState,
)
from pipelines.core.fingerprint import AGREE, BANDS, agreement, bands

WARM_LINES: Final = 100
WARM_S: Final = 120
"""A channel never seen before: until then everybody would pass as new, so only the platform's word counts."""
NEWCOMER_S: Final = 240
"""An author counts as a newcomer for this long after the first line."""
ACCOUNT_S: Final = 30
"""Span of an account's own lines: that of the flood detector."""
MAX_ACCOUNTS: Final = 600
MAX_ACCOUNT_HITS: Final = 40
MAX_NEWCOMERS: Final = 2_000
MAX_BANDS: Final = 4 * BANDS * MAX_CLUSTERS
"""Entries of the index from which on those that lead nowhere are swept out."""


class Memory:
    """State of one stream with the index over its clusters, which is derived and never stored."""

    def __init__(self, state: StreamState) -> None:
        self.state = state
        self._bands: dict[int, int] = {}
        for cluster in state.clusters.values():
            self._file(cluster)

    def take(self, second: int, lines: Sequence[Line], channel: ChannelState) -> tuple[Second, list[Cluster]]:
        """Remember the lines of one second; gives its counts and the clusters that they fell into.

        Lines that the platform or a bot wrote count as messages and are nothing that a person did.
        """
        state = self.state
        self._forget(second)
        row = Second(second, messages=len(lines))
        touched: dict[int, Cluster] = {}
        authors: set[int] = set()
        for line in lines:
            row.emotes += line.emotes
            if line.flags & NOTICE:
                state.notice_at = second
            if line.flags & (SYSTEM | NOTICE):
                row.system += 1
                continue
            authors.add(line.author)
            row.newcomers += self._meet(line, second, channel)
            cluster = self._cluster(line)
            hit = Hit(second, line.author, line.flags, line.message_id, cluster.key)
            self._account(line, hit)
            if cluster.hits:
                row.duplicates += any(other.author != line.author for other in cluster.hits)
            cluster.hits.append(hit)
            del cluster.hits[:-MAX_HITS]
            touched[cluster.key] = cluster
            newcomer = state.newcomers.get(line.author)
            if newcomer is not None:
                _heard(newcomer, line, second, cluster.key)
            if line.flags & LINK:
                row.links += 1
                state.links.append(LinkHit(second, line.author, line.flags, cluster.key, line.message_id))
                del state.links[:-MAX_HITS]
        row.authors = len(authors)
        channel.lines += len(lines)
        state.recent.append(row)
        return row, list(touched.values())

    def _meet(self, line: Line, second: int, channel: ChannelState) -> bool:
        """Note whether the author is new here; gives whether this is the author's first line."""
        # who spoke within ACCOUNT_S is known, and need not be looked up
        new = line.author not in self.state.accounts and channel.seen.add(line.author)
        if channel.first_second < 0:
            channel.first_second = second
        if (
            new
            and len(self.state.newcomers) < MAX_NEWCOMERS
            and _is_newcomer(line.flags, channel.lines, second - channel.first_second)
        ):
            self.state.newcomers[line.author] = Newcomer(second, second, 0, 0, 0, 0, "")
        if line.author in self.state.newcomers:
            line.flags |= NEWCOMER
        return new

    def _account(self, line: Line, hit: Hit) -> None:
        author = line.author
        accounts = self.state.accounts
        hits = accounts.pop(author, None)
        if hits is None:
            hits = []
            if len(accounts) >= MAX_ACCOUNTS:
                del accounts[next(iter(accounts))]
        accounts[author] = hits
        while hits and hits[0].second <= hit.second - ACCOUNT_S:
            del hits[0]
        hits.append(hit)
        del hits[:-MAX_ACCOUNT_HITS]

    def _cluster(self, line: Line) -> Cluster:
        clusters = self.state.clusters
        key = line.key if line.key in clusters else self._near(line.signature)
        if key is None:
            if len(clusters) >= MAX_CLUSTERS:
                del clusters[next(iter(clusters))]
            cluster = Cluster(line.key, line.signature, line.flags, [])
            key = line.key
        else:
            cluster = clusters.pop(key)
        clusters[key] = cluster
        self._file(cluster)
        return cluster

    def _near(self, signed: bytes) -> int | None:
        if not signed:
            return None
        clusters = self.state.clusters
        # in the order of the bands, so that the answer does not depend on the run
        for key in dict.fromkeys(map(self._bands.get, bands(signed))):
            if key is not None and key in clusters and agreement(signed, clusters[key].signature) >= AGREE:
                return key
        return None

    def _file(self, cluster: Cluster) -> None:
        """Have the bands of a cluster lead to it; of clusters that share one, to that used last.

        Clusters are dropped in the order of their last use. So what a dropped one leaves in the index leads
        nowhere, and never hides a cluster that an index made anew from the state would find.
        """
        if not cluster.signature:
            return
        if len(self._bands) > MAX_BANDS:
            clusters = self.state.clusters
            self._bands = {band: key for band, key in self._bands.items() if key in clusters}
        self._bands.update(dict.fromkeys(bands(cluster.signature), cluster.key))

    def _forget(self, second: int) -> None:
        state = self.state
        start = second - WINDOW_S
        while state.recent and state.recent[0].second <= start:
            state.recent.pop(0)
        # clusters and accounts are kept in the order of their last line
        while state.clusters:
            key, cluster = next(iter(state.clusters.items()))
            if cluster.hits[-1].second > start:
                break
            del state.clusters[key]
        while state.accounts:
            author, hits = next(iter(state.accounts.items()))
            if hits[-1].second > second - ACCOUNT_S:
                break
            del state.accounts[author]
        while state.links and state.links[0].second <= start:
            state.links.pop(0)
        old = second - NEWCOMER_S
        while state.newcomers:
            author = next(iter(state.newcomers))
            if state.newcomers[author].first > old:
                break
            del state.newcomers[author]


def _is_newcomer(flags: int, channel_lines: int, channel_age_s: int) -> bool:
    """Whether an author not seen before is new to the channel, and not only to us."""
    if flags & FIRST:
        return True
    if flags & (NOT_FIRST | TRUSTED):
        return False
    return bool(flags & YOUNG) or (channel_lines >= WARM_LINES and channel_age_s >= WARM_S)


def _heard(newcomer: Newcomer, line: Line, second: int, key: int) -> None:
    newcomer.last = second
    newcomer.lines += 1
    newcomer.flags |= line.flags
    newcomer.emotes += line.emotes
    newcomer.message_id = line.message_id
    if not line.flags & LOW_CONTENT:
        newcomer.key = key
