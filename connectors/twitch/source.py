"""The live source: many channels over few connections, as records for Kafka."""

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from connectors.core.clock import Clock
from connectors.core.heartbeats import SILENT_MS
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.source import Batch, Record, SourceError
from connectors.twitch.connection import Connection, End
from connectors.twitch.coverage import Coverage, Gap
from connectors.twitch.irc import IrcMessage
from connectors.twitch.normalise import ChannelNormaliser
from connectors.twitch.pacing import Backoff, RateLimit
from connectors.twitch.sealing import Sealer
from connectors.twitch.seen import SeenIds
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.slot import Slot
from connectors.twitch.transport import Connect, connect_websocket
from schemas.codecs import InvalidRecordError
from schemas.records import ChatEvent, ChatMessage, DeadLetter
from schemas.retention import Retention

State = Literal["connecting", "live", "degraded", "offline", "blocked"]

MAX_BATCH: Final = 500
_OFFLINE_AFTER_TRIES: Final = 5
_ON_THE_WAY_MS: Final = 1_000
"""A heartbeat stays so far behind the last sign of life: lines said before it may still be on their way."""


class TwitchSource:
    """A `Source` over the chat of Twitch channels; it ends when it is stopped or Twitch refuses the token.

    A stream is a channel and the UTC date on which the source began: IRC does not tell broadcasts apart.
    Positions count records; a live chat cannot be resumed, so nothing is noted. What was missed is a `gap`
    event with its span and cause, and each change of a channel's state is a `source_state` event.
    """

    def __init__(
        self,
        channels: Sequence[str],
        *,
        pseudonyms: Pseudonyms,
        retention: Retention,
        sealer: Sealer,
        clock: Clock,
        settings: TwitchSettings,
        workspace: str = "default",
        connect: Connect = connect_websocket,
        jitter: random.Random | None = None,
        on_state: Callable[[str, State, str], None] | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            channels: names as in the channels' addresses, with or without `#`, any case.
            pseudonyms: for authors, mentions, raiders and targets of deletions.
            retention: how long records may be kept.
            sealer: encrypts lines that cannot be read.
            clock: stamps records; all pauses and timeouts go by it.
            settings: where and how to connect.
            workspace: whose data it is.
            connect: opens a connection.
            jitter: for the pauses between tries.
            on_state: told of each change of a channel: name, state, reason.
        """
        names = list(dict.fromkeys(name.removeprefix("#").lower() for name in channels))
        date = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date().isoformat()
        self._channels = {
            name: ChannelNormaliser(name, f"twitch:{name}/{date}", pseudonyms, retention, workspace)
            for name in names
        }
        self._sealer = sealer
        self._clock = clock
        self._settings = settings
        self._workspace = workspace
        self._on_state = on_state
        self._coverage = Coverage()
        self._connections: dict[int, Connection] = {}
        self._states: dict[str, tuple[State, str]] = {}
        self._heard_ms: dict[str, int] = {}
        """Up to when each channel's clock was moved, by a line or a heartbeat."""
        self._seen = SeenIds()
        self._held: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._stopped = False
        self._events = 0
        jitter = jitter or random.Random()
        joins = RateLimit(settings.joins, settings.joins_per_s)
        logins = RateLimit(settings.joins, settings.joins_per_s)
        size = settings.channels_per_connection
        self._slots = [
            Slot(
                names[start : start + size],
                self,
                connect=connect,
                settings=settings,
                backoff=Backoff(settings.backoff_base_s, settings.backoff_cap_s, jitter),
                joins=joins,
                logins=logins,
                clock=clock,
            )
            for start in range(0, len(names), size)
        ]

    @property
    def name(self) -> str:
        """`twitch:` and the first channel, with how many more there are."""
        first, *more = self._channels
        return f"twitch:{first}" + (f"+{len(more)}" if more else "")

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        """Each channel's state and its reason."""
        return dict(self._states)

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield what the channels say until stopped.

        Raises:
            SourceError: Twitch refuses the token on every connection.
        """
        if self._stopped:
            return
        slots: list[asyncio.Task[End]] = [asyncio.create_task(slot.run()) for slot in self._slots]
        beats = asyncio.create_task(self._beat())
        for task in slots:
            task.add_done_callback(lambda _: self._arrived.set())
        position = 0
        try:
            for channel in self._channels:
                self._set_state(channel, "connecting", "")
            while not self._stopped:
                self._arrived.clear()
                if self._held:
                    batch = self._take(MAX_BATCH)
                    position += len(batch)
                    yield Batch(batch, position)
                elif ends := [task.result() for task in slots if task.done()]:  # raises where one broke
                    if len(ends) == len(slots):
                        raise SourceError(f"{ends[0].reason}; check PULSE_TWITCH_TOKEN")
                    await self._arrived.wait()
                else:
                    await self._arrived.wait()
        finally:
            for gap in self._coverage.unheard(self._clock.now_ms()):
                self._gap(gap)
            self._room.set()
            await asyncio.sleep(0)  # a reader that waited for room hands over the rest of its frame
            for running in (*slots, beats):
                running.cancel()
            await asyncio.gather(*slots, beats, return_exceptions=True)
        if self._held:
            rest = self._take(len(self._held))
            yield Batch(rest, position + len(rest))

    async def acknowledge(self, position: int) -> None:
        """Nothing to note: live chat is not resumed."""

    def stop(self) -> None:
        """Close the connections; what was heard is still yielded."""
        self._stopped = True
        self._arrived.set()

    async def close(self) -> None:
        """Nothing left to release: the connections are closed when `batches` ends."""

    async def said(self, connection: Connection, message: IrcMessage, line: str) -> None:
        """Turn a message into records; waits for room."""
        channel = self._channels.get(message.channel)
        if channel is None:
            return
        now = self._clock.now_ms()
        try:
            records = channel.records(message, now)
        except InvalidRecordError as error:
            await self.refused(line, error)
            return
        for record in records:
            if isinstance(record, ChatMessage):
                if self._seen.is_new(record.message_id):
                    self._heard_ms[message.channel] = max(
                        self._heard_ms.get(message.channel, 0), record.sent_at
                    )
                    await self._put(record)
            elif self._seen.is_new(record.event_id):
                await self._put(record)

    async def refused(self, line: str, error: InvalidRecordError) -> None:
        """Make a dead letter of it; the same line is the same dead letter."""
        raw = line.encode(errors="replace")
        await self._put(
            DeadLetter(
                dlq_id=f"twitch/{hashlib.sha256(raw).hexdigest()[:32]}",
                workspace=self._workspace,
                stage="twitch",
                source=self.name,
                partition=-1,
                position=-1,
                error_class=error.error_class,
                error=str(error),
                raw=self._sealer.seal(raw),
                seen_at=self._clock.now_ms(),
            )
        )

    async def joined(self, connection: Connection, channel: str) -> None:
        """The channel is live; a gap is over where there was one."""
        now = self._clock.now_ms()
        self._connections[connection.number] = connection
        if gap := self._coverage.hear(connection.number, channel, now):
            self._gap(gap)
        self._heard_ms[channel] = max(self._heard_ms.get(channel, 0), now)
        self._set_state(channel, "live", "")

    async def unconfirmed(self, connection: Connection, channel: str) -> None:
        """The channel may not exist."""
        if not self._coverage.covers(channel):
            self._set_state(channel, "degraded", "Twitch does not confirm the JOIN: is the name right?")

    async def closed(self, connection: Connection, channel: str, reason: str) -> None:
        """The channel is suspended, or bars us."""
        self._coverage.leave(connection.number, channel, connection.last_received_ms, "blocked")
        self._set_state(channel, "blocked", reason)

    async def ended(self, connection: Connection, end: End) -> None:
        """Channels that no other connection hears have a gap from the last sign of life on."""
        self._connections.pop(connection.number, None)
        uncovered = self._coverage.lose(connection.number, connection.last_received_ms, end.cause)
        if self._stopped:
            return
        for channel in connection.channels if end.blocked else uncovered:
            if not self._coverage.covers(channel) and self._states[channel][0] != "blocked":
                self._set_state(channel, "blocked" if end.blocked else "degraded", end.reason)

    async def cannot_connect(self, channels: Sequence[str], reason: str, tries: int) -> None:
        """Degraded at first, offline after some tries in a row."""
        for channel in channels:
            if not self._coverage.covers(channel) and self._states[channel][0] != "blocked":
                state: State = "offline" if tries >= _OFFLINE_AFTER_TRIES else "degraded"
                self._set_state(channel, state, reason)

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(SILENT_MS / 1000)
            now = self._clock.now_ms()
            for channel, normaliser in self._channels.items():
                alive_ms = max(
                    (
                        connection.last_received_ms
                        for connection in self._connections.values()
                        if channel in connection.channels
                    ),
                    default=0,
                )
                until_ms, since_ms = alive_ms - _ON_THE_WAY_MS, self._heard_ms.get(channel, 0)
                if self._coverage.covers(channel) and until_ms - since_ms >= SILENT_MS:
                    self._heard_ms[channel] = until_ms
                    await self._put(normaliser.heartbeat(since_ms, until_ms, now))

    def _gap(self, gap: Gap) -> None:
        now = self._clock.now_ms()
        event = self._channels[gap.channel].event(
            "gap",
            f"{gap.channel}/{gap.from_ms}",
            gap.to_ms,
            now,
            span=(gap.from_ms, gap.to_ms),
            cause=gap.cause,
        )
        self._hold(event)

    def _set_state(self, channel: str, state: State, reason: str) -> None:
        if self._states.get(channel) == (state, reason):
            return
        self._states[channel] = (state, reason)
        self._events += 1
        now = self._clock.now_ms()
        identity = f"{channel}/{now}-{self._events}"
        event = self._channels[channel].event(
            "source_state", identity, now, now, cause=reason or None, state=state
        )
        self._hold(event)
        if self._on_state:
            self._on_state(channel, state, reason)

    def _hold(self, record: ChatMessage | ChatEvent | DeadLetter) -> None:
        self._held.append(record)
        self._arrived.set()

    async def _put(self, record: Record) -> None:
        """Hold the record first, so that none is lost on the way, then wait until there is room again."""
        self._hold(record)
        while len(self._held) >= self._settings.queue_records and not self._stopped:
            self._room.clear()
            await self._room.wait()

    def _take(self, most: int) -> list[Record]:
        taken = [self._held.popleft() for _ in range(min(most, len(self._held)))]
        self._room.set()
        return taken
