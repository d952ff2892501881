"""Requests that wait go through the model together, within the bound, and fail by their own fault only."""

import asyncio
import threading

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.scorer.dynamic_batch import BatchQueue, Bound, chunks, estimated_tokens

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])


def _batch(*texts: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(texts), pa.array(texts)], schema=SCHEMA)


class Model:
    """Answers each batch by itself; holds the first one until `busy` is cleared; refuses the text "bad"."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.entered, self.go = threading.Event(), threading.Event()

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.entered.set()
        assert self.go.wait(10)
        texts = batch["text"].to_pylist()
        self.batches.append(texts)
        self.threads.add(threading.get_ident())
        if "bad" in texts:
            raise ValueError("refused")
        return batch


async def _while_busy(
    model: Model, bound: Bound, *requests: pa.RecordBatch
) -> list[pa.RecordBatch | Exception]:
    """The outcomes of requests that all come while the model works on another one."""
    queue = BatchQueue(model.score, lambda: bound)
    first = asyncio.create_task(queue.score(_batch("first")))
    await asyncio.to_thread(model.entered.wait, 10)
    others = [asyncio.create_task(queue.score(request)) for request in requests]
    await asyncio.sleep(0)
    model.go.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


async def test_what_came_meanwhile_is_scored_together_and_each_gets_its_own_rows() -> None:
    model = Model()
    requests = [_batch("a"), _batch("b", "c"), _batch(), _batch("d")]
    answers = await _while_busy(model, Bound(100, 100), *requests)
    assert model.batches == [["first"], ["a", "b", "c", "d"]]
    assert all(answer.equals(request) for answer, request in zip(answers, requests, strict=True))
    assert len(model.threads) == 1


@pytest.mark.parametrize("bound", [Bound(3, 1_000), Bound(1_000, 3)])
async def test_a_batch_ends_where_rows_or_tokens_do(bound: Bound) -> None:
    model = Model()
    await _while_busy(model, bound, _batch("a", "b"), _batch("c"), _batch("d", "e"), _batch("f"))
    assert model.batches == [["first"], ["a", "b", "c"], ["d", "e", "f"]]


async def test_a_request_above_the_bound_goes_alone() -> None:
    model = Model()
    answers = await _while_busy(model, Bound(2, 1_000), _batch("a", "b", "c"), _batch("d"))
    assert model.batches == [["first"], ["a", "b", "c"], ["d"]]
    assert [answer.num_rows for answer in answers] == [3, 1]


async def test_one_bad_request_does_not_fail_its_company() -> None:
    model = Model()
    answers = await _while_busy(model, Bound(10, 100), _batch("a"), _batch("bad"), _batch("b"))
    assert [isinstance(answer, ValueError) for answer in answers] == [False, True, False]


async def test_a_caller_that_gives_up_disturbs_nobody() -> None:
    model = Model()
    queue = BatchQueue(model.score, lambda: Bound(10, 100))
    first = asyncio.create_task(queue.score(_batch("a")))
    await asyncio.to_thread(model.entered.wait, 10)
    gone, stays = (asyncio.create_task(queue.score(_batch(text))) for text in ("b", "c"))
    await asyncio.sleep(0)
    gone.cancel()
    model.go.set()
    assert (await first).num_rows == (await stays).num_rows == 1
    assert (await queue.score(_batch("d"))).num_rows == 1


@given(st.lists(st.text(max_size=60), max_size=30), st.integers(1, 8), st.integers(1, 40))
def test_chunks_hold_every_row_in_order_within_the_bound(texts: list[str], rows: int, tokens: int) -> None:
    batch = _batch(*(text.encode("utf-8", "ignore").decode() for text in texts))
    pieces = chunks(batch, Bound(rows, tokens))
    assert pa.Table.from_batches(pieces).equals(pa.Table.from_batches([batch]))
    for piece in pieces:
        assert piece.num_rows <= rows
        assert piece.num_rows <= 1 or estimated_tokens(piece["text"]).sum() <= tokens
