"""From scored lines to opinions: selects, asks once a text, remembers; drops what it cannot do in time."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cachetools import TTLCache

from connectors.clickhouse.routes import Row
from connectors.core.clock import Clock
from connectors.opinion import prompt
from connectors.opinion.asking import Asking
from connectors.opinion.endpoint import EndpointError, MisconfiguredError, TemporaryError
from connectors.opinion.figures import Figures
from connectors.opinion.limits import Limits
from connectors.opinion.metrics import OpinionMetrics
from connectors.opinion.selection import OpenAlerts, ScoredLine, Selection, Thresholds
from connectors.opinion.settings import OpinionSettings
from connectors.opinion.suspicion import looks_hostile
from connectors.opinion.waiting import Drop, Question, Waiting
from pipelines.core.text.normalise import normalise
from pipelines.core.text.scrub import scrub
from schemas.records import Alert, Opinion, OpinionReason
from schemas.topics import ALERTS

log = logging.getLogger(__name__)

Publish = Callable[[Sequence[Opinion]], None]
"""Hands opinions on; does not wait."""

_LONGEST_PAUSE_S: Final = 60.0
_LONGEST_WISH_S: Final = 3_600.0
"""A Retry-After beyond this is not believed."""
_line: Final = msgspec.json.Decoder(ScoredLine)
_alert: Final = msgspec.json.Decoder(Alert)


class Opinions:
    """`take` what Kafka brings while `run` runs, on one event loop.

    Memory is bounded by the settings: lines that wait, texts that are remembered. While the endpoint is down
    it is asked ever less often, up to once a minute, and lines that become too old are dropped.
    """

    def __init__(
        self,
        settings: OpinionSettings,
        asking: Asking,
        limits: Limits,
        thresholds: Thresholds,
        publish: Publish,
        metrics: OpinionMetrics,
        clock: Clock,
    ) -> None:
        self._settings, self._asking, self._limits = settings, asking, limits
        self._publish, self._metrics, self._clock = publish, metrics, clock
        self._alerts = OpenAlerts(settings.alerts)
        self._selection = Selection(settings, thresholds, self._alerts)
        self._known: TTLCache[bytes, Figures] = TTLCache(
            settings.cache_size, settings.cache_s, timer=clock.monotonic
        )
        self._waiting = Waiting(
            clock,
            batch=settings.batch,
            batch_wait_s=settings.batch_wait_s,
            max_lines=settings.max_waiting,
            max_age_s=settings.max_age_s,
            on_drop=self._count_drop,
        )
        self._failures = 0
        """Batches in a row that the endpoint did not answer."""

    def take(self, rows: Sequence[Row]) -> None:
        """Take in scored lines and alerts; opinions that are known are handed on at once."""
        now_ms = self._clock.now_ms()
        known: list[Opinion] = []
        for row in rows:
            if row.topic == ALERTS:
                self._see_alert(row, now_ms)
            elif row.appended_at is None or now_ms - row.appended_at <= self._settings.max_age_s * 1000:
                known += self._see_line(row, now_ms)
        self._metrics.waiting.set(self._waiting.lines)
        if known:
            self._metrics.lines.labels("cached").inc(len(known))
            self._publish(known)

    async def run(self) -> None:
        """Ask until cancelled; what is under way then is dropped."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._settings.parallel):
                tasks.create_task(self._serve())

    def _see_alert(self, row: Row, now_ms: int) -> None:
        try:
            self._alerts.see(_alert.decode(row.value or b""), min(row.appended_at or now_ms, now_ms))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._metrics.lines.labels("unreadable").inc()

    def _see_line(self, row: Row, now_ms: int) -> list[Opinion]:
        try:
            line = _line.decode(row.value or b"")
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._metrics.lines.labels("unreadable").inc()
            return []
        reason = self._selection.reason(line, now_ms)
        text = scrub(line.text, self._settings.max_text) if reason else ""
        canonical = normalise(text)
        if reason is None or not canonical:
            return []
        key = self._key(line.workspace, canonical)
        if (figures := self._known.get(key)) is not None:
            return [self._opinion(line, reason, figures, now_ms, cached=True)]
        self._waiting.add(key, text, alone=looks_hostile(text), line=line, reason=reason)
        return []

    async def _serve(self) -> None:
        while True:
            questions = await self._waiting.take()
            try:
                opinions = await self._answer(questions)
            finally:
                for question in questions:
                    self._waiting.done(question)
                self._metrics.waiting.set(self._waiting.lines)
            if opinions:
                self._publish(opinions)

    async def _answer(self, questions: Sequence[Question]) -> list[Opinion]:
        outcome = await self._asking.ask([question.text for question in questions])
        now_ms = self._clock.now_ms()
        opinions: list[Opinion] = []
        for place, question in enumerate(questions):
            figures = outcome.figures.get(place)
            if figures is None:
                lost = "unanswered" if outcome.failure is None else "failed"
                self._metrics.lines.labels(lost).inc(len(question.lines))
                continue
            self._known[question.key] = figures
            opinions += [
                self._opinion(line, reason, figures, now_ms, cached=at > 0)
                for at, (line, reason) in enumerate(question.lines)
            ]
        self._metrics.lines.labels("answered").inc(len(opinions))
        self._note(outcome.failure)
        return opinions

    def _note(self, failure: EndpointError | None) -> None:
        """Tell when the endpoint goes and comes; leave one that is down alone for a while."""
        if failure is None:
            if self._failures:
                log.info("the endpoint answers again")
            self._failures = 0
            self._metrics.degraded.set(0)
            return
        self._failures += 1
        pause_s = min(2.0 ** min(self._failures, 6), _LONGEST_PAUSE_S)
        if isinstance(failure, MisconfiguredError):
            pause_s = _LONGEST_PAUSE_S
        elif isinstance(failure, TemporaryError):
            pause_s = max(pause_s, min(failure.retry_after_s, _LONGEST_WISH_S))
        self._limits.pause(pause_s)
        self._metrics.degraded.set(1)
        if self._failures == 1:
            log.warning("the endpoint gives no opinions, lines are dropped: %s", failure)

    def _key(self, workspace: str, canonical: str) -> bytes:
        """What the cache knows a text by: its hash, since the text itself may have to be forgotten."""
        named = "\0".join((self._settings.model, prompt.VERSION, workspace, canonical))
        return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def _opinion(
        self, line: ScoredLine, reason: OpinionReason, figures: Figures, now_ms: int, *, cached: bool
    ) -> Opinion:
        return Opinion(
            workspace=line.workspace,
            channel=line.channel,
            stream_id=line.stream_id,
            message_id=line.message_id,
            sent_at=line.sent_at,
            expires_at=line.expires_at,
            given_at=now_ms,
            reason=reason,
            lang=line.lang,
            model=line.model,
            model_version=line.model_version,
            sentiment=line.sentiment,
            toxicity=line.toxicity,
            sarcasm=line.sarcasm,
            opinion_model=self._settings.model,
            prompt_version=prompt.VERSION,
            opinion_sentiment=figures.sentiment,
            opinion_toxicity=figures.toxicity,
            opinion_sarcasm=figures.sarcasm,
            cached=cached,
        )

    def _count_drop(self, why: Drop, lines: int) -> None:
        self._metrics.lines.labels(why).inc(lines)
