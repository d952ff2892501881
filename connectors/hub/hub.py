"""One process that listens to the channels that are its own, and gives them up when others come."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from connectors.core.clock import Clock
from connectors.core.journal import Entry, Journal, JournalError
from connectors.core.kafka_producer import KafkaProducer
from connectors.core.runner import run_sources
from connectors.core.source import Batch, Source, SourceError
from connectors.hub.platforms import ChannelSource
from connectors.hub.roster import Key, Roster
from schemas.codecs import encode
from schemas.records import Listener, SourceStatus
from schemas.topics import LISTENERS

log = logging.getLogger(__name__)

BEAT_S: Final = 2.0
LOOK_S: Final = 0.5
HAND_OVER_S: Final = 60.0
"""A channel that belongs to another process now is kept until that one hears it, at most so long."""
LEAVE_S: Final = 10.0
"""A process that is stopped waits so long for the others to hear its channels."""
RETRY_S: Final = 30.0
"""A source that its platform blocked is tried again after this."""

OpenSource = Callable[[Key], ChannelSource]
"""A new source, without channels yet, of a channel's platform and workspace.

Raises ValueError or OSError where it cannot be made: the channels are blocked for that reason, and it is
asked again later.
"""
OnBatch = Callable[[Source, Batch], None]


@dataclass
class _Running:
    """One source and the channels that it follows, by name."""

    source: ChannelSource
    channels: set[str] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None


class Hub:
    """Follows the topic of channels; one event loop.

    Each channel belongs to one of the living processes (see `assignment`). A channel that moves is kept until
    its new owner hears it: what both hear comes twice, and is counted once by its id. A channel of a process
    that died begins with a gap since that process' last word.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        producer: KafkaProducer,
        clock: Clock,
        *,
        open_source: OpenSource,
        on_batch: OnBatch | None = None,
    ) -> None:
        """Prepare.

        Args:
            name: tells this process from all others, now and later.
            journal: the topics of channels and listeners.
            producer: entered already.
            clock: for beats and pauses.
            open_source: makes a source for a workspace's channels on a platform.
            on_batch: told of each batch that was handed to Kafka's client.
        """
        self.name: Final = name
        self._journal, self._producer, self._clock = journal, producer, clock
        self._open_source, self._on_batch = open_source, on_batch
        self._ending: list[asyncio.Task[None]] = []
        self._roster = Roster()
        self._started_at = clock.now_ms()
        self._running: dict[tuple[str, str], _Running] = {}
        self._not_before: dict[tuple[str, str], tuple[float, str]] = {}
        """When a source that failed may be tried again (monotonic s), and why it failed."""
        self._moving: dict[Key, float] = {}
        """Since when (monotonic s) a channel that is followed here belongs to another process."""
        self._stopping = asyncio.Event()
        self._phase: Literal["listening", "leaving", "left"] = "listening"
        self._beaten_s = 0.0

    @property
    def roster(self) -> Roster:
        """What the topics say."""
        return self._roster

    def stop(self) -> None:
        """Ask `run` to end: the other processes take the channels over, then the sources drain."""
        self._stopping.set()

    async def run(self) -> None:
        """Listen until `stop`.

        Raises:
            JournalError: Kafka does not answer at the start.
            DeliveryError: Kafka refused a record.
        """
        await self._write()  # read back below: then everybody alive is known
        try:
            self._take(await asyncio.to_thread(self._journal.read_to_end))
            while not self._stopping.is_set():
                await self._turn()
            await self._hand_over()
        finally:
            await self._leave()

    def statuses(self) -> list[SourceStatus]:
        """Every channel that is followed here, and how it stands."""
        found = []
        for (platform, workspace), running in self._running.items():
            states = running.source.states
            for name in sorted(running.channels):
                state, reason = states.get(name, ("connecting", ""))
                found.append(
                    SourceStatus(
                        workspace=workspace,
                        channel=f"{platform}:{name}",
                        state=state,
                        reason=reason,
                        heard_at=running.source.heard_at(name),
                    )
                )
        for key in self._roster.owned_by(self.name):
            if put_off := self._not_before.get((key.platform, key.workspace)):
                _, reason = put_off
                found.append(
                    SourceStatus(workspace=key.workspace, channel=key.channel, state="blocked", reason=reason)
                )
        return found

    async def _turn(self) -> None:
        await self._reconcile()
        if self._clock.monotonic() - self._beaten_s >= BEAT_S:
            await self._beat()
        self._take(await asyncio.to_thread(self._journal.read, LOOK_S))

    async def _hand_over(self) -> None:
        """Hear on until the other processes, if there are any, hear what was heard here."""
        self._phase = "leaving"
        await self._beat()
        until_s = self._clock.monotonic() + LEAVE_S
        while self._running and self._clock.monotonic() < until_s:
            await self._turn()
            if not self._roster.alive():
                return

    def _take(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            try:
                self._roster.take(*entry)
            except msgspec.MsgspecError as error:
                log.warning("a record of %s cannot be read and changes nothing: %s", entry.topic, error)

    async def _beat(self) -> None:
        """Give a sign of life; one that Kafka does not take is made up for by the next."""
        try:
            await self._write()
        except JournalError as error:
            log.warning("no sign of life given: %s", error)

    async def _write(self) -> None:
        self._beaten_s = self._clock.monotonic()
        listener = Listener(
            listener=self.name,
            started_at=self._started_at,
            beat_at=self._clock.now_ms(),
            phase=self._phase,
            sources=tuple(self.statuses()),
        )
        await asyncio.to_thread(self._journal.write, LISTENERS, self.name.encode(), encode(listener))

    async def _reconcile(self) -> None:
        """Make what is followed here equal to what belongs to this process."""
        self._collect()
        owned = self._roster.owned_by(self.name)
        for key in owned:
            self._moving.pop(key, None)
            self._follow(key)
        for (platform, workspace), running in list(self._running.items()):
            for name in sorted(running.channels):
                key = Key(workspace, f"{platform}:{name}")
                if key not in owned:
                    await self._let_go(key, running)
            if not running.channels:
                running.source.stop()
                del self._running[platform, workspace]
                self._ending += [running.task] if running.task else []

    def _follow(self, key: Key) -> None:
        group = (key.platform, key.workspace)
        running = self._running.get(group)
        if running is None:
            if self._clock.monotonic() < self._not_before.get(group, (0.0, ""))[0]:
                return
            try:
                source = self._open_source(key)
            except (ValueError, OSError) as error:
                self._put_off(group, str(error))
                return
            self._not_before.pop(group, None)
            running = self._running[group] = _Running(source)
        if key.name not in running.channels:
            running.channels.add(key.name)
            running.source.follow(key.name, unheard=self._roster.unheard(key, besides=self.name))
            log.info("listening to %s of %s", key.channel, key.workspace)
        if running.task is None:
            running.task = asyncio.create_task(
                run_sources([running.source], self._producer, self._clock, on_batch=self._on_batch)
            )

    async def _let_go(self, key: Key, running: _Running) -> None:
        if key in self._roster.channels:
            since = self._moving.setdefault(key, self._clock.monotonic())
            waited = self._clock.monotonic() - since >= HAND_OVER_S
            if not waited and not self._roster.is_heard_by_owner(key):
                return
            await running.source.unfollow(key.name, handed_over=True)
            log.info("%s of %s is another process' now", key.channel, key.workspace)
        else:
            await running.source.unfollow(key.name)
            log.info("%s of %s is off the list", key.channel, key.workspace)
        self._moving.pop(key, None)
        running.channels.discard(key.name)

    def _collect(self) -> None:
        """Forget sources that have ended; those that their platform blocked are tried again later."""
        for group, running in list(self._running.items()):
            if running.task is None or not running.task.done():
                continue
            del self._running[group]
            try:
                running.task.result()
            except SourceError as error:
                self._put_off(group, str(error))

    def _put_off(self, group: tuple[str, str], reason: str) -> None:
        log.warning("%s cannot be listened to for %s: %s", *group, reason)
        self._not_before[group] = (self._clock.monotonic() + RETRY_S, reason)

    async def _leave(self) -> None:
        """Say what was heard last, so that others go on from there, and drain the sources."""
        tasks = [running.task for running in self._running.values() if running.task] + self._ending
        for running in self._running.values():
            running.source.stop()
        self._phase = "left"
        try:
            await self._write()
        except JournalError as error:
            log.warning("the others will notice the end of this process by its silence: %s", error)
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(end, BaseException) and not isinstance(end, SourceError):
                raise end
