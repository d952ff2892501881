"""Twitch without sockets: sessions in memory, for tests on a clock that needs no waiting."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.twitch.transport import TransportError
from tests.unit.connectors.twitch.fake_eventsub import chat, frame, notification
from tests.unit.connectors.twitch.frames import privmsg


class MemorySession:
    """A `Transport` and the server behind it; lines said before a drop still arrive, as over TCP."""

    def __init__(self) -> None:
        self.joined: set[str] = set()
        self.over = False
        self.mute = False
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._nick = ""

    @property
    def up(self) -> bool:
        """Whether what is said now will be heard."""
        return not self.over and not self.mute

    async def send(self, text: str) -> None:
        if self.over:
            raise TransportError("gone")
        command, _, rest = text.partition(" ")
        if command == "NICK":
            self._nick = rest
            self.say(f":tmi.twitch.tv 001 {rest} :Welcome, GLHF!")
        elif command == "JOIN" and self.up:
            self.joined.add(rest[1:])
            self.say(f":{self._nick}!{self._nick}@{self._nick}.tmi.twitch.tv JOIN {rest}")
        elif command == "PING":
            self.say(f":tmi.twitch.tv PONG tmi.twitch.tv {rest}")

    async def receive(self) -> str:
        frame = await self._frames.get()
        if frame is None:
            raise TransportError("gone")
        return frame

    async def close(self) -> None:
        self.drop()

    def say(self, text: str) -> None:
        if self.up:
            self._frames.put_nowait(text + "\r\n")

    def say_chat(self, channel: str, identity: str, at: int) -> None:
        self.say(privmsg("hi", channel=channel, identity=identity, at=at))

    def keep_alive(self) -> None:
        """IRC has no keepalives: the client asks."""

    def ask_to_reconnect(self) -> None:
        self.say(":tmi.twitch.tv RECONNECT")

    def drop(self) -> None:
        self.over = True
        self._frames.put_nowait(None)


class MemoryNetwork:
    """Opens sessions; refuses while `down`."""

    def __init__(self) -> None:
        self.sessions: list[MemorySession] = []
        self.opened = 0
        self.down = False

    async def connect(self, url: str) -> MemorySession:
        if self.down:
            raise TransportError("cannot connect: refused")
        self.opened += 1
        self.sessions = [session for session in self.sessions if not session.over]
        self.sessions.append(MemorySession())
        return self.sessions[-1]


class MemoryEventSubSession:
    """An EventSub session: a `Transport` and the server behind it."""

    def __init__(self, number: int, subscribed: set[str]) -> None:
        self.id = f"session{number}"
        self.joined = subscribed
        self.over = False
        self.mute = False
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.say(frame("session_welcome", {"session": self._told()}))

    @property
    def up(self) -> bool:
        """Whether what is said now will be heard."""
        return not self.over and not self.mute

    async def send(self, text: str) -> None:
        raise AssertionError("Twitch ends a session that says anything")

    async def receive(self) -> str:
        found = await self._frames.get()
        if found is None:
            raise TransportError("gone")
        return found

    async def close(self) -> None:
        self.drop()

    def say(self, text: str) -> None:
        if self.up:
            self._frames.put_nowait(text)

    def join(self, channel: str) -> None:
        self.joined.add(channel)

    def say_chat(self, channel: str, identity: str, at: int) -> None:
        time = datetime.fromtimestamp(at / 1000, UTC).isoformat()
        event = chat("hi", identity=identity)
        self.say(notification("channel.chat.message", event, broadcaster=number_of(channel), at=time))

    def keep_alive(self) -> None:
        self.say(frame("session_keepalive", {}))

    def ask_to_reconnect(self) -> None:
        self.say(frame("session_reconnect", {"session": self._told() | {"reconnect_url": f"ws:{self.id}"}}))

    def drop(self) -> None:
        self.over = True
        self._frames.put_nowait(None)

    def _told(self) -> dict[str, Any]:
        return {"id": self.id, "status": "connected", "keepalive_timeout_seconds": 10, "reconnect_url": None}


def number_of(channel: str) -> str:
    """Twitch's number of a channel, here made of its name."""
    return str(int.from_bytes(channel.encode(), "big"))


class MemoryEventSub:
    """Opens EventSub sessions and answers the API; refuses to open while `down`."""

    session_type = MemoryEventSubSession

    def __init__(self) -> None:
        self.sessions: list[MemoryEventSubSession] = []
        self.opened = 0
        self.down = False
        self.api = httpx.MockTransport(self._answer)
        self._channels: dict[str, str] = {}

    async def connect(self, url: str) -> MemoryEventSubSession:
        if self.down:
            raise TransportError("cannot connect: refused")
        replaced = [session for session in self.sessions if url == f"ws:{session.id}"]
        self.sessions = [session for session in self.sessions if not session.over]
        moved = set(replaced[0].joined) if replaced else set()
        self.sessions.append(self.session_type(self.opened, moved))
        self.opened += 1
        return self.sessions[-1]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/oauth2/validate":
                return httpx.Response(200, json={"client_id": "c", "user_id": "9", "login": "reader"})
            case "/helix/users":
                logins = request.url.params.get_list("login")
                self._channels |= {number_of(login): login for login in logins}
                return _data(*({"id": number_of(login), "login": login} for login in logins))
            case "/helix/streams":
                return _data()
        wanted = json.loads(request.content)
        session_id = wanted["transport"]["session_id"]
        session = next((s for s in self.sessions if s.id == session_id and s.up), None)
        if session is None:
            return httpx.Response(400, json={"message": "websocket transport session does not exist"})
        if wanted["type"] == "channel.chat.message":
            session.join(self._channels[wanted["condition"]["broadcaster_user_id"]])
        return _data({"id": "s", "status": "enabled", "type": wanted["type"]}, status=202)


def _data(*found: dict[str, Any], status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={"data": list(found)})
