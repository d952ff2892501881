"""Which scored lines are asked about: near a decision line, or in a stream with an open alert; a sample."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from connectors.opinion.settings import OpinionSettings
from pipelines.core.sampling import sampled
from schemas.records import Alert, OpinionReason

DEFAULT_LINE: Final = 0.5
"""Decision line of a figure for which the model names no threshold."""
_ALERT_LASTS_MS: Final = 6 * 3_600_000
"""An episode of which nothing was heard for so long counts as over: its closing revision was lost."""

Thresholds = Callable[[str, str], Mapping[str, float]]
"""By model and version: the decision line of a figure, `toxicity` or, for one language, `toxicity@de`."""


class ScoredLine(msgspec.Struct, frozen=True):
    """What is read of a record of chat.scored.v1; the author is not."""

    channel: str
    stream_id: str
    message_id: str
    sent_at: int
    expires_at: int
    text: str
    sentiment: float
    toxicity: float
    sarcasm: float
    model: str
    model_version: str
    abstained: bool
    workspace: str = "default"
    lang: str | None = None


class OpenAlerts:
    """The streams with an open alert of some kinds, as far as revisions were seen."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self._kinds = kinds
        self._open: dict[tuple[str, str], dict[str, int]] = {}
        """By workspace and stream: when each open episode was last heard of."""

    def see(self, alert: Alert, now_ms: int) -> None:
        """Take a revision in; those of an episode come in order."""
        if not any(fnmatchcase(alert.kind, pattern) for pattern in self._kinds):
            return
        for stream_id in alert.channels or (alert.stream_id,):
            key = alert.workspace, stream_id
            if alert.state == "closed":
                episodes = self._open.get(key, {})
                episodes.pop(alert.alert_id, None)
                if not episodes:
                    self._open.pop(key, None)
                continue
            if key not in self._open:
                self._forget(now_ms)
            self._open.setdefault(key, {})[alert.alert_id] = now_ms

    def open_in(self, workspace: str, stream_id: str, now_ms: int) -> bool:
        """Whether the stream has one."""
        episodes = self._open.get((workspace, stream_id))
        return episodes is not None and any(now_ms - heard <= _ALERT_LASTS_MS for heard in episodes.values())

    def _forget(self, now_ms: int) -> None:
        self._open = {
            key: episodes
            for key, episodes in self._open.items()
            if now_ms - max(episodes.values()) <= _ALERT_LASTS_MS
        }


class Selection:
    """Says why a line is asked about, or that it is not."""

    def __init__(self, settings: OpinionSettings, thresholds: Thresholds, alerts: OpenAlerts) -> None:
        self._settings, self._thresholds, self._alerts = settings, thresholds, alerts

    def reason(self, line: ScoredLine, now_ms: int) -> OpinionReason | None:
        """The nearest figure within its margin; failing that, the stream's alert; None: not asked.

        A line that the model abstained from is near no decision line.
        """
        settings = self._settings
        if not any(fnmatchcase(line.channel, pattern) for pattern in settings.channels):
            return None
        if sampled(line.message_id, settings.share) and (near := self._near(line)):
            return near
        if sampled(line.message_id, settings.alert_share) and self._alerts.open_in(
            line.workspace, line.stream_id, now_ms
        ):
            return "alert"
        return None

    def _near(self, line: ScoredLine) -> OpinionReason | None:
        if line.abstained:
            return None
        settings = self._settings
        lines = self._thresholds(line.model, line.model_version)
        distances: list[tuple[float, OpinionReason]] = []
        for name in ("toxicity", "sarcasm"):
            threshold = lines.get(f"{name}@{line.lang}", lines.get(name, DEFAULT_LINE))
            if (distance := abs(getattr(line, name) - threshold)) <= settings.margin:
                distances.append((distance, name))
        if (distance := abs(line.sentiment)) <= settings.sentiment_margin:
            distances.append((distance, "sentiment"))
        return min(distances)[1] if distances else None
