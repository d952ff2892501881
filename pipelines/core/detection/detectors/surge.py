"""Volume surge: far more lines than this channel is used to."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pipelines.core.detection.state import BLOCK_S
from pipelines.core.detection.view import Finding, View

MIN_LINES: Final = 12
"""In BLOCK_S seconds; below that nothing is a hype, however quiet the channel was."""
MIN_AUTHORS: Final = 6
MOST_EACH: Final = 3
"""Lines per account that count: neither a flood nor a busy bot is a hype."""
OPEN_SIGMAS: Final = 5.0
KEEP_SIGMAS: Final = 2.5
OPEN_RATIO: Final = 3.0
WARM_BLOCKS: Final = 2
"""Blocks of BLOCK_S that a channel must have shown before anything there can be unusual."""


class Hype:
    """Many known people at once: a surge against the channel's own rate baseline, by many accounts.

    Source: control chart on an EWMA baseline (Roberts 1959; Montgomery, "Statistical Quality Control", 9.2)
    with a variance that allows for Poisson counts on top of the drift of the mean.
    """

    def step(self, view: View) -> Iterator[Finding]:
        """A finding where the lines of the last BLOCK_S seconds lie far above the baseline."""
        count = view.total("messages", BLOCK_S) - view.total("system", BLOCK_S)
        if count < MIN_LINES // 2 or view.channel.rate.seen < WARM_BLOCKS:
            return
        mean, var = view.channel.rate.at(view.now.second // BLOCK_S)
        sigmas = (count - mean) / math.sqrt(mean + var + 1.0)
        if sigmas < KEEP_SIGMAS:
            return
        start = view.now.second - BLOCK_S
        written = Counter(
            hit.author for hits in view.stream.accounts.values() for hit in hits if hit.second > start
        )
        authors = frozenset(written)
        talkative = sum(max(0, lines - MOST_EACH) for lines in written.values())
        count -= talkative
        sigmas = (count - mean) / math.sqrt(mean + var + 1.0)
        if sigmas < KEEP_SIGMAS:
            return
        ratio = count / max(mean, 1.0)
        strong = (
            sigmas >= OPEN_SIGMAS
            and ratio >= OPEN_RATIO
            and count >= MIN_LINES
            and len(authors) >= MIN_AUTHORS
        )
        yield Finding(
            kind="hype",
            severity="low" if ratio < 6 else "medium",
            strong=strong,
            since=next(row.second for row in view.stream.recent if row.second > view.now.second - BLOCK_S),
            why={
                "lines_10s": count,
                "baseline_10s": round(mean, 2),
                "sigmas": round(sigmas, 2),
                "summary": f"{count} lines in 10 s where {mean:.1f} are usual, by {len(authors)} accounts.",
            },
            authors=authors,
            messages=count,
            fresh=view.now.messages,
        )
