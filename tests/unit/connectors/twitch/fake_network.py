"""Twitch without sockets: sessions in memory, for tests on a clock that needs no waiting."""

import asyncio

from connectors.twitch.transport import TransportError


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

    def say(self, frame: str) -> None:
        if self.up:
            self._frames.put_nowait(frame + "\r\n")

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
