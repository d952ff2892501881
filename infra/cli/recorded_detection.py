"""Detection over recorded chat without servers: the replay's records, the engine, the model in process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from connectors.core.pseudonyms import Pseudonyms
from connectors.replay.records import open_timeline
from connectors.replay.spool import Spool
from pipelines.core.detection.engine import Engine
from pipelines.core.detection.stream import Output
from pipelines.core.detection.traces import Report
from pipelines.core.detection.wave import Waves
from pipelines.core.scored import score_integers, score_request, scored_message
from pipelines.core.windows import aggregate
from schemas.records import Alert, ChatMessage, DeadLetter, ScoredMessage, Window
from serving.scorer.backend import Scorer

RUN_ID: Final = "recorded"
CHUNK: Final = 2_048
"""Records taken together: one model call each."""
WINDOW_MS: Final = 1_000
PSEUDONYMS: Final = Pseudonyms("offline", bytes(32), "replay")
"""Nothing leaves this process, so the key need not be secret; a fixed one makes runs repeatable."""
STARTED_AT_MS: Final = 1_893_456_000_000
"""2030-01-01. Only differences of times matter; a recording may last as long as the years since 2000."""


@dataclass(frozen=True)
class Found:
    """A closed episode; times of the alert are the engine's, `origin_ms` is offset 0 of its stream."""

    alert: Alert
    stream: str
    channels: tuple[str, ...]
    origin_ms: int


class RecordedDetection:
    """One pass over some files; read counts after iterating."""

    def __init__(
        self,
        paths: Sequence[Path],
        scorer: Scorer | None,
        *,
        refused: Callable[[DeadLetter], None],
        on_bytes: Callable[[int], None] | None = None,
        on_lines: Callable[[int, int], None] | None = None,
    ) -> None:
        self._paths = paths
        self._scorer = scorer
        self._refused = refused
        self._on_bytes = on_bytes
        self._on_lines = on_lines
        self.lines = 0

    def episodes(self) -> Iterator[Found]:
        """Yield each episode when it closes, in the order in which a live system would see them close.

        Raises:
            OSError: a file cannot be read.
            RecordingError: the recording is longer than any clock.
        """
        with Spool() as spool:
            timeline = open_timeline(
                spool,
                self._paths,
                run_id=RUN_ID,
                started_at_ms=STARTED_AT_MS,
                pseudonyms=PSEUDONYMS,
                on_bytes=self._on_bytes,
            )
            names = {f"{RUN_ID}/{stream.name}": stream for stream in spool.streams}
            total = sum(stream.lines for stream in spool.streams)
            for alert in self._alerts(timeline.records(lambda: STARTED_AT_MS), total):
                stream = names[alert.stream_id]
                yield Found(
                    alert=alert,
                    stream=stream.name,
                    channels=tuple(names[name].name for name in alert.channels),
                    origin_ms=timeline.base_ms + stream.start_ms,
                )

    def _alerts(self, records: Iterator[ChatMessage | DeadLetter], total: int) -> Iterator[Alert]:
        engine, waves = Engine(), Waves(live=False)
        windows = _Windows(self._scorer) if self._scorer is not None else None
        while chunk := list(islice(records, CHUNK)):
            messages = [record for record in chunk if isinstance(record, ChatMessage)]
            for record in chunk:
                if isinstance(record, DeadLetter):
                    self._refused(record)
            fed = windows.between(messages) if windows is not None else messages
            output = engine.process(fed)
            yield from _closed(output.alerts)
            yield from _closed(_joined(waves, engine, output))
            self.lines += sum(message.kind == "message" for message in messages)
            if self._on_lines is not None:
                self._on_lines(self.lines, total)
        yield from _closed(waves.finish())


def _closed(alerts: Iterable[Alert]) -> Iterator[Alert]:
    return (alert for alert in alerts if alert.state == "closed")


def _joined(waves: Waves, engine: Engine, output: Output) -> list[Alert]:
    """What the streams of the recording say together: one run of one workspace."""
    for upto in engine.progress().values():
        waves.take(Report(0, upto, output.traces))
    return waves.advance()


class _Windows:
    """Puts 1 s windows between the records, each before the first record after its end.

    Records come merged by time, so a window is whole when it is due; a second that a chunk cuts in two is
    given again, whole, with the next chunk. The engine uses windows with its fixed lag, as live.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._held: list[ScoredMessage] = []

    def between(self, records: list[ChatMessage]) -> Iterator[ChatMessage | Window]:
        """The records with the windows that end before each of them."""
        lines = [record for record in records if record.kind == "message"]
        scored = self._held + self._score(lines)
        due = sorted(aggregate(scored, WINDOW_MS), key=_end)
        last = max((record.sent_at for record in records), default=0)
        self._held = [line for line in scored if line.sent_at >= last - last % WINDOW_MS]
        at = 0
        for record in records:
            while at < len(due) and _end(due[at]) <= record.sent_at:
                yield due[at]
                at += 1
            yield record

    def _score(self, lines: list[ChatMessage]) -> list[ScoredMessage]:
        if not lines:
            return []
        answer = self._scorer.score(score_request(lines))
        langs = answer.column("lang").to_pylist()
        abstained = answer.column("abstained").to_pylist()
        return [
            scored_message(
                line,
                integers,
                lang=langs[row],
                abstained=abstained[row],
                model=self._scorer.name,
                model_version=self._scorer.version,
                scored_at=line.received_at,
                late_ms=0,
                state_ttl_ms=0,
            )
            for row, (line, integers) in enumerate(zip(lines, score_integers(answer).tolist(), strict=True))
        ]


def _end(window: Window) -> int:
    return window.start_ms + window.size_ms
