"""The scorer behind HTTP: bodies in, answers out, as one ASGI application."""

import json
import logging
import time
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from schemas.labels import BASIC, EMOTIONS
from schemas.scoring import REQUEST, SHARE_HEADER, Arm
from serving.scorer.backend import Scorer
from serving.scorer.batches import InvalidBatchError, conform_request
from serving.scorer.client import ARROW
from serving.scorer.dynamic_batch import BatchQueue, Bound, chunks, one_batch
from serving.scorer.metrics import ScorerMetrics
from serving.scorer.model_slot import ModelSlot
from serving.scorer.rows import rows_from_response
from serving.scorer.settings import BatchKnobs
from serving.scorer.trial import Trial

log = logging.getLogger(__name__)

_JSON: Final = "application/json"
_INLINE_BYTES: Final = 1 << 20
"""An Arrow body up to this size is decoded sooner than a thread takes it over."""


class _Row(msgspec.Struct):
    """One row of a JSON request; other keys are left out."""

    id: str
    text: str
    lang: str | None = None
    platform: str | None = None
    emotes: list[str] | None = None


class RequestTooLargeError(InvalidBatchError):
    """A request has more rows or bytes than the knobs allow."""


class ScoringService:
    """Turns request bodies into answers. Holds the model and the knobs; knows nothing of Ray.

    Args:
        slot: Holds the model in service.
        knobs: Limits, replaceable while it runs.
        trial: Holds model b while there is one.
    """

    def __init__(self, slot: ModelSlot, knobs: BatchKnobs, trial: Trial) -> None:
        self.slot = slot
        self.knobs = knobs
        self.trial = trial
        self._queue = BatchQueue(lambda batch: self._score(batch, self.slot.scorer, "a"), self._bound)
        self._trial_queue = BatchQueue(self._try, self._bound)
        self.metrics = ScorerMetrics()

    async def score_arrow(self, body: bytes, arm: Arm) -> bytes:
        """Answer an Arrow IPC stream by one.

        Raises:
            InvalidBatchError: If it is no such stream or breaks the contract.
        """
        if len(body) <= _INLINE_BYTES:
            batch = self._decode_arrow(body)
        else:
            batch = await run_in_threadpool(self._decode_arrow, body)
        return _encode_arrow(await self._answer(batch, arm))

    async def score_json(self, body: bytes, arm: Arm) -> dict[str, Any]:
        """Answer `{"rows": [{id, text, lang?, platform?, emotes?}]}`, a list of rows, or one row.

        Raises:
            InvalidBatchError: If it is not JSON of that form.
        """
        answer = await self._answer(await run_in_threadpool(self._decode_json, body), arm)
        identity = {name.decode(): value.decode() for name, value in answer.schema.metadata.items()}
        return identity | {"rows": await run_in_threadpool(rows_from_response, answer)}

    def info(self) -> dict[str, Any]:
        """What this scorer is, and which model is on its way into service."""
        scorer = self.slot.scorer
        return {
            "model": scorer.name,
            "model_version": scorer.version,
            "wanted": self.slot.wanted,
            "loading": self.slot.loading,
            "failure": self.slot.failure,
            "emotions": EMOTIONS,
            "basic": BASIC,
            "knobs": self.knobs.model_dump(),
            "trial": self.trial.info(),
        }

    def _bound(self) -> Bound:
        return Bound(self.knobs.chunk_rows, self.knobs.chunk_tokens)

    def _decode_arrow(self, body: bytes) -> pa.RecordBatch:
        try:
            with pa.ipc.open_stream(body) as reader:
                table = reader.read_all()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
            raise InvalidBatchError(f"the body is no Arrow IPC stream: {error}") from error
        try:
            # Buffers are validated before anything reads them.
            table.validate(full=True)
        except pa.ArrowInvalid as error:
            raise InvalidBatchError(f"the Arrow stream is corrupt: {error}") from error
        return self._accepted(one_batch(table))

    def _decode_json(self, body: bytes) -> pa.RecordBatch:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InvalidBatchError(f"the body is no JSON: {error}") from error
        rows = value.get("rows", [value]) if isinstance(value, dict) else value
        try:
            typed = msgspec.convert(rows, list[_Row])
            batch = pa.RecordBatch.from_pylist([msgspec.structs.asdict(row) for row in typed], schema=REQUEST)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            raise InvalidBatchError(f"not a row or a list of rows (id, text, lang, …): {error}") from error
        return self._accepted(batch)

    def _accepted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows > self.knobs.max_rows:
            raise RequestTooLargeError(f"{batch.num_rows} rows; at most {self.knobs.max_rows} a request")
        return conform_request(batch)

    async def _answer(self, batch: pa.RecordBatch, arm: Arm) -> pa.RecordBatch:
        """Score by the arm's model; where b fails or is not there, by a: a trial costs no line."""
        if arm == "b" and self.trial.scorer is not None:
            try:
                return await self._trial_queue.score(batch)
            except Exception as error:
                self.metrics.trial_failures.inc()
                log.warning("the other model failed, the one in service answers: %s", type(error).__name__)
        return await self._queue.score(batch)

    def _try(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        scorer = self.trial.scorer
        if scorer is None:
            raise RuntimeError("the trial has ended")
        return self._score(batch, scorer, "b")

    def _score(self, batch: pa.RecordBatch, scorer: Scorer, arm: Arm) -> pa.RecordBatch:
        """Score rows in pieces that the model takes at once, all by this model."""
        began = time.perf_counter()
        parts = [scorer.score(piece) for piece in chunks(batch, self._bound())]
        answer = parts[0] if len(parts) == 1 else one_batch(pa.Table.from_batches(parts))
        self.metrics.model_seconds.labels(arm).inc(time.perf_counter() - began)
        self.metrics.lines.labels(arm).inc(batch.num_rows)
        self.metrics.abstained.labels(arm).inc(pc.sum(answer["abstained"]).as_py() or 0)
        return answer


def build_app(service: ScoringService) -> FastAPI:
    """The ASGI application: POST /score (Arrow or JSON by content type), GET /healthz, /info and /metrics."""
    app = FastAPI(title="Pulse scorer", docs_url=None, redoc_url=None)

    @app.post("/score")
    async def score(request: Request, arm: Arm = "a") -> Response:
        """Score a batch: Arrow IPC in and out, or JSON in and out.

        While an A/B test runs, SHARE_HEADER says which share of the streams belongs to arm b.
        """
        began, outcome = time.perf_counter(), "failed"
        try:
            response = await answer(request, arm)
            if share := service.trial.share:
                response.headers[SHARE_HEADER] = str(share)
            outcome = "scored" if response.status_code == 200 else "refused"
            return response
        finally:
            service.metrics.requests.labels(outcome).inc()
            service.metrics.seconds.observe(time.perf_counter() - began)

    async def answer(request: Request, arm: Arm) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (ARROW, _JSON):
            return _error(415, f"content type {kind or 'missing'}: send {ARROW} or {_JSON}")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > service.knobs.max_body_bytes:
                return _error(413, f"more than {service.knobs.max_body_bytes} bytes")
        try:
            if kind == ARROW:
                return Response(await service.score_arrow(bytes(body), arm), media_type=ARROW)
            return JSONResponse(await service.score_json(bytes(body), arm))
        except RequestTooLargeError as error:
            return _error(413, str(error))
        except InvalidBatchError as error:
            return _error(422, str(error))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive, with the model loaded."""
        return {"status": "ok"}

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus metrics of this replica."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/info")
    async def info() -> dict[str, Any]:
        """Model, version, label order, limits."""
        return service.info()

    return app


def _encode_arrow(answer: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_batch(answer)
    return bytes(sink.getvalue())


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)
