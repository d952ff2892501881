"""A crowd of newcomers: friends sent by another channel, or a raid."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pipelines.core.baseline import Ewma
from pipelines.core.detection.crowd import COORDINATED, HOSTILE_SCORE, SLOW_S, SUSPICIOUS_SCORE
from pipelines.core.detection.lines import GREETING, INSULT, LINK, OBFUSCATED, YOUNG
from pipelines.core.detection.state import BLOCK_S, Newcomer
from pipelines.core.detection.view import Finding, View
from schemas.records import Severity

FAST_S: Final = 30
FAST_HOSTILE: Final = 4
"""Hostile newcomers within FAST_S that make a raid; of merely suspicious ones the double."""
SLOW_HOSTILE: Final = 7
KEEP_HOSTILE: Final = 2
SHARE: Final = 0.5
"""Of the newcomers of the span that must look hostile, unless there are UNDENIABLE of them."""
SUSPICIOUS_SHARE: Final = 0.7
UNDENIABLE: Final = 10
BUSY_SHARE: Final = 0.2
"""Where harmless newcomers are many too: share that is enough for far more hostile ones than usual."""
SCANS: Final = ((FAST_S, 5), (60, 5), (100, 6), (SLOW_S, 7))
"""Spans (s), and how many hostile newcomers within each are enough then, the chance of each being about that
of FAST_HOSTILE on a channel that hardly ever has one."""
LINK_SHARE: Final = 0.6
"""Hostile newcomers with links from which on this is spam.links, and no raid of its own."""
FRIENDS: Final = 5
FRIENDLY_SHARE: Final = 0.4


class Raid:
    """Who comes in unusual numbers, and with what in hand: attack.raid or raid.friendly.

    Each newcomer has a score of hostility (see `crowd`). Sources: hate raids as bursts of young accounts,
    Han et al., "Hate Raids on Twitch" (CSCW 2023); crowds against a baseline as in `surge`; drips by counts
    over several spans, Naus, "Approximations for distributions of scan statistics" (JASA 1982).
    """

    def step(self, view: View) -> Iterator[Finding]:
        """At most one finding of each kind."""
        crowd = view.crowd
        if crowd is None or (len(crowd.newcomers) < KEEP_HOSTILE and not crowd.announced):
            return
        newcomers, scores, announced = crowd.newcomers, crowd.scores, crowd.announced
        hostile = {a: n for a, n in newcomers.items() if scores[a] >= HOSTILE_SCORE}
        attack = self._attack(view, newcomers, hostile, scores)
        if attack is not None:
            yield attack
        friends = {a: n for a, n in newcomers.items() if a not in hostile}
        yield from self._friendly(view, friends, announced, attack is not None and attack.strong)

    def _attack(
        self,
        view: View,
        newcomers: dict[int, Newcomer],
        hostile: dict[int, Newcomer],
        scores: dict[int, float],
    ) -> Finding | None:
        now = view.now.second
        before = view.stream.closed_at.get("attack.raid", -1)
        quick = {a: n for a, n in newcomers.items() if n.last > now - FAST_S and n.first > before}
        fast = sum(a in hostile for a in quick)
        slow = sum(n.first > before for n in hostile.values())
        suspicious = sum(scores[a] >= SUSPICIOUS_SCORE for a in quick)
        strong = (
            (fast >= FAST_HOSTILE and (fast >= SHARE * len(quick) or fast >= UNDENIABLE))
            or (slow >= SLOW_HOSTILE and slow >= SHARE * len(newcomers))
            or any(_amid_others(view, newcomers, hostile, before, *scan) for scan in SCANS)
            or (
                suspicious >= 2 * FAST_HOSTILE
                and suspicious >= SUSPICIOUS_SHARE * len(quick)
                and _unusual(view, view.channel.newcomer_rate, len(quick), FAST_S)
            )
        )
        if strong and suspicious >= 2 * FAST_HOSTILE:
            hostile = {a: n for a, n in newcomers.items() if scores[a] >= SUSPICIOUS_SCORE}
        if "attack.raid" not in view.stream.episodes:
            hostile = {a: n for a, n in hostile.items() if n.first > before}
        if len(hostile) < KEEP_HOSTILE:
            return None
        fresh = sum(line.author in hostile for line in view.lines)
        if not fresh:
            return None
        kinds = Counter(
            name
            for n in hostile.values()
            for name, flag in (
                ("young", YOUNG),
                ("insult", INSULT),
                ("obfuscated", OBFUSCATED),
                ("link", LINK),
            )
            if n.flags & flag
        )
        if kinds["link"] >= LINK_SHARE * len(hostile):
            return None
        shared = Counter(n.key for n in hostile.values() if n.key)
        return Finding(
            kind="attack.raid",
            severity=_severity(len(hostile)),
            strong=strong,
            since=min(n.first for n in hostile.values()),
            why={
                "hostile_newcomers_30s": fast,
                "suspicious_newcomers_30s": suspicious,
                "hostile_newcomers": len(hostile),
                "newcomers": len(newcomers),
                "young_accounts": kinds["young"],
                "insulting": kinds["insult"],
                "obfuscated": kinds["obfuscated"],
                "same_text": max(shared.values(), default=0),
                "summary": f"{len(hostile)} of {len(newcomers)} newcomers look hostile: {kinds['young']} "
                f"young accounts, {kinds['insult']} insulting, {kinds['obfuscated']} with disguised letters, "
                f"{max(shared.values(), default=0)} with one text.",
            },
            authors=frozenset(hostile),
            messages=sum(n.lines for n in hostile.values()),
            fresh=fresh,
            evidence=tuple(n.message_id for n in hostile.values())[-50:],
            clusters=tuple(f"{key:016x}" for key, count in shared.most_common(10) if count >= COORDINATED),
        )

    def _friendly(
        self, view: View, friends: dict[int, Newcomer], announced: bool, attacked: bool
    ) -> Iterator[Finding]:
        now = view.now.second
        since = view.stream.notice_at if announced else now - 60
        crowd = {author: n for author, n in friends.items() if n.first >= since}
        fresh = sum(line.author in crowd for line in view.lines)
        strong = announced and view.stream.closed_at.get("raid.friendly", -1) < view.stream.notice_at
        if not announced and not attacked:
            kind = sum(bool(n.flags & GREETING or n.emotes) for n in crowd.values())
            strong = (
                len(crowd) >= FRIENDS
                and _unusual(view, view.channel.newcomer_rate, len(crowd), 60)
                and kind >= FRIENDLY_SHARE * len(crowd)
            )
        if not (strong or (fresh and len(crowd) >= 2)):
            return
        yield Finding(
            kind="raid.friendly",
            severity="info",
            strong=strong,
            since=view.stream.notice_at if announced else min(n.first for n in crowd.values()),
            why={
                "newcomers": len(crowd),
                "announced": int(announced),
                "viewers": view.stream.notice_viewers,
                "summary": f"A raid was announced; {len(crowd)} newcomers so far."
                if announced
                else f"{len(crowd)} newcomers within a minute, mostly greeting; no announcement seen.",
            },
            authors=frozenset(crowd),
            messages=sum(n.lines for n in crowd.values()),
            fresh=fresh,
            evidence=tuple(n.message_id for n in crowd.values())[-50:],
        )


def _amid_others(
    view: View,
    newcomers: dict[int, Newcomer],
    hostile: dict[int, Newcomer],
    before: int,
    span: int,
    least: int,
) -> bool:
    """Whether far more of the newcomers within `span` are hostile than usual, though others may be more."""
    if len(hostile) < least:
        return False
    start = max(view.now.second - span, before)
    count = sum(n.first > start for n in hostile.values())
    return (
        count >= least
        and count >= BUSY_SHARE * sum(n.first > start for n in newcomers.values())
        and _unusual(view, view.channel.hostile_rate, count, span)
        and count >= _known_insulters(view)
    )


def _known_insulters(view: View) -> int:
    """Accounts of the last FAST_S that are not new and insult too: then it is the chat's own mood."""
    start = view.now.second - FAST_S
    return sum(
        any(hit.flags & INSULT and hit.second > start for hit in hits)
        for author, hits in view.stream.accounts.items()
        if author not in view.stream.newcomers
    )


def _unusual(view: View, rate: Ewma, count: int, seconds: int) -> bool:
    """Whether so many within so many seconds lie far above the rate that the channel is used to."""
    mean, _ = rate.at(view.now.second // BLOCK_S)
    usual = mean * seconds / BLOCK_S
    return count >= usual + 4.0 * math.sqrt(usual + 1.0)


def _severity(hostile: int) -> Severity:
    return "medium" if hostile < 8 else "high" if hostile < 20 else "critical"
