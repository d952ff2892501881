"""The topics in memory, a source that does what it is told, and a clock that stands still."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from connectors.core.journal import Entry, JournalError
from connectors.core.live import State, Unheard
from connectors.core.source import Batch, SourceError
from schemas.codecs import encode
from schemas.records import FollowedChannel, Listener, SourceStatus
from schemas.topics import CHANNELS, LISTENERS

Phase = Literal["listening", "leaving", "left"]
NOW = 1_767_225_600_000


async def until(condition: Callable[[], object]) -> None:
    """Let everybody work until the condition holds; fails after 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "nothing more happens"
        await asyncio.sleep(0.001)


class StillClock:
    """Moves only by hand; whoever sleeps on it sleeps on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return NOW + round(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0 if seconds <= 0 else 3_600)


class Topics:
    """Both topics; `now_ms` is the broker's clock."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.now_ms = NOW
        self.down = False

    def append(self, topic: str, key: bytes, value: bytes | None) -> None:
        self.entries.append(Entry(topic, key, value, self.now_ms))

    def list_channel(self, channel: str, workspace: str = "default", added_at: int = NOW) -> None:
        record = FollowedChannel(workspace=workspace, channel=channel, added_at=added_at, added_by="cli")
        self.append(CHANNELS, f"{workspace}|{channel}".encode(), encode(record))

    def unlist(self, channel: str, workspace: str = "default") -> None:
        self.append(CHANNELS, f"{workspace}|{channel}".encode(), None)

    def beat(self, listener: str, *sources: SourceStatus, phase: Phase = "listening") -> None:
        record = Listener(
            listener=listener, started_at=NOW, beat_at=self.now_ms, phase=phase, sources=tuple(sources)
        )
        self.append(LISTENERS, listener.encode(), encode(record))


class MemoryJournal:
    """One reader of the topics."""

    def __init__(self, topics: Topics) -> None:
        self._topics, self._at = topics, 0

    def read(self, timeout_s: float) -> Sequence[Entry]:
        entries = self._topics.entries[self._at :]
        self._at += len(entries)
        return entries

    def read_to_end(self) -> Sequence[Entry]:
        if self._topics.down:
            raise JournalError("Kafka does not answer")
        return self.read(0)

    def write(self, topic: str, key: bytes, value: bytes | None) -> None:
        if self._topics.down:
            raise JournalError("Kafka does not answer")
        self._topics.append(topic, key, value)

    def close(self) -> None: ...


class ToldSource:
    """A ChannelSource: each channel is `live` as soon as it is followed; `error` ends it."""

    name = "told"

    def __init__(self) -> None:
        self.followed: dict[str, Unheard | None] = {}
        self.left: list[tuple[str, bool]] = []
        self.error: str | None = None
        self.stopped = False
        self._over = asyncio.Event()

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        return dict.fromkeys(self.followed, ("live", ""))

    def heard_at(self, channel: str) -> int | None:
        return NOW

    def follow(self, channel: str, *, unheard: Unheard | None = None) -> None:
        self.followed[channel] = unheard

    async def unfollow(self, channel: str, *, handed_over: bool = False) -> None:
        del self.followed[channel]
        self.left.append((channel, handed_over))

    def fail(self, reason: str) -> None:
        self.error = reason
        self._over.set()

    async def batches(self) -> AsyncIterator[Batch]:
        await self._over.wait()
        if self.error:
            raise SourceError(self.error)
        return
        yield

    async def acknowledge(self, position: int) -> None: ...

    def stop(self) -> None:
        self.stopped = True
        self._over.set()

    async def close(self) -> None: ...
