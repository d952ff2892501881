"""Dynamic batching: requests that wait for the model go through it together, bounded by tokens and rows."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BYTES_PER_TOKEN: Final = 4
"""UTF-8 bytes of a word piece, roughly; a bound on memory and time, not a count."""


class Bound(NamedTuple):
    """What one call of the model may hold; a single longer line goes alone."""

    rows: int
    tokens: int


class _Waiting(NamedTuple):
    batch: pa.RecordBatch
    tokens: int
    answer: asyncio.Future[pa.RecordBatch]


class BatchQueue:
    """Puts requests that wait while the model is busy into one batch. Belongs to one event loop at a time.

    Nothing waits for company: an idle model takes a request at once, a busy one all that came meanwhile.
    (`ray.serve.batch` closes its batches before it is their turn, and refuses a request above its bound.)
    The model is called from one thread, one batch at a time. A batch that the model refuses is tried again
    request by request, so that a request fails by its own fault only.

    Args:
        score: Scores one batch; called in the thread.
        bound: What a batch may hold, asked anew for each.
    """

    def __init__(self, score: Callable[[pa.RecordBatch], pa.RecordBatch], bound: Callable[[], Bound]) -> None:
        self._score, self._bound = score, bound
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="score")
        self._runner: asyncio.Task[None] | None = None

    async def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a request's rows; raises what the model raises for them."""
        loop = asyncio.get_running_loop()
        request = _Waiting(batch, int(estimated_tokens(batch["text"]).sum()), loop.create_future())
        self._waiting.append(request)
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run())
        return await request.answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken = self._take()
            try:
                answers = await loop.run_in_executor(self._thread, self._together, taken)
            except Exception as error:
                if len(taken) == 1:
                    _settle(taken[0], error)
                    continue
                await self._apart(taken)
            else:
                for request, answer in zip(taken, answers, strict=True):
                    _settle(request, answer)

    async def _apart(self, taken: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        for request in taken:
            try:
                _settle(request, (await loop.run_in_executor(self._thread, self._together, [request]))[0])
            except Exception as error:
                _settle(request, error)

    def _take(self) -> list[_Waiting]:
        """The requests at the front that fit into one call of the model; at least one."""
        bound = self._bound()
        taken = [self._waiting.popleft()]
        rows, tokens = taken[0].batch.num_rows, taken[0].tokens
        while self._waiting:
            request = self._waiting[0]
            rows, tokens = rows + request.batch.num_rows, tokens + request.tokens
            if rows > bound.rows or tokens > bound.tokens:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _together(self, taken: list[_Waiting]) -> list[pa.RecordBatch]:
        if len(taken) == 1:
            return [self._score(taken[0].batch)]
        answer = self._score(one_batch(pa.Table.from_batches([request.batch for request in taken])))
        ends = np.cumsum([request.batch.num_rows for request in taken])
        return [
            answer.slice(end - request.batch.num_rows, request.batch.num_rows)
            for request, end in zip(taken, ends.tolist(), strict=True)
        ]


def chunks(batch: pa.RecordBatch, bound: Bound) -> list[pa.RecordBatch]:
    """The batch in pieces within the bound, in order; one piece at least, even of no rows."""
    ends = np.cumsum(estimated_tokens(batch["text"]))
    pieces: list[pa.RecordBatch] = []
    start = 0
    while start < batch.num_rows or not pieces:
        before = ends[start - 1] if start else 0
        fit = int(np.searchsorted(ends, before + bound.tokens, side="right"))
        end = min(max(fit, start + 1), start + bound.rows)
        pieces.append(batch.slice(start, end - start))
        start = end
    return pieces


def estimated_tokens(texts: pa.StringArray) -> NDArray[np.int64]:
    """Tokens of each text, estimated from its bytes: one a line and one for every BYTES_PER_TOKEN bytes."""
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    counts: NDArray[np.int64] = lengths.astype(np.int64) // BYTES_PER_TOKEN + 1
    return counts


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """All rows of a table as one batch, even where there are none."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _settle(request: _Waiting, outcome: pa.RecordBatch | Exception) -> None:
    if request.answer.done():  # the caller has gone
        return
    if isinstance(outcome, Exception):
        request.answer.set_exception(outcome)
    else:
        request.answer.set_result(outcome)
