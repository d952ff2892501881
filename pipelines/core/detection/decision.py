"""The combined decision: which of the findings of one second stand beside one another."""

from collections.abc import Sequence

from pipelines.core.detection.state import StreamState
from pipelines.core.detection.view import Finding

HOSTILE = frozenset({"attack.raid", "spam.links"})


def decide(findings: Sequence[Finding], stream: StreamState) -> list[Finding]:
    """Drop what a stronger finding of the same second explains.

    A text spread by attackers is no copypasta of regulars, and a crowd that attacks is no hype.
    """
    hostile = [finding for finding in findings if finding.kind in HOSTILE]
    active = bool(HOSTILE & stream.episodes.keys()) or any(finding.strong for finding in hostile)
    if not active:
        return list(findings)
    clusters = {cluster for finding in hostile for cluster in finding.clusters}
    return [
        finding
        for finding in findings
        if not (
            (finding.kind == "copypasta" and clusters.intersection(finding.clusters))
            or (finding.kind in ("hype", "copypasta") and finding.kind not in stream.episodes)
        )
    ]
