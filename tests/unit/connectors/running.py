"""A live source under way in a test."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from connectors.core.source import Record, Source
from connectors.core.testing import HeldClock
from schemas.records import ChatEvent, ChatMessage, DeadLetter

PATIENCE_S = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Let everybody work until the condition holds; fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing more happens"
        await asyncio.sleep(0.001)


async def passing(clock: HeldClock, condition: Callable[[], object]) -> None:
    """Move the clock on, second by second, until the condition holds; fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing more happens"
        await clock.advance(1.0)


@contextmanager
def playing(scene: Callable[[Callable[[str], None]], Awaitable[None]]) -> Iterator[str]:
    """A fake server with a loop of its own, beside the command under test; gives its address."""
    address: list[str] = []
    ready = threading.Event()

    def tell(url: str) -> None:
        address.append(url)
        ready.set()

    async def play() -> None:
        await scene(tell)

    thread = threading.Thread(target=lambda: asyncio.run(play()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield address[0]
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


class Running:
    """A source under way, and what it gave so far; all of it counts as delivered unless told otherwise."""

    def __init__(self, source: Source, *, delivers: bool = True) -> None:
        self.source = source
        self.delivers = delivers
        self.records: list[Record] = []
        self.error: BaseException | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def texts(self) -> list[str]:
        return [r.text for r in self.records if isinstance(r, ChatMessage) and r.kind == "message"]

    def events(self, kind: str) -> list[ChatEvent]:
        return [r for r in self.records if isinstance(r, ChatEvent) and r.kind == kind]

    @property
    def heartbeats(self) -> list[ChatMessage]:
        return [r for r in self.records if isinstance(r, ChatMessage) and r.kind == "heartbeat"]

    @property
    def dead_letters(self) -> list[DeadLetter]:
        return [r for r in self.records if isinstance(r, DeadLetter)]

    @property
    def states(self) -> list[tuple[str | None, str | None]]:
        return [(event.state, event.cause) for event in self.events("source_state")]

    async def stop(self) -> None:
        self.source.stop()
        await self._task

    async def _run(self) -> None:
        try:
            async for batch in self.source.batches():
                self.records.extend(batch.records)
                if self.delivers:
                    await self.source.acknowledge(batch.position)
        except Exception as error:
            self.error = error
        finally:
            await self.source.close()
