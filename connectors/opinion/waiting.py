"""The texts that wait to be asked: each once however many lines have it, bounded in number and age."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from connectors.core.clock import Clock
from connectors.opinion.selection import ScoredLine
from schemas.records import OpinionReason

Drop = Literal["dropped_full", "dropped_old"]


@dataclass
class Question:
    """A text of one workspace, and the lines that have it."""

    key: bytes
    text: str
    workspace: str
    alone: bool
    """Whether it may share a request with others."""
    since: float
    lines: list[tuple[ScoredLine, OpinionReason]] = field(default_factory=list)


class Waiting:
    """Questions in the order of their coming; one event loop.

    A question that is being asked still takes in lines with its text, until `done`. Texts of two workspaces
    never share a batch. Questions that stand alone and batches take turns, so that a flood of the former
    does not hold up the latter.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        batch: int,
        batch_wait_s: float,
        max_lines: int,
        max_age_s: float,
        on_drop: Callable[[Drop, int], None],
    ) -> None:
        self._clock, self._batch, self._batch_wait_s = clock, batch, batch_wait_s
        self._max_lines, self._max_age_s, self._on_drop = max_lines, max_age_s, on_drop
        self._waiting: dict[bytes, Question] = {}
        self._asked: dict[bytes, Question] = {}
        self._alone_next = True
        self._came = asyncio.Event()
        self.lines = 0
        """Lines of all questions."""

    def add(self, key: bytes, text: str, *, alone: bool, line: ScoredLine, reason: OpinionReason) -> None:
        """Take a line in; where there is no room the oldest other question gives way, else the line."""
        question = self._asked.get(key) or self._waiting.get(key)
        while self.lines >= self._max_lines:
            oldest = next(iter(self._waiting.values()), None)
            if oldest is None or oldest is question:
                self._on_drop("dropped_full", 1)
                return
            self._drop(oldest, "dropped_full")
        if question is None:
            question = Question(key, text, line.workspace, alone, self._clock.monotonic())
            self._waiting[key] = question
        question.lines.append((line, reason))
        self.lines += 1
        self._came.set()

    async def take(self) -> list[Question]:
        """The next batch, once one is full or has waited long enough; each must be given to `done`."""
        while True:
            self._came.clear()
            self._drop_old()
            if found := self._due():
                for question in found:
                    self._asked[question.key] = self._waiting.pop(question.key)
                return found
            await self._change()

    def done(self, question: Question) -> None:
        """Forget a question that was taken."""
        del self._asked[question.key]
        self.lines -= len(question.lines)

    def _due(self) -> list[Question]:
        alone = next((one for one in self._waiting.values() if one.alone), None)
        batch = self._due_batch()
        if alone and (self._alone_next or not batch):
            self._alone_next = False
            return [alone]
        self._alone_next = True
        return batch

    def _due_batch(self) -> list[Question]:
        shared = [one for one in self._waiting.values() if not one.alone]
        due = self._clock.monotonic() - self._batch_wait_s
        for workspace in dict.fromkeys(one.workspace for one in shared):
            own = [one for one in shared if one.workspace == workspace]
            if len(own) >= self._batch or own[0].since <= due:
                return own[: self._batch]
        return []

    async def _change(self) -> None:
        """Wait for a line, or until the oldest question is due."""
        if not self._waiting:
            await self._came.wait()
            return
        until = next(iter(self._waiting.values())).since + self._batch_wait_s
        coming = asyncio.ensure_future(self._came.wait())
        sleeping = asyncio.ensure_future(self._clock.sleep(max(0.001, until - self._clock.monotonic())))
        try:
            await asyncio.wait({coming, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (coming, sleeping):
                task.cancel()
            await asyncio.gather(coming, sleeping, return_exceptions=True)

    def _drop_old(self) -> None:
        limit = self._clock.monotonic() - self._max_age_s
        for question in list(self._too_old(limit)):
            self._drop(question, "dropped_old")

    def _too_old(self, limit: float) -> Iterator[Question]:
        for question in self._waiting.values():
            if question.since >= limit:
                return
            yield question

    def _drop(self, question: Question, why: Drop) -> None:
        del self._waiting[question.key]
        self.lines -= len(question.lines)
        self._on_drop(why, len(question.lines))
