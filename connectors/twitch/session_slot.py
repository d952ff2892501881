"""Keeps one group of channels heard over EventSub: connects, subscribes, and follows Twitch's reconnects."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from connectors.core.clock import Clock
from connectors.core.pacing import Backoff, RateLimit
from connectors.core.source import SourceError
from connectors.twitch.connection import End
from connectors.twitch.helix import HelixError
from connectors.twitch.opening import Opener, cancel, first
from connectors.twitch.session import Session, SessionListener
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.slot import link_numbers
from connectors.twitch.subscriptions import Subscriptions
from connectors.twitch.transport import Connect, Transport, TransportError

_LONGEST_PAUSE_S: Final = 10.0
"""Before a session is replaced: Twitch closes the old one 30 s after it asked to reconnect."""


class SlotListener(SessionListener, Protocol):
    """Hears sessions, and what becomes of their channels."""

    async def joined(self, connection: Session, channel: str) -> None:
        """From now on the channel is heard."""

    async def limited(self, session: Session, channel: str, reason: str) -> None:
        """The channel's lines are heard, but not all that happens there."""

    async def closed(self, connection: Session, channel: str, reason: str) -> None:
        """Twitch does not let us hear this channel."""

    async def on_air(self, channel: str, broadcast: str) -> None:
        """The channel's broadcast of that id is on the air."""

    async def ended(self, connection: Session, end: End) -> None:
        """The session is over."""

    async def cannot_connect(self, channels: Sequence[str], reason: str, tries: int) -> None:
        """A try to connect failed, the n-th in a row."""


class SessionSlot:
    """One group of channels, at most one session's worth; `run` ends only where Twitch blocks us.

    On a reconnect message the new session is welcomed first, then the old one is closed; subscriptions move
    with it. After a drop, all are made anew.
    """

    def __init__(
        self,
        shard: int,
        listener: SlotListener,
        *,
        connect: Connect,
        settings: TwitchSettings,
        subscriptions: Subscriptions,
        backoff: Backoff,
        logins: RateLimit,
        clock: Clock,
    ) -> None:
        self._shard = shard
        self._listener = listener
        self._settings = settings
        self._subscriptions = subscriptions
        self._backoff = backoff
        self._clock = clock
        self._channels: dict[str, None] = {}
        self._changed = asyncio.Event()
        self._live: dict[asyncio.Task[End], Session] = {}
        self._opener = Opener(
            connect,
            clock,
            backoff=backoff,
            limit=logins,
            timeout_s=settings.open_timeout_s,
            failed=lambda reason, tries: listener.cannot_connect(self.channels, reason, tries),
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it keeps heard."""
        return tuple(self._channels)

    def follow(self, channel: str) -> None:
        """Keep one more channel heard."""
        self._channels[channel] = None
        self._changed.set()

    async def unfollow(self, channel: str) -> None:
        """Let one channel go."""
        self._channels.pop(channel, None)
        for session in self._live.values():
            if session.channels.pop(channel, "none") is None:
                await self._subscriptions.unsubscribe(channel)

    async def run(self) -> End:
        """Keep the channels heard until cancelled, or until Twitch blocks us: then that end."""
        replaced: Session | None = None
        try:
            while True:
                transport = await self._open(replaced)
                if transport is None:
                    replaced = None  # its subscriptions are lost, too: begin anew
                    continue
                session = Session(
                    next(link_numbers),
                    transport,
                    self._listener,
                    settings=self._settings,
                    clock=self._clock,
                )
                began_s = self._clock.monotonic()
                hearing = asyncio.create_task(self._hear(session))
                self._live[hearing] = session
                if end := await self._until_replaced(session, hearing, replaced):
                    return end
                replaced = None if hearing.done() else session
                self._forget_ended()
                healthy = self._clock.monotonic() - began_s >= self._settings.healthy_after_s
                if healthy:
                    self._backoff.reset()
                if replaced is None or not healthy:
                    pause_s = self._backoff.next_s()
                    await self._clock.sleep(min(pause_s, _LONGEST_PAUSE_S) if replaced else pause_s)
        finally:
            await cancel(list(self._live))

    async def _open(self, replaced: Session | None) -> Transport | None:
        """None where the address that Twitch gave for the replacement does not work."""
        if replaced is None:
            url = f"{self._settings.eventsub_url}?keepalive_timeout_seconds={self._settings.keepalive_s}"
            return await self._opener.open(url)
        try:
            return await self._opener.open_once(replaced.reconnect_url)
        except TransportError:
            return None

    async def _until_replaced(
        self, session: Session, hearing: "asyncio.Task[End]", replaced: Session | None
    ) -> End | None:
        """Wait until the session is over or must be replaced; its end, where Twitch blocks us."""
        await first(hearing, session.welcomed.wait)
        if hearing.done():
            return None
        self._opener.succeeded()
        if replaced:
            session.channels = dict(replaced.channels)
            for channel in session.channels:
                await self._listener.joined(session, channel)
            await replaced.leave()
        self._changed.set()
        preparing = asyncio.create_task(self._subscribe(session))
        replacing = asyncio.create_task(session.wants_replacement.wait())
        try:
            await asyncio.wait({hearing, preparing, replacing}, return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                return await self._could_not_subscribe(session, hearing, preparing)
            return None
        finally:
            await cancel([preparing, replacing])

    async def _could_not_subscribe(
        self, session: Session, hearing: "asyncio.Task[End]", preparing: "asyncio.Task[None]"
    ) -> End | None:
        try:
            preparing.result()
        except SourceError as error:
            await cancel([hearing])
            end = End("refused", str(error), blocked=True)
            session.channels |= self._channels
            await self._listener.ended(session, end)
            return end
        except HelixError as error:
            await self._listener.cannot_connect(self.channels, str(error), 1)
            await session.leave()
            await asyncio.wait({hearing})
        return None

    async def _subscribe(self, session: Session) -> None:
        """Subscribe to what is new, again and again: lines first, for all channels, then all else."""
        subscriptions, backoff = self._subscriptions, self._backoff
        await subscriptions.attach(session, self._shard, backoff)
        while True:
            await self._changed.wait()
            self._changed.clear()
            known, unknown = await subscriptions.identify(self.channels, backoff)
            for channel in unknown:
                await self._listener.closed(session, channel, "Twitch knows no such channel")
            for channel, live in (await subscriptions.broadcasts(known)).items():
                await self._listener.on_air(channel, live.id)
            new = [channel for channel in known if channel not in session.channels]
            await asyncio.gather(*(self._subscribe_chat(session, channel) for channel in new))
            await asyncio.gather(*(self._subscribe_rest(session, channel) for channel in new))

    async def _subscribe_chat(self, session: Session, channel: str) -> None:
        if reason := await self._subscriptions.subscribe_chat(session, channel, self._backoff):
            await self._listener.closed(session, channel, reason)
        elif channel in self._channels:
            session.channels[channel] = None
            await self._listener.joined(session, channel)

    async def _subscribe_rest(self, session: Session, channel: str) -> None:
        if channel not in session.channels:
            return
        if reason := await self._subscriptions.subscribe_rest(session, channel, self._backoff):
            await self._listener.limited(session, channel, reason)

    async def _hear(self, session: Session) -> End:
        end = End("stopped", "closed by us")
        try:
            end = await session.run()
        finally:
            await self._listener.ended(session, end)
        return end

    def _forget_ended(self) -> None:
        for task in [task for task in self._live if task.done()]:
            del self._live[task]
            task.result()  # raises where it broke
