"""Many accounts, one text."""

from collections.abc import Iterator
from typing import Final

from pipelines.core.detection.lines import COMMAND, LOW_CONTENT
from pipelines.core.detection.view import Finding, View

SPAN_S: Final = 30
OPEN_AUTHORS: Final = 5
KEEP_AUTHORS: Final = 3


class Copypasta:
    """The same text, or nearly, by several accounts within SPAN_S.

    Source: near-duplicate clustering by MinHash (see `pipelines.core.fingerprint`).
    """

    def step(self, view: View) -> Iterator[Finding]:
        """A finding for the largest cluster of this second."""
        start = view.now.second - SPAN_S
        for cluster in view.touched:
            if len(cluster.hits) < KEEP_AUTHORS or cluster.flags & (LOW_CONTENT | COMMAND):
                continue
            hits = [hit for hit in cluster.hits if hit.second > start]
            authors = frozenset(hit.author for hit in hits)
            if len(authors) < KEEP_AUTHORS:
                continue
            yield Finding(
                kind="copypasta",
                severity="info" if len(authors) < 10 else "low",
                strong=len(authors) >= OPEN_AUTHORS,
                since=hits[0].second,
                why={
                    "accounts_30s": len(authors),
                    "lines_30s": len(hits),
                    "summary": f"{len(authors)} accounts wrote the same text within {SPAN_S} s.",
                },
                authors=authors,
                messages=len(hits),
                fresh=sum(hit.second == view.now.second for hit in hits),
                evidence=tuple(hit.message_id for hit in hits[-50:]),
                clusters=(f"{cluster.key:016x}",),
            )
