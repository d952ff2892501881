"""The live source: many channels over few connections, as records for Kafka."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

import httpx

from connectors.core.clock import Clock
from connectors.core.live import Link, LiveFeed, OnState, State, Unheard
from connectors.core.pacing import Backoff, RateLimit
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Batch
from connectors.twitch.connection import Connection, End
from connectors.twitch.emotes import EmoteCatalogue
from connectors.twitch.irc import IrcMessage
from connectors.twitch.live_emotes import LiveEmotes
from connectors.twitch.normalise import ChannelNormaliser
from connectors.twitch.notification_records import records_of
from connectors.twitch.notifications import Frame, Online, SubscriptionInfo, event_of
from connectors.twitch.session import Session
from connectors.twitch.session_slot import SessionSlot
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.slot import Slot
from connectors.twitch.subscriptions import CHAT, Subscriptions
from connectors.twitch.transport import Connect, connect_websocket
from schemas.codecs import InvalidRecordError
from schemas.retention import Retention

_OFFLINE_AFTER_TRIES: Final = 5
_LATE_MS: Final = 1_500
"""A keepalive may be so late before its session counts as dead."""


def channel_name(channel: str) -> str:
    """The name as IRC writes it."""
    return channel.removeprefix("#").lower()


class TwitchSource:
    """A `Source` over the chat of Twitch channels; it ends when it is stopped or Twitch refuses the token.

    It hears over IRC, EventSub or both (`settings.transport`); what both tell is one record. Channels come
    and go while it runs (`follow`, `unfollow`). A stream is a channel and Twitch's id of the broadcast, or
    the UTC date on which it was first followed: IRC alone does not tell broadcasts apart.
    Positions count records; a live chat cannot be resumed, so nothing is noted.
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
        api: httpx.AsyncBaseTransport | None = None,
        jitter: random.Random | None = None,
        on_state: OnState | None = None,
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
            api: carries the requests to Twitch's API; None: HTTP.
            jitter: for the pauses between tries.
            on_state: told of each change of a channel: name, state, reason.

        Raises:
            CredentialsError: EventSub needs a token, and the settings hold none that can be used.
        """
        self._channels: dict[str, ChannelNormaliser] = {}
        self._pseudonyms, self._retention, self._workspace = pseudonyms, retention, workspace
        self._clock = clock
        self._settings = settings
        self._feed = LiveFeed(
            "twitch",
            clock=clock,
            sealer=sealer,
            workspace=workspace,
            queue_records=settings.queue_records,
            advice="check PULSE_TWITCH_TOKEN",
            promised_ms=0 if settings.transport == "irc" else 1000 * settings.keepalive_s + _LATE_MS,
            on_state=on_state,
        )
        self._connect = connect
        self._jitter = jitter or random.Random()
        self._joins = RateLimit(settings.joins, settings.joins_per_s)
        self._logins = RateLimit(settings.joins, settings.joins_per_s)
        self._session_logins = RateLimit(settings.joins, settings.joins_per_s)
        self._slots: list[Slot] = []
        self._sessions: list[SessionSlot] = []
        self._subscriptions = Subscriptions(settings, clock, api) if settings.transport != "irc" else None
        helix = self._subscriptions.helix if self._subscriptions else None
        self._emotes = LiveEmotes(settings, clock, helix)
        for channel in channels:
            self.follow(channel)

    @property
    def name(self) -> str:
        """`twitch:` and the first channel, with how many more there are."""
        return self._feed.name

    @property
    def states(self) -> dict[str, tuple[State, str]]:
        """Each channel's state and its reason."""
        return self._feed.states

    def heard_at(self, channel: str) -> int | None:
        """Up to when (ms) the channel was surely heard; None where it never was."""
        return self._feed.heard_at(channel_name(channel))

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what the channels say until stopped.

        Raises:
            SourceError: Twitch refuses the token on every connection.
        """
        return self._feed.batches([self._keep(slot) for slot in self._all_slots()])

    def follow(self, channel: str, *, unheard: Unheard | None = None) -> None:
        """Listen to one more channel, on a connection that has room for it.

        Args:
            channel: as the constructor takes them; one that is followed already changes nothing.
            unheard: since when, and why, nobody has heard it: a gap, once it is joined.
        """
        name = channel_name(channel)
        if name in self._channels:
            return
        date = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date().isoformat()
        self._channels[name] = ChannelNormaliser(
            name, f"twitch:{name}/{date}", self._pseudonyms, self._retention, self._workspace
        )
        self._feed.add(name, self._channels[name], unheard=unheard)
        if self._settings.transport != "eventsub":
            self._follow_over_irc(name)
        if self._subscriptions:
            self._follow_over_eventsub(name, self._subscriptions)

    async def unfollow(self, channel: str, *, handed_over: bool = False) -> None:
        """Listen to a channel no more; where it is not `handed_over` to another process, its stream ends."""
        name = channel_name(channel)
        if self._channels.pop(name, None):
            self._feed.remove(name, handed_over=handed_over)
            self._emotes.forget(name)
            for slot in self._all_slots():
                await slot.unfollow(name)

    async def acknowledge(self, position: int) -> None:
        """Nothing to note: live chat is not resumed."""

    def stop(self) -> None:
        """Close the connections; what was heard is still yielded."""
        self._feed.stop()

    async def close(self) -> None:
        """Close the connections to Twitch's API; those of chat are closed when `batches` ends."""
        await self._emotes.close()
        if self._subscriptions:
            await self._subscriptions.close()

    async def said(self, connection: Connection, message: IrcMessage, line: str) -> None:
        """Turn a message into records; waits for room."""
        channel = self._channels.get(message.channel)
        if channel is None:
            return
        try:
            records = channel.records(message, self._clock.now_ms())
        except InvalidRecordError as error:
            await self.refused(line, error)
            return
        if message.command == "ROOMSTATE":
            self._learn_emotes(message.channel, message.tags.get("room-id", ""))
        for record in records:
            await self._feed.put(message.channel, record)

    async def notified(self, session: Session, frame: Frame, text: str) -> None:
        """Turn a notification into records; waits for room."""
        subscription = frame.payload.subscription
        name = self._channel_of(subscription) if subscription else ""
        channel = self._channels.get(name)
        if channel is None:
            return
        try:
            if frame.metadata.subscription_type == "stream.online":
                await self.on_air(name, event_of(Online, frame).id)
            records = records_of(channel, frame, self._clock.now_ms())
        except InvalidRecordError as error:
            await self.refused(text, error)
            return
        for record in records:
            await self._feed.put(name, record)

    async def revoked(self, session: Session, subscription: SubscriptionInfo) -> None:
        """Without its lines the channel is not heard any more; without others it goes on."""
        name, reason = (
            self._channel_of(subscription),
            f"Twitch revoked {subscription.type}: {subscription.status}",
        )
        if name in self._channels and subscription.type == CHAT:
            session.channels.pop(name, None)
            await self.closed(session, name, reason)
        elif name in self._channels:
            await self.limited(session, name, reason)

    async def limited(self, session: Session, channel: str, reason: str) -> None:
        """The channel is live, but not all that happens there is told."""
        self._live_without(channel, reason)

    async def on_air(self, channel: str, broadcast: str) -> None:
        """Lines belong to that broadcast from now on."""
        if channel in self._channels:
            self._feed.begin_stream(channel, f"twitch:{channel}/{broadcast}")

    async def refused(self, line: str, error: InvalidRecordError) -> None:
        """Make a dead letter of it; the same line is the same dead letter."""
        await self._feed.refused(line.encode(errors="replace"), error)

    async def joined(self, connection: Link, channel: str) -> None:
        """The channel is live; a gap is over where there was one."""
        self._feed.hear(connection, channel)
        if self._subscriptions:
            self._learn_emotes(channel, self._subscriptions.number_of(channel))

    async def unconfirmed(self, connection: Connection, channel: str) -> None:
        """The channel may not exist."""
        if not self._feed.covers(channel):
            self._feed.set_state(channel, "degraded", "Twitch does not confirm the JOIN: is the name right?")

    async def closed(self, connection: Link, channel: str, reason: str) -> None:
        """The channel is suspended, or bars us."""
        self._feed.leave(connection, channel, "blocked")
        self._worsen([channel], "blocked", reason)

    async def ended(self, connection: Connection | Session, end: End) -> None:
        """Channels that no other connection hears have a gap from the last sign of life on."""
        uncovered = self._feed.lose(connection, end.cause)
        if not self._feed.stopped:
            affected = tuple(connection.channels) if end.blocked else uncovered
            self._worsen(affected, "blocked" if end.blocked else "degraded", end.reason)

    async def cannot_connect(self, channels: Sequence[str], reason: str, tries: int) -> None:
        """Degraded at first, offline after some tries in a row."""
        self._worsen(channels, "offline" if tries >= _OFFLINE_AFTER_TRIES else "degraded", reason)

    def _worsen(self, channels: Sequence[str], state: State, reason: str) -> None:
        """Note the state of those channels that nobody hears; `blocked` stays."""
        for channel in channels:
            known = self._feed.states.get(channel)
            if not self._feed.covers(channel) and not (known and known[0] == "blocked"):
                self._feed.set_state(channel, state, reason)

    def _follow_over_irc(self, name: str) -> None:
        for slot in self._slots:
            if len(slot.channels) < self._settings.channels_per_connection:
                slot.follow(name)
                return
        slot = Slot(
            [name],
            self,
            connect=self._connect,
            settings=self._settings,
            backoff=self._backoff(),
            joins=self._joins,
            logins=self._logins,
            clock=self._clock,
        )
        self._slots.append(slot)
        self._feed.start(self._keep(slot))

    def _follow_over_eventsub(self, name: str, subscriptions: Subscriptions) -> None:
        settings = self._settings
        room = 1 << 31 if settings.conduit else settings.channels_per_session
        shards = settings.conduit_shards if settings.conduit else 1
        if not self._sessions or all(len(slot.channels) >= room for slot in self._sessions):
            for _ in range(shards):
                slot = SessionSlot(
                    len(self._sessions),
                    self,
                    connect=self._connect,
                    settings=settings,
                    subscriptions=subscriptions,
                    backoff=self._backoff(),
                    logins=self._session_logins,
                    clock=self._clock,
                )
                self._sessions.append(slot)
                self._feed.start(self._keep(slot))
        # of a conduit each shard may hear each channel
        for slot in self._sessions if settings.conduit else self._sessions[-1:]:
            slot.follow(name)

    def _learn_emotes(self, name: str, number: str) -> None:
        def learned(catalogue: EmoteCatalogue, missing: str) -> None:
            if channel := self._channels.get(name):
                channel.catalogue = catalogue
            if missing:
                self._live_without(name, f"without new emotes of {missing}")

        if number and name in self._channels:
            self._emotes.learn(name, number, learned)

    def _live_without(self, channel: str, reason: str) -> None:
        if channel in self._channels and self._feed.covers(channel):
            self._feed.set_state(channel, "live", reason)

    def _all_slots(self) -> list[Slot | SessionSlot]:
        return [*self._slots, *self._sessions]

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.backoff_base_s, self._settings.backoff_cap_s, self._jitter)

    def _channel_of(self, subscription: SubscriptionInfo) -> str:
        return self._subscriptions.channel_of(subscription.broadcaster) if self._subscriptions else ""

    async def _keep(self, slot: Slot | SessionSlot) -> str | None:
        return (await slot.run()).reason
