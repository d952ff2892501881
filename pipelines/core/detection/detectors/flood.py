"""One account that floods the chat."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.core.detection.lines import MODERATOR
from pipelines.core.detection.state import Hit
from pipelines.core.detection.view import Finding, View

SPAN_S: Final = 30
OPEN_LINES: Final = 18
"""Lines in SPAN_S that are a flood whatever they say."""
OPEN_REPEATS: Final = 9
"""Lines in SPAN_S that are a flood when at most half of them differ."""
QUICK_S: Final = 8
QUICK_LINES: Final = 7
"""Lines in QUICK_S that nobody types: pasted or sent by a script."""
BURST_S: Final = 6
BURST_REPEATS: Final = 5
"""Lines in BURST_S that are one when at most half of them differ."""
KEEP_LINES: Final = 5
REPEAT_SHARE: Final = 0.5


class Flood:
    """Far more lines from one account than a person types, or the same line again and again.

    Source: fixed-window rate limits as chat servers use them (Twitch: 20 lines in 30 s for a normal account,
    https://dev.twitch.tv/docs/chat/#rate-limits), tightened for repetition. Moderators and bots are exempt.
    """

    def step(self, view: View) -> Iterator[Finding]:
        """A finding over all accounts that flood in this second."""
        authors: set[int] = set()
        evidence: list[str] = []
        worst = total = fresh = 0
        since = view.now.second
        strong = False
        now = view.now.second
        flooding = set(view.flooding)
        lines = Counter(line.author for line in view.lines)
        for author in lines:
            kept = view.stream.accounts.get(author, [])
            if not _many(kept, KEEP_LINES, now - SPAN_S) or kept[-1].flags & MODERATOR:
                continue
            floods = _floods(kept, now)
            if not (floods or author in flooding):
                continue
            hits = [hit for hit in kept if hit.second > now - SPAN_S]
            strong = strong or floods
            worst = max(worst, len(hits))
            authors.add(author)
            total += len(hits)
            since = min(since, hits[0].second)
            fresh += lines[author]
            evidence.extend([hit.message_id for hit in hits])
        if not authors:
            return
        yield Finding(
            kind="flood.account",
            severity="medium" if worst < 20 else "high",
            strong=strong,
            since=since,
            why={
                "lines_30s": worst,
                "accounts": len(authors),
                "summary": f"One account wrote {worst} lines in {SPAN_S} s.",
            },
            authors=frozenset(authors),
            messages=total,
            fresh=fresh,
            evidence=tuple(evidence[-50:]),
        )


def _floods(hits: Sequence[Hit], now: int) -> bool:
    start = now - SPAN_S
    if _many(hits, OPEN_LINES, start) or _many(hits, QUICK_LINES, now - QUICK_S):
        return True
    return _repeats(hits, OPEN_REPEATS, start) or _repeats(hits, BURST_REPEATS, now - BURST_S)


def _repeats(hits: Sequence[Hit], count: int, start: int) -> bool:
    """Whether at least `count` lines came after second `start` and at most half of those differ."""
    if not _many(hits, count, start):
        return False
    keys = [hit.key for hit in hits if hit.second > start]
    return len(set(keys)) <= REPEAT_SHARE * len(keys)


def _many(hits: Sequence[Hit], count: int, start: int) -> bool:
    """Whether at least `count` lines came after second `start`; lines stand in the order of their seconds."""
    return len(hits) >= count and hits[-count].second > start
