"""From texts to opinions: batches that a hostile text cannot spoil for the others."""

import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from connectors.core.clock import Clock
from connectors.opinion import controls
from connectors.opinion.answer import MalformedAnswerError, Reading, read
from connectors.opinion.endpoint import Completion, Endpoint, EndpointError, RefusedError, TemporaryError
from connectors.opinion.figures import Figures
from connectors.opinion.limits import Limits
from connectors.opinion.metrics import OpinionMetrics
from connectors.opinion.prompt import estimated_tokens, new_id

log = logging.getLogger(__name__)

LONGEST_WAIT_S: Final = 60.0
"""An endpoint that wants a longer pause gets it from the caller: this batch is given up."""
_jitter: Final = wait_random_exponential(multiplier=0.5, max=10)


class Outcome(NamedTuple):
    """Figures by the text's place in what was asked; `failure` is why the endpoint is of no use just now."""

    figures: dict[int, Figures]
    failure: EndpointError | None = None


class _Judged(NamedTuple):
    figures: dict[int, Figures]
    trusted: bool
    """Whether no text can have changed another one's figures."""


class Asking:
    """Asks about texts; several calls may be under way at once.

    Several texts share a request only together with control texts (`controls`). An answer that is malformed
    is asked for again in halves, down to single texts; one that breaks the rules, or whose controls are
    wrong, is asked for again text by text. So a text can spoil its own figures at most.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limits: Limits,
        metrics: OpinionMetrics,
        clock: Clock,
        attempts: int,
        chance: random.Random | None = None,
    ) -> None:
        self._endpoint, self._limits, self._metrics, self._clock = endpoint, limits, metrics, clock
        self._attempts = attempts
        self._chance = chance or random.SystemRandom()

    async def ask(self, texts: Sequence[str]) -> Outcome:
        """The opinions on these texts; a text without figures got no valid answer."""
        figures: dict[int, Figures] = {}
        refusal: EndpointError | None = None
        answered = False
        pieces = deque([tuple(range(len(texts)))])
        while pieces:
            piece = pieces.popleft()
            try:
                judged = await self._judge(texts, piece)
            except RefusedError as error:
                refusal = error
                half = len(piece) // 2
                pieces.extend(part for part in (piece[:half], piece[half:]) if len(piece) > 1)
                continue
            except EndpointError as error:
                return Outcome(figures, error)
            answered = True
            if judged.trusted:
                figures |= judged.figures
            elif len(piece) > 1:
                pieces.extend((place,) for place in piece)
        # of one text it says nothing about the endpoint, of several it does
        return Outcome(figures, None if answered or len(texts) == 1 else refusal)

    async def _judge(self, texts: Sequence[str], piece: Sequence[int]) -> _Judged:
        """One answer about some of the texts.

        Raises:
            EndpointError: there is none, or it is not of the form that was asked for (RefusedError).
        """
        places = {new_id(): place for place in piece}
        controlled = {new_id(): kind for kind in controls.TEXTS} if len(piece) > 1 else {}
        drawn = controls.draw(self._chance)
        asked = [(id_, texts[place]) for id_, place in places.items()]
        asked += [(id_, drawn[kind]) for id_, kind in controlled.items()]
        self._chance.shuffle(asked)
        completion = await self._complete(dict(asked))
        reading = self._read(completion, [id_ for id_, _ in asked])
        found = {kind: reading.figures[id_] for id_, kind in controlled.items() if id_ in reading.figures}
        trusted = not reading.suspect
        if trusted and controlled and not controls.hold(found):
            self._metrics.faults.labels("control").inc()
            trusted = False
        return _Judged(
            {place: reading.figures[id_] for id_, place in places.items() if id_ in reading.figures}, trusted
        )

    def _read(self, completion: Completion, ids: Sequence[str]) -> Reading:
        try:
            reading = read(completion.content, ids)
        except MalformedAnswerError:
            self._metrics.faults.labels("malformed").inc()
            raise RefusedError("malformed", "its answer is not of the form that was asked for") from None
        for fault, times in reading.faults.items():
            self._metrics.faults.labels(fault).inc(times)
        return reading

    async def _complete(self, texts: dict[str, str]) -> Completion:
        tokens = estimated_tokens(texts)

        async def once() -> Completion:
            spent = await self._limits.wait(tokens)
            began = self._clock.monotonic()
            try:
                completion = await self._endpoint.complete(texts)
            except EndpointError as error:
                self._metrics.requests.labels(error.reason).inc()
                raise
            self._metrics.requests.labels("answered").inc()
            self._metrics.seconds.observe(self._clock.monotonic() - began)
            spent.tokens = completion.tokens or spent.tokens
            self._metrics.tokens.inc(spent.tokens)
            return completion

        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            wait=_pause_s,
            stop=lambda state: stop_after_attempt(self._attempts)(state) or _wish(state) > LONGEST_WAIT_S,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return await attempts(once)


def _wish(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after_s if isinstance(error, TemporaryError) else 0


def _pause_s(state: RetryCallState) -> float:
    return max(_wish(state), _jitter(state))
