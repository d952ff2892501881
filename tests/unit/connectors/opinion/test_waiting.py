"""The queue of texts: bounded, each text once, workspaces apart."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from connectors.core.testing.clock import ManualClock
from connectors.opinion.selection import ScoredLine
from connectors.opinion.waiting import Waiting
from schemas.codecs import encode
from tests.unit.connectors.opinion.lines import near


class Queue:
    def __init__(self, **limits: Any) -> None:
        self.clock = ManualClock()
        self.dropped: Counter[str] = Counter()
        fields = {"batch": 3, "batch_wait_s": 2, "max_lines": 10, "max_age_s": 60} | limits
        self.waiting = Waiting(self.clock, on_drop=self._drop, **fields)

    def add(self, text: str, workspace: str = "default", *, alone: bool = False) -> None:
        line = msgspec.json.decode(encode(near(text, text, workspace)), type=ScoredLine)
        key = f"{workspace} {text}".encode()
        self.waiting.add(key, text, alone=alone, line=line, reason="toxicity")

    async def take(self) -> list[str]:
        questions = await asyncio.wait_for(self.waiting.take(), 10)
        for question in questions:
            self.waiting.done(question)
        return [question.text for question in questions]

    def _drop(self, why: str, lines: int) -> None:
        self.dropped[why] += lines


@pytest.fixture
def queue() -> Queue:
    return Queue()


async def test_a_full_batch_goes_at_once_and_a_part_of_one_after_a_while(queue: Queue) -> None:
    for text in "abcd":
        queue.add(text)
    assert await queue.take() == ["a", "b", "c"]
    assert queue.clock.monotonic() == 0
    assert await queue.take() == ["d"]
    assert queue.clock.monotonic() == pytest.approx(2)


async def test_whoever_waits_is_woken_by_a_line(queue: Queue) -> None:
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    for text in "abc":
        queue.add(text)
    assert await taking == ["a", "b", "c"]


async def test_a_text_is_asked_once_for_all_its_lines_also_those_that_come_meanwhile(queue: Queue) -> None:
    for _ in range(3):
        queue.add("a")
    (question,) = await queue.waiting.take()
    queue.add("a")
    assert len(question.lines) == queue.waiting.lines == 4
    queue.waiting.done(question)
    assert queue.waiting.lines == 0


async def test_texts_of_two_workspaces_share_no_batch(queue: Queue) -> None:
    for text in "ab":
        queue.add(text, "one")
        queue.add(text, "two")
    assert [await queue.take(), await queue.take()] == [["a", "b"], ["a", "b"]]


async def test_hostile_texts_go_alone_and_do_not_hold_up_the_others(queue: Queue) -> None:
    for text in "uvwx":
        queue.add(text, alone=True)
    for text in "abc":
        queue.add(text)
    assert [await queue.take() for _ in range(5)] == [["u"], ["a", "b", "c"], ["v"], ["w"], ["x"]]


async def test_where_there_is_no_room_the_oldest_give_way(queue: Queue) -> None:
    for number in range(25):
        queue.add(str(number))
    assert queue.waiting.lines == 10
    assert queue.dropped == {"dropped_full": 15}
    assert await queue.take() == ["15", "16", "17"]


async def test_a_flood_of_one_text_is_bounded_too(queue: Queue) -> None:
    for _ in range(25):
        queue.add("a")
    assert queue.waiting.lines == 10
    (question,) = await queue.waiting.take()
    for _ in range(25):
        queue.add("a")
    assert len(question.lines) == 10
    assert queue.dropped == {"dropped_full": 50 - 10}


async def test_what_has_become_old_is_dropped(queue: Queue) -> None:
    queue.add("a")
    queue.clock.advance(61)
    queue.add("b")
    assert await queue.take() == ["b"]
    assert queue.dropped == {"dropped_old": 1}
