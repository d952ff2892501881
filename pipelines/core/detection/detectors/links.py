"""Links that nobody asked for."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from pipelines.core.detection.lines import FIRST, LOW_CONTENT, MODERATOR, NEWCOMER, TRUSTED, YOUNG
from pipelines.core.detection.view import Finding, View

SPAN_S: Final = 60
OPEN_LINES: Final = 3
SAME_TEXT: Final = 2
"""Accounts that post a link in nearly the same words; a bare link has none."""
OPEN_ACCOUNTS: Final = 2
ALONE_LINES: Final = 5
"""Lines with links within SPAN_S that one newcomer alone may not reach; regulars may (donation bots)."""
SHARE: Final = 0.6
"""Of the accounts that posted links: where regulars do as well, newcomers only join in (clips)."""


class LinkSpam:
    """Links by newcomers or young accounts, by several of them or again and again.

    Source: link and account features of comment spam, Alberto, Lochter, Almeida, "TubeSpam" (ICMLA 2015), and
    the campaign view of Gao et al., "Towards Online Spam Filtering in Social Networks" (NDSS 2012).
    """

    def step(self, view: View) -> Iterator[Finding]:
        """A finding over the suspicious links of the last SPAN_S, when this second brought one."""
        now = view.now.second
        if not view.now.links:
            return
        recent = [hit for hit in view.stream.links if hit.second > now - SPAN_S and not hit.flags & MODERATOR]
        suspect = [hit for hit in recent if hit.flags & (NEWCOMER | YOUNG) and not hit.flags & TRUSTED]
        by_author = Counter(hit.author for hit in suspect)
        fresh = sum(hit.second == now for hit in suspect)
        if not fresh:
            return
        authors = frozenset(hit.author for hit in suspect)
        accounts = {hit.author for hit in recent}
        said = {(hit.key, hit.author) for hit in suspect if not hit.flags & LOW_CONTENT}
        spread = Counter(key for key, _ in said)
        most = max(by_author.values())
        keys = Counter(hit.key for hit in suspect)
        yield Finding(
            kind="spam.links",
            severity="medium" if len(authors) < 6 else "high",
            strong=(
                len(suspect) >= OPEN_LINES
                and len(authors) >= OPEN_ACCOUNTS
                and len(authors) >= SHARE * len(accounts)
                and (most > 1 or any(hit.flags & (FIRST | YOUNG) for hit in suspect))
            )
            or max(spread.values(), default=0) >= SAME_TEXT
            or most >= ALONE_LINES,
            since=suspect[0].second,
            why={
                "suspicious_links_60s": len(suspect),
                "accounts": len(authors),
                "summary": f"{len(suspect)} links within a minute by {len(authors)} new or young accounts.",
            },
            authors=authors,
            messages=len(suspect),
            fresh=fresh,
            evidence=tuple(hit.message_id for hit in suspect[-50:]),
            clusters=tuple(f"{key:016x}" for key, count in keys.most_common(10) if count > 1),
        )
