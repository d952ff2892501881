"""From findings to alert episodes: hysteresis, holding, cool-down, revisions."""

import hashlib
from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from pipelines.core.detection.clock import GRACE_MS
from pipelines.core.detection.recovery import outcome
from pipelines.core.detection.state import Episode
from pipelines.core.detection.view import SEVERITIES, Finding
from schemas.records import Alert, AlertKind, Severity, playbook_id

GATHER_MS: Final = 500
"""The live job hands records over in ticks of this length."""
CLOCK_STEP_MS: Final = 500
"""Typical wait until the next record or heartbeat moves the clock past the grace."""
DETECTION_DELAY_MS: Final = GRACE_MS + CLOCK_STEP_MS + GATHER_MS
"""From the end of the deciding second to the raised alert on a live system, without broker time."""
REVISION_EVERY_S: Final = 10
"""An open episode is revised at most this often, unless its severity rises."""
MAX_AUTHORS: Final = 1_000
"""Distinct authors counted per episode; the count saturates there."""
MAX_EVIDENCE: Final = 50
MAX_CLUSTERS: Final = 10

HOLD_S: Final[dict[AlertKind, int]] = {
    "hype": 20,
    "copypasta": 60,
    "mood.negative": 40,
    "mood.toxic": 40,
    "mood.shift": 40,
}
"""Seconds without a finding after which an episode closes."""
COOL_DOWN_S: Final[dict[AlertKind, int]] = {
    "hype": 60,
    "mood.negative": 120,
    "mood.toxic": 120,
    "mood.shift": 120,
}
"""Seconds after the close in which the same kind stays silent."""
DEFAULT_HOLD_S: Final = 30
DEFAULT_COOL_DOWN_S: Final = 30


class EpisodeBook(Protocol):
    """The state behind `Episodes`."""

    episodes: dict[str, Episode]
    """Open ones by kind."""
    cooling: dict[str, int]
    """By kind the second up to which it stays silent."""
    closed_at: dict[str, int]
    """By kind the last active second of its last episode."""


class Episodes:
    """The open alerts of one stream, or of a wave that began on it."""

    def __init__(
        self,
        workspace: str,
        channel: str,
        stream_id: str,
        book: EpisodeBook,
        *,
        delay_ms: int = DETECTION_DELAY_MS,
    ) -> None:
        self._workspace = workspace
        self._channel = channel
        self._stream_id = stream_id
        self._book = book
        self._delay_ms = delay_ms

    def update(self, second: int, findings: Iterable[Finding]) -> list[Alert]:
        """Apply the findings of one evaluated second; gives the alert revisions it caused."""
        revisions: list[Alert] = []
        for finding in findings:
            episode = self._book.episodes.get(finding.kind)
            if episode is not None:
                revisions.extend(_extend(episode, second, finding))
            elif finding.strong and self._book.cooling.get(finding.kind, -1) < second:
                revisions.append(self._open(second, finding))
        return revisions

    def expire(self, second: int) -> list[Alert]:
        """Close what has been inactive for its hold before the end of `second`."""
        closed: list[Alert] = []
        for kind, episode in list(self._book.episodes.items()):
            if second - episode.last_active >= HOLD_S.get(episode.alert.kind, DEFAULT_HOLD_S):
                closed.append(self._close(kind, episode))
        return closed

    def close_all(self) -> list[Alert]:
        """Close everything: the stream has ended."""
        return [self._close(kind, episode) for kind, episode in list(self._book.episodes.items())]

    def _open(self, second: int, finding: Finding) -> Alert:
        alert = new_alert(
            self._workspace,
            self._channel,
            self._stream_id,
            kind=finding.kind,
            severity=finding.severity,
            started_at=finding.since * 1000,
            detected_at=(second + 1) * 1000 + self._delay_ms,
            why=finding.why,
            evidence=finding.evidence[-MAX_EVIDENCE:],
            clusters=finding.clusters[:MAX_CLUSTERS],
            authors=len(finding.authors),
            messages=finding.messages,
            channels=finding.channels,
        )
        self._book.episodes[finding.kind] = Episode(
            alert, second, second, sorted(finding.authors)[:MAX_AUTHORS]
        )
        return alert

    def _close(self, kind: str, episode: Episode) -> Alert:
        del self._book.episodes[kind]
        alert = episode.alert
        self._book.closed_at[kind] = episode.last_active
        self._book.cooling[kind] = episode.last_active + COOL_DOWN_S.get(alert.kind, DEFAULT_COOL_DOWN_S)
        recovered, recovery_s = outcome(episode)
        return msgspec.structs.replace(
            alert,
            revision=alert.revision + 1,
            state="closed",
            ended_at=(episode.last_active + 1) * 1000,
            recovered=recovered,
            recovery_s=recovery_s,
        )


def new_alert(
    workspace: str,
    channel: str,
    stream_id: str,
    *,
    kind: AlertKind,
    severity: Severity,
    started_at: int,
    detected_at: int,
    why: dict[str, float | int | str],
    evidence: tuple[str, ...] = (),
    clusters: tuple[str, ...] = (),
    authors: int = 0,
    messages: int = 0,
    channels: tuple[str, ...] = (),
) -> Alert:
    """The first revision of an alert; its id is a hash of stream, kind and episode start (ms)."""
    name = f"{workspace}|{stream_id}|{kind}|{started_at}"
    return Alert(
        workspace=workspace,
        channel=channel,
        stream_id=stream_id,
        alert_id=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        revision=1,
        kind=kind,
        severity=severity,
        state="open",
        started_at=started_at,
        detected_at=detected_at,
        ended_at=None,
        why=why,
        evidence=evidence,
        clusters=clusters,
        authors=authors,
        messages=messages,
        playbook=playbook_id(kind, severity),
        channels=channels or (stream_id,),
    )


def _extend(episode: Episode, second: int, finding: Finding) -> list[Alert]:
    episode.last_active = second
    known = set(episode.authors)
    episode.authors.extend(sorted(finding.authors - known)[: MAX_AUTHORS - len(known)])
    alert = episode.alert
    worse = SEVERITIES.index(finding.severity) > SEVERITIES.index(alert.severity)
    episode.alert = alert = msgspec.structs.replace(
        alert,
        severity=finding.severity if worse else alert.severity,
        playbook=playbook_id(alert.kind, finding.severity) if worse else alert.playbook,
        why=finding.why if worse else alert.why,
        evidence=tuple(dict.fromkeys(alert.evidence + finding.evidence))[:MAX_EVIDENCE],
        clusters=tuple(dict.fromkeys(alert.clusters + finding.clusters))[:MAX_CLUSTERS],
        authors=len(episode.authors),
        messages=alert.messages + finding.fresh,
        channels=tuple(dict.fromkeys(alert.channels + finding.channels)),
    )
    if not worse and second - episode.last_revision < REVISION_EVERY_S:
        return []
    episode.last_revision = second
    episode.alert = msgspec.structs.replace(alert, revision=alert.revision + 1, state="update")
    return [episode.alert]
