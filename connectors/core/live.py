"""What every live platform shares: the way out of a source, its channels' states, gaps and heartbeats."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

from connectors.core.channel_records import ChannelRecords
from connectors.core.clock import Clock
from connectors.core.coverage import Coverage, Gap
from connectors.core.heartbeats import SILENT_MS
from connectors.core.sealing import Sealer
from connectors.core.seen import SeenIds
from connectors.core.source import Batch, Record, SourceError
from schemas.codecs import InvalidRecordError
from schemas.records import ChatMessage, DeadLetter

State = Literal["connecting", "live", "degraded", "offline", "blocked"]
OnState = Callable[[str, State, str], None]
Worker = Coroutine[Any, Any, str | None]
"""Keeps channels heard; returns None (there is nothing more to hear), or why the platform does not let it."""

MAX_BATCH: Final = 500
ON_THE_WAY_MS: Final = 1_000
"""A heartbeat stays so far behind the last sign of life: lines said before it may still be on their way."""


REPEAT_MS: Final = 4_000
"""A heartbeat is repeated after so long where the platform gives signs of life more seldom."""


class Link(Protocol):
    """One connection to a platform, as far as the feed must know it."""

    @property
    def number(self) -> int:
        """Tells connections apart."""

    @property
    def last_received_ms(self) -> int:
        """When the other side was surely alive."""


class Unheard(NamedTuple):
    """Since when (ms) nobody has heard a channel, and why, in a word for the gap record."""

    since_ms: int
    cause: str


class LiveFeed:
    """The outgoing side of a live source: connections tell it what they hear, the runner takes batches.

    A channel is known by the key under which it was added. Records whose id came before are dropped, so two
    connections may hear the same channel. What nobody heard is a `gap` event with its span and cause, each
    change of a channel's state a `source_state` event, and a channel that is heard but silent has a heartbeat
    a second: blind never looks like calm.

    Not thread-safe: everything happens on the runner's event loop.
    """

    def __init__(
        self,
        platform: str,
        *,
        clock: Clock,
        sealer: Sealer,
        workspace: str = "default",
        queue_records: int = 10_000,
        advice: str = "check the credentials",
        promised_ms: int = 0,
        on_state: OnState | None = None,
    ) -> None:
        """Prepare.

        Args:
            platform: as in `platform:name`.
            clock: stamps records.
            sealer: encrypts the bytes of dead letters, which may hold names.
            workspace: whose data it is.
            queue_records: records held while Kafka is slower; then `put` waits.
            advice: what to do where the platform blocks every worker, as the end of the error's sentence.
            promised_ms: the platform promises a sign of life at least so often; where that is seldom, a
                silent channel's last heartbeat is repeated in between, so that no reader takes it for lost.
            on_state: told of each change of a channel: key, state, reason.
        """
        self._platform = platform
        self._clock = clock
        self._sealer = sealer
        self._workspace = workspace
        self._queue_records = queue_records
        self._advice = advice
        self._promised_ms = promised_ms
        self._on_state = on_state
        self._channels: dict[str, ChannelRecords] = {}
        self._coverage = Coverage()
        self._links: dict[str, dict[int, Link]] = {}
        self._states: dict[str, tuple[State, str]] = {}
        self._heard_ms: dict[str, int] = {}
        """Up to when each channel's clock was moved, by a line or a heartbeat."""
        self._beaten_ms: dict[str, int] = {}
        """When each channel had its last heartbeat."""
        self._seen = SeenIds()
        self._held: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._position = 0
        self._delivered = 0
        self._delivery = asyncio.Event()
        self._stopped = False
        self._workers: list[asyncio.Task[str | None]] | None = None
        """Those of `batches`; None while it is not under way."""
        self._events = 0

    @property
    def name(self) -> str:
        """The platform and its first channel, with how many more there are."""
        first, *more = [*self._channels, "none"]
        return f"{self._platform}:{first}" + (f"+{len(more) - 1}" if len(more) > 1 else "")

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        """Each channel's state and its reason."""
        return dict(self._states)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def add(self, key: str, records: ChannelRecords, *, unheard: Unheard | None = None) -> None:
        """Follow a channel from now on.

        Args:
            key: names the channel here.
            records: makes its records.
            unheard: since when, and why, nobody has heard it: a gap, once somebody does.
        """
        self._channels[key] = records
        if unheard:
            self._coverage.miss(key, unheard.since_ms, unheard.cause)
        if self._workers is not None:
            self.set_state(key, "connecting", "")

    def remove(self, key: str, reason: str = "removed", *, handed_over: bool = False) -> None:
        """Follow a channel no more; its stream is over: a closing heartbeat and the state `offline`.

        Args:
            key: the channel.
            reason: why, for people.
            handed_over: another process hears it already: its stream goes on, and nothing is said here.
        """
        if key not in self._channels:
            return
        if not handed_over:
            self.set_state(key, "offline", reason)
        records, now = self._channels.pop(key), self._clock.now_ms()
        self._beaten_ms.pop(key, None)
        heard = max(self._heard_ms.pop(key, 0), min(now, self._alive_ms(key)))
        if heard and not handed_over:
            self.hold(records.heartbeat(heard, heard, now, closing=True))
        self._coverage.forget(key)
        self._links.pop(key, None)
        self._states.pop(key, None)

    def heard_at(self, key: str) -> int | None:
        """Up to when (ms) the channel was surely heard; None where it never was."""
        return max(self._heard_ms.get(key, 0), self._alive_ms(key)) or None

    def begin_stream(self, key: str, stream_id: str) -> None:
        """What comes from now on belongs to that stream; another one before it, if heard, is over."""
        records, now = self._channels[key], self._clock.now_ms()
        if records.stream_id == stream_id:
            return
        if heard := self._heard_ms.get(key):
            self.hold(records.heartbeat(heard, heard, now, closing=True))
        records.stream_id = stream_id

    def covers(self, key: str) -> bool:
        """Whether any connection hears the channel."""
        return self._coverage.covers(key)

    def hear(self, link: Link, key: str, *, recovered: int = 0) -> None:
        """The connection hears the channel from now on: it is live, and a gap is over where there was one.

        Args:
            link: the connection.
            key: the channel.
            recovered: lines of the gap that the platform handed over afterwards.
        """
        now = self._clock.now_ms()
        self._links.setdefault(key, {})[link.number] = link
        if gap := self._coverage.hear(link.number, key, now):
            self._gap(gap, recovered)
        self._heard_ms[key] = max(self._heard_ms.get(key, 0), now)
        self.set_state(key, "live", "")

    def lose(self, link: Link, cause: str) -> list[str]:
        """The connection is gone; returns the channels that nobody hears now."""
        for links in self._links.values():
            links.pop(link.number, None)
        return self._coverage.lose(link.number, link.last_received_ms, cause)

    def leave(self, link: Link, key: str, cause: str) -> None:
        """The connection hears that channel no more."""
        self._links.get(key, {}).pop(link.number, None)
        self._coverage.leave(link.number, key, link.last_received_ms, cause)

    def set_state(self, key: str, state: State, reason: str) -> None:
        """Note a channel's state; a change is an event."""
        if key not in self._channels or self._states.get(key) == (state, reason):
            return
        self._states[key] = (state, reason)
        self._events += 1
        now = self._clock.now_ms()
        identity = f"{key}/{now}-{self._events}"
        self.hold(
            self._channels[key].event("source_state", identity, now, now, cause=reason or None, state=state)
        )
        if self._on_state:
            self._on_state(key, state, reason)

    async def put(self, key: str, record: Record) -> bool:
        """Pass a record on unless its id came before; waits for room. Returns whether it was new."""
        if isinstance(record, ChatMessage):
            if not self._seen.is_new(record.message_id):
                return False
            self._heard_ms[key] = max(self._heard_ms.get(key, 0), record.sent_at)
        elif not isinstance(record, DeadLetter) and not self._seen.is_new(record.event_id):
            return False
        await self._put(record)
        return True

    async def refused(self, raw: bytes, error: InvalidRecordError) -> None:
        """Make a dead letter of what cannot be read; the same bytes are the same dead letter."""
        await self._put(
            DeadLetter(
                dlq_id=f"{self._platform}/{hashlib.sha256(raw).hexdigest()[:32]}",
                workspace=self._workspace,
                stage=self._platform,
                source=self.name,
                partition=-1,
                position=-1,
                error_class=error.error_class,
                error=str(error),
                raw=self._sealer.seal(raw),
                seen_at=self._clock.now_ms(),
            )
        )

    def hold(self, record: Record) -> None:
        """Pass a record on without waiting: for the few that must not be held up."""
        self._held.append(record)
        self._position += 1
        self._arrived.set()

    @property
    def position(self) -> int:
        """The position, as in `Batch`, of the newest record that was put or held."""
        return self._position

    def acknowledge(self, position: int) -> None:
        """All records up to there are in Kafka."""
        self._delivered = max(self._delivered, position)
        self._delivery.set()

    async def delivered(self, position: int) -> None:
        """Return when all records up to there are in Kafka, for platforms that wait to be told so."""
        while self._delivered < position:
            self._delivery.clear()
            await self._delivery.wait()

    def stop(self) -> None:
        """Ask `batches` to end soon; what was heard is still yielded."""
        self._stopped = True
        self._arrived.set()

    def start(self, worker: Worker) -> None:
        """Run one more worker beside those of `batches`, which is under way."""
        if self._workers is None or self._stopped:
            worker.close()
            return
        task = asyncio.create_task(worker)
        task.add_done_callback(lambda _: self._arrived.set())
        self._workers.append(task)

    async def batches(self, workers: Sequence[Worker]) -> AsyncIterator[Batch]:
        """Run the workers (and those that `start` adds) and yield what they put, until stopped or all ended.

        Args:
            workers: keep channels heard.

        Raises:
            SourceError: every worker has ended, at least one because it was blocked.
        """
        if self._stopped:
            for worker in workers:
                worker.close()
            return
        running = self._workers = []
        for worker in workers:
            self.start(worker)
        beats = asyncio.create_task(self._beat())
        position = 0
        try:
            for key in list(self._channels):
                self.set_state(key, "connecting", "")
            while not self._stopped:
                self._arrived.clear()
                if self._held:
                    batch = self._take(MAX_BATCH)
                    position += len(batch)
                    yield Batch(batch, position)
                    continue
                ends = [task.result() for task in running if task.done()]  # raises where one broke
                if len(ends) == len(running):
                    if blocked := [end for end in ends if end]:
                        raise SourceError(f"{blocked[0]}; {self._advice}")
                    break
                await self._arrived.wait()
        finally:
            for gap in self._coverage.unheard(self._clock.now_ms()):
                self._gap(gap, 0)
            self._stopped = True
            self._room.set()
            await asyncio.sleep(0)  # a reader that waited for room hands over the rest of its frame
            for task in (*running, beats):
                task.cancel()
            await asyncio.gather(*running, beats, return_exceptions=True)
        if self._held:
            rest = self._take(len(self._held))
            yield Batch(rest, position + len(rest))

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(SILENT_MS / 1000)
            now = self._clock.now_ms()
            for key, records in list(self._channels.items()):
                alive_ms, since_ms = self._alive_ms(key), self._heard_ms.get(key, 0)
                until_ms = alive_ms - ON_THE_WAY_MS
                if not self._coverage.covers(key):
                    continue
                if until_ms - since_ms >= SILENT_MS:
                    self._heard_ms[key], self._beaten_ms[key] = until_ms, now
                    await self._put(records.heartbeat(since_ms, until_ms, now))
                elif (
                    now - alive_ms < self._promised_ms
                    and now - max(since_ms, self._beaten_ms.get(key, 0)) >= REPEAT_MS
                ):
                    self._beaten_ms[key] = now
                    await self._put(records.heartbeat(since_ms, since_ms, now))

    def _alive_ms(self, key: str) -> int:
        return max((link.last_received_ms for link in self._links.get(key, {}).values()), default=0)

    def _gap(self, gap: Gap, recovered: int) -> None:
        records = self._channels.get(gap.channel)
        if records is None:
            return
        now = self._clock.now_ms()
        self.hold(
            records.event(
                "gap",
                f"{gap.channel}/{gap.from_ms}",
                gap.to_ms,
                now,
                span=(gap.from_ms, gap.to_ms),
                cause=gap.cause,
                recovered=recovered,
            )
        )

    async def _put(self, record: Record) -> None:
        """Hold the record first, so that none is lost on the way, then wait until there is room again."""
        self.hold(record)
        while len(self._held) >= self._queue_records and not self._stopped:
            self._room.clear()
            await self._room.wait()

    def _take(self, most: int) -> list[Record]:
        taken = [self._held.popleft() for _ in range(min(most, len(self._held)))]
        self._room.set()
        return taken
