"""One connection to Twitch's IRC: log-in, joins, pings, and what it hears."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from connectors.core.clock import Clock
from connectors.core.pacing import RateLimit
from connectors.twitch.irc import IrcMessage, parse_irc
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.transport import Transport, TransportError
from schemas.codecs import InvalidRecordError

_CAPABILITIES: Final = "CAP REQ :twitch.tv/tags twitch.tv/commands"
_ANONYMOUS: Final = "justinfan67420"
"""Twitch lets any `justinfan<number>` read without a token."""
_UNKNOWN_LOGIN: Final = "pulse"
"""With a token Twitch goes by the token; its welcome tells the name."""
_LOOK_EVERY_S: Final = 0.5
_NOT_SENT: Final = float("-inf")
_REFUSED_LOGINS: Final = ("login authentication failed", "improperly formatted auth", "login unsuccessful")
_CLOSED_CHANNELS: Final = ("msg_channel_suspended", "tos_ban", "msg_channel_blocked")


class End(NamedTuple):
    """Why a connection is over; `blocked` where trying again would not help."""

    cause: str
    """A short word for gap records."""
    reason: str
    """For people; holds no secret."""
    blocked: bool = False


class Listener(Protocol):
    """Who is told what a connection hears, in order; waiting in `said` is the backpressure."""

    async def said(self, connection: "Connection", message: IrcMessage, line: str) -> None:
        """A message of a channel."""

    async def refused(self, line: str, error: InvalidRecordError) -> None:
        """A line that is no IRC."""

    async def joined(self, connection: "Connection", channel: str) -> None:
        """From now on the channel is heard."""

    async def unconfirmed(self, connection: "Connection", channel: str) -> None:
        """Twitch did not confirm a JOIN in time; it will be sent again."""

    async def closed(self, connection: "Connection", channel: str, reason: str) -> None:
        """Twitch does not let us hear this channel."""


class Connection:
    """Hears a group of channels until the transport ends, stalls, or `run` is cancelled.

    `settled` is set once each channel was joined or its first JOIN timed out; `wants_replacement` once Twitch
    sent RECONNECT: it goes on hearing, but Twitch will close it soon.
    """

    def __init__(
        self,
        number: int,
        transport: Transport,
        channels: Sequence[str],
        listener: Listener,
        *,
        settings: TwitchSettings,
        joins: RateLimit,
        clock: Clock,
    ) -> None:
        self.number: Final = number
        self._channels = dict.fromkeys(channels)
        self.settled: Final = asyncio.Event()
        self.wants_replacement: Final = asyncio.Event()
        self.last_received_ms = clock.now_ms()
        """When it was surely alive."""
        self._transport = transport
        self._listener = listener
        self._settings = settings
        self._joins = joins
        self._clock = clock
        self._nick = (settings.login.lower() or _UNKNOWN_LOGIN) if settings.token else _ANONYMOUS
        self._began_s = self._received_s = self._pinged_s = clock.monotonic()
        self._welcomed = asyncio.Event()
        self._busy = False
        self._unjoined: dict[str, float] = {}
        """Deadline of each channel's JOIN; _NOT_SENT while none was sent."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it hears or tries to."""
        return tuple(self._channels)

    def follow(self, channel: str) -> None:
        """Hear one more channel."""
        self._channels[channel] = None
        self._unjoined[channel] = _NOT_SENT

    async def unfollow(self, channel: str) -> None:
        """Hear one channel less."""
        if channel in self._channels:
            del self._channels[channel]
            self._unjoined.pop(channel, None)
            await self._send(f"PART #{channel}")

    async def run(self) -> End:
        """Hear until the connection is over; tells why."""
        reading, watching = asyncio.create_task(self._read()), asyncio.create_task(self._watch())
        joining = asyncio.create_task(self._join())
        try:
            await asyncio.wait({reading, watching}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else watching.result()
        finally:
            for task in (reading, watching, joining):
                task.cancel()
            await asyncio.gather(reading, watching, joining, return_exceptions=True)
            await self._transport.close()

    async def leave(self) -> None:
        """Close the connection; `run` hears what has arrived by now, then it is over."""
        await self._transport.close()

    async def _read(self) -> End:
        for line in self._login():
            await self._send(line)
        try:
            while True:
                frame = await self._transport.receive()
                self._received_s, self.last_received_ms = self._clock.monotonic(), self._clock.now_ms()
                self._busy = True  # waiting for room downstream is no stall of the connection
                for line in frame.split("\n"):
                    if (text := line.rstrip("\r")) and (end := await self._hear(text)):
                        return end
                self._busy, self._received_s = False, self._clock.monotonic()
        except TransportError as error:
            return End("connection_lost", str(error))

    async def _send(self, line: str) -> None:
        """Send, unless the connection is over: the reader meets its end, after what has still arrived."""
        with contextlib.suppress(TransportError):
            await self._transport.send(line)

    def _login(self) -> list[str]:
        token = self._settings.token
        password = [f"PASS oauth:{token.get_secret_value().removeprefix('oauth:')}"] if token else []
        return [_CAPABILITIES, *password, f"NICK {self._nick}"]

    async def _hear(self, line: str) -> End | None:
        try:
            message = parse_irc(line)
        except InvalidRecordError as error:
            await self._listener.refused(line, error)
            return None
        match message.command:
            case "PING":
                await self._send(f"PONG :{message.params[0] if message.params else ''}")
            case "RECONNECT":
                self.wants_replacement.set()
            case "001":
                self._nick = message.params[0] if message.params else self._nick
                self._welcomed.set()
            case "CAP" if "NAK" in message.params:
                return End("refused", "Twitch refused the IRC tags that this source needs", blocked=True)
            case "NOTICE":
                return await self._noticed(message)
            case "JOIN" if message.nick == self._nick:
                await self._has_joined(message.channel)
            case _ if message.channel:
                await self._listener.said(self, message, line)
        return None

    async def _noticed(self, message: IrcMessage) -> End | None:
        if not message.channel:
            if message.text.lower().startswith(_REFUSED_LOGINS):
                return End("refused", f"Twitch refused the token: {message.text}", blocked=True)
            return None
        if message.tags.get("msg-id") in _CLOSED_CHANNELS and message.channel in self.channels:
            self._unjoined.pop(message.channel, None)
            await self._listener.closed(self, message.channel, message.text)
        return None

    async def _has_joined(self, channel: str) -> None:
        if channel in self.channels:
            self._unjoined.pop(channel, None)
            await self._listener.joined(self, channel)
            if not self._unjoined:
                self.settled.set()

    async def _join(self) -> None:
        await self._welcomed.wait()
        self._unjoined = dict.fromkeys(self.channels, _NOT_SENT)
        tries = 0
        while True:
            now = self._clock.monotonic()
            due = [channel for channel, deadline in self._unjoined.items() if deadline <= now]
            late = [channel for channel in due if self._unjoined[channel] > _NOT_SENT]
            for channel in late:
                await self._listener.unconfirmed(self, channel)
            if late or not self._unjoined:
                self.settled.set()
            tries += bool(late)
            for channel in due:
                await self._clock.sleep(self._joins.reserve(self._clock.monotonic()))
                if channel in self._unjoined:
                    wait_s = self._settings.join_timeout_s * 2 ** min(tries, 6)
                    self._unjoined[channel] = self._clock.monotonic() + wait_s
                    await self._send(f"JOIN #{channel}")
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _watch(self) -> End:
        settings = self._settings
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            now = self._clock.monotonic()
            if not self._welcomed.is_set() and now - self._began_s >= settings.open_timeout_s:
                return End("stalled", f"no welcome within {settings.open_timeout_s:g} s")
            idle_s = now - self._received_s
            if self._busy or idle_s < settings.ping_after_s:
                continue
            if idle_s >= settings.stalled_after_s:
                return End("stalled", f"no line and no PONG for {idle_s:.0f} s")
            if now - self._pinged_s >= settings.ping_after_s:
                self._pinged_s = now
                await self._send("PING :pulse")
