"""One EventSub WebSocket session: welcome, keepalives, notifications, and its end."""

import asyncio
from typing import Final, Protocol

from connectors.core.clock import Clock
from connectors.twitch.connection import End
from connectors.twitch.notifications import Frame, SubscriptionInfo, parse_frame
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.transport import Transport, TransportError
from schemas.codecs import InvalidRecordError

_LOOK_EVERY_S: Final = 0.5
_KEEPALIVE_GRACE_S: Final = 1.5
"""A keepalive may be so late: the network's time."""


class SessionListener(Protocol):
    """Who is told what a session hears, in order; waiting is the backpressure."""

    async def notified(self, session: "Session", frame: Frame, text: str) -> None:
        """A notification."""

    async def revoked(self, session: "Session", subscription: SubscriptionInfo) -> None:
        """Twitch ended a subscription."""

    async def refused(self, line: str, error: InvalidRecordError) -> None:
        """A frame that cannot be read."""


class Session:
    """Hears until the transport ends, a keepalive is missed, or `run` is cancelled.

    `welcomed` is set once Twitch has given the session its `id`; `wants_replacement` once it asked to connect
    to `reconnect_url`: it goes on hearing until the new session was welcomed. Nothing is ever sent: Twitch
    ends a session that says anything (close code 4001).
    """

    def __init__(
        self,
        number: int,
        transport: Transport,
        listener: SessionListener,
        *,
        settings: TwitchSettings,
        clock: Clock,
    ) -> None:
        self.number: Final = number
        self.id = ""
        self.channels: dict[str, None] = {}
        """What it is subscribed to."""
        self.welcomed: Final = asyncio.Event()
        self.wants_replacement: Final = asyncio.Event()
        self.reconnect_url = ""
        self.last_received_ms = clock.now_ms()
        """When it was surely alive."""
        self._transport = transport
        self._listener = listener
        self._settings = settings
        self._clock = clock
        self._keepalive_s = float(settings.keepalive_s)
        self._began_s = self._received_s = clock.monotonic()
        self._busy = False

    async def run(self) -> End:
        """Hear until the session is over; tells why."""
        reading, watching = asyncio.create_task(self._read()), asyncio.create_task(self._watch())
        try:
            await asyncio.wait({reading, watching}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else watching.result()
        finally:
            for task in (reading, watching):
                task.cancel()
            await asyncio.gather(reading, watching, return_exceptions=True)
            await self._transport.close()

    async def leave(self) -> None:
        """Close the connection; `run` hears what has arrived by now, then it is over."""
        await self._transport.close()

    async def _read(self) -> End:
        try:
            while True:
                text = await self._transport.receive()
                self._received_s, self.last_received_ms = self._clock.monotonic(), self._clock.now_ms()
                self._busy = True  # waiting for room downstream is no stall of the connection
                try:
                    await self._hear(parse_frame(text), text)
                except InvalidRecordError as error:
                    await self._listener.refused(text, error)
                self._busy, self._received_s = False, self._clock.monotonic()
        except TransportError as error:
            return End("connection_lost", str(error))

    async def _hear(self, frame: Frame, text: str) -> None:
        session, subscription = frame.payload.session, frame.payload.subscription
        match frame.metadata.message_type:
            case "session_welcome" if session:
                self.id = session.id
                self._keepalive_s = float(session.keepalive_timeout_seconds or self._keepalive_s)
                self.welcomed.set()
            case "session_reconnect" if session and session.reconnect_url:
                self.reconnect_url = session.reconnect_url
                self.wants_replacement.set()
            case "revocation" if subscription:
                await self._listener.revoked(self, subscription)
            case "notification":
                await self._listener.notified(self, frame, text)

    async def _watch(self) -> End:
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            now = self._clock.monotonic()
            if not self.welcomed.is_set() and now - self._began_s >= self._settings.open_timeout_s:
                return End("stalled", f"no welcome within {self._settings.open_timeout_s:g} s")
            idle_s = now - self._received_s
            if not self._busy and idle_s >= self._keepalive_s + _KEEPALIVE_GRACE_S:
                return End("stalled", f"no keepalive for {idle_s:.0f} s")
