"""EventSub subscriptions: which a channel needs, and the API calls that make and end them.

Source: dev.twitch.tv/docs/eventsub/eventsub-subscription-types and …/handling-conduit-events.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import httpx

from connectors.core.clock import Clock
from connectors.core.pacing import Backoff
from connectors.core.source import SourceError
from connectors.twitch.credentials import app_token, user_token
from connectors.twitch.helix import Helix, HelixError, LiveStream
from connectors.twitch.session import Session
from connectors.twitch.settings import TwitchSettings

Value = TypeVar("Value")

CHAT: Final = "channel.chat.message"
"""Without it a channel is not heard; the others are welcome."""
_AS_READER: Final = (
    CHAT,
    "channel.chat.notification",
    "channel.chat.message_delete",
    "channel.chat.clear_user_messages",
    "channel.chat.clear",
    "channel.chat_settings.update",
)
_AS_MODERATOR: Final = ("channel.shield_mode.begin", "channel.shield_mode.end")
_OPEN: Final = ("stream.online", "stream.offline", "channel.raid")
TYPES: Final = (*_AS_READER, *_AS_MODERATOR, *_OPEN)
_AT_ONCE: Final = 8
"""Requests under way at the same time."""
_TRANSIENT: Final = (0, 500, 502, 503, 504)


class Subscriptions:
    """Makes sessions hear channels: a user's subscriptions of their own, or as shards of a conduit.

    A user's subscriptions end with their session. Those of a conduit stay: a new session takes the place of
    the old one, and only channels that are new are subscribed to.
    """

    def __init__(
        self, settings: TwitchSettings, clock: Clock, api: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare; nothing is sent yet. `api` carries the requests; None: HTTP.

        Raises:
            CredentialsError: the settings hold no usable token.
        """
        credentials = app_token(settings) if settings.conduit else user_token(settings)
        self._http = httpx.AsyncClient(timeout=settings.open_timeout_s, transport=api)
        self.helix: Final = Helix(
            credentials, self._http, clock, api_url=settings.api_url, auth_url=settings.auth_url
        )
        self._settings = settings
        self._clock = clock
        self._reader = ""
        self._conduit = ""
        self._conduit_ready = asyncio.Lock()
        self._ids: dict[str, str] = {}
        self._made: dict[str, list[str]] = {}
        """Ids of each channel's subscriptions, of the newest session or of the conduit."""
        self._requests = asyncio.Semaphore(_AT_ONCE)

    async def close(self) -> None:
        """Close the connections to the API."""
        await self._http.aclose()

    def channel_of(self, number: str) -> str:
        """The channel of a broadcaster's number; empty where it is none of ours."""
        return next((name for name, found in self._ids.items() if found == number), "")

    def number_of(self, channel: str) -> str:
        """A channel's number; empty where it was not looked up."""
        return self._ids.get(channel, "")

    async def identify(self, channels: Sequence[str], backoff: Backoff) -> tuple[list[str], list[str]]:
        """Look the channels' numbers up; returns those that exist, and those that do not.

        Raises:
            SourceError: Twitch refuses the token, or the settings name no reader.
        """
        if unknown := [name for name in channels if name not in self._ids]:
            found = await self._insist(lambda: self.helix.users(unknown), backoff)
            self._ids |= {name: user.id for name, user in found.items()}
        if not self._reader:
            self._reader = await self._insist(self._who_reads, backoff)
        known = [name for name in channels if name in self._ids]
        return known, [name for name in channels if name not in self._ids]

    async def broadcasts(self, channels: Sequence[str]) -> Mapping[str, LiveStream]:
        """The broadcasts that are on the air; none where Twitch does not say."""
        try:
            return await self.helix.streams(channels)
        except HelixError:
            return {}

    async def attach(self, session: Session, shard: int, backoff: Backoff) -> None:
        """Make a session a shard, where there is a conduit.

        Raises:
            SourceError: Twitch refuses it.
        """
        if not self._settings.conduit:
            return
        async with self._conduit_ready:
            if not self._conduit:
                self._conduit = await self._insist(self._find_conduit, backoff)
        await self._insist(lambda: self.helix.assign_shard(self._conduit, shard, session.id), backoff)

    async def subscribe_chat(self, session: Session, channel: str, backoff: Backoff) -> str:
        """Subscribe to a channel's lines; why Twitch does not permit it, empty where it does.

        Raises:
            SourceError: Twitch refuses the token.
        """
        if self._settings.conduit and channel in self._made:
            return ""
        self._made[channel] = []
        reason = await self._make(session, channel, CHAT, backoff)
        if reason:
            del self._made[channel]
        return reason

    async def subscribe_rest(self, session: Session, channel: str, backoff: Backoff) -> str:
        """Subscribe to all else that is told of a channel; what Twitch does not permit and why, or empty.

        Raises:
            SourceError: Twitch refuses the token.
        """
        if self._settings.conduit and len(self._made.get(channel, ())) > 1:
            return ""
        refused = [(kind, await self._make(session, channel, kind, backoff)) for kind in TYPES[1:]]
        missing = [kind for kind, reason in refused if reason]
        why = next((reason for _, reason in refused if reason), "")
        return f"without {', '.join(missing)}: {why}" if missing else ""

    async def unsubscribe(self, channel: str) -> None:
        """End a channel's subscriptions; one that cannot be ended goes on unheard until its session ends."""
        for subscription_id in self._made.pop(channel, []):
            await self._end(subscription_id)

    async def _end(self, subscription_id: str) -> None:
        with contextlib.suppress(HelixError):
            await self.helix.unsubscribe(subscription_id)

    async def _make(self, session: Session, channel: str, kind: str, backoff: Backoff) -> str:
        """Why Twitch does not permit the subscription; empty where it does."""
        if self._settings.conduit:
            transport = {"method": "conduit", "conduit_id": self._conduit}
        else:
            transport = {"method": "websocket", "session_id": session.id}
        condition = self._condition(kind, self._ids[channel])
        try:
            async with self._requests:
                made = await self._insist(
                    lambda: self.helix.subscribe(kind, "1", condition, transport), backoff
                )
        except HelixError as error:
            return str(error)
        if made and channel in self._made:
            self._made[channel].append(made.id)
        elif made:  # let go meanwhile
            await self._end(made.id)
        return ""

    def _condition(self, kind: str, broadcaster: str) -> dict[str, str]:
        if kind == "channel.raid":
            return {"to_broadcaster_user_id": broadcaster}
        condition = {"broadcaster_user_id": broadcaster}
        if kind in _AS_READER:
            condition["user_id"] = self._reader
        if kind in _AS_MODERATOR:
            condition["moderator_user_id"] = self._reader
        return condition

    async def _who_reads(self) -> str:
        login = self._settings.login.lower()
        if not self._settings.conduit:
            return (await self.helix.identity()).user_id
        if found := (await self.helix.users([login])).get(login) if login else None:
            return found.id
        raise SourceError("a conduit reads chat as a user: set PULSE_TWITCH_LOGIN to who permitted user:bot")

    async def _find_conduit(self) -> str:
        """The application's first conduit, or a new one, with room for our shards."""
        found = await self.helix.conduits()
        if not found:
            return (await self.helix.create_conduit(self._settings.conduit_shards)).id
        if found[0].shard_count < self._settings.conduit_shards:
            await self.helix.resize_conduit(found[0].id, self._settings.conduit_shards)
        return found[0].id

    async def _insist(self, ask: Callable[[], Awaitable[Value]], backoff: Backoff) -> Value:
        """Ask until Twitch answers.

        Raises:
            HelixError: it refuses.
            SourceError: it refuses the token.
        """
        while True:
            try:
                return await ask()
            except HelixError as error:
                if error.status == 401:
                    raise SourceError(f"Twitch refused the token: {error}") from None
                if error.status not in _TRANSIENT:
                    raise
            await self._clock.sleep(backoff.next_s())
