"""A server on loopback that speaks Twitch's IRC over WebSocket, and misbehaves when told to."""

from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class FakeTwitch:
    """Welcomes, confirms joins, answers pings; `sessions` are the connections in the order they came."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.refuse_login = False
        self.unknown_channels: set[str] = set()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, ping_interval=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        for session in self.sessions:
            session.drop()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    @property
    def last(self) -> "Session":
        return self.sessions[-1]

    async def _serve(self, connection: ServerConnection) -> None:
        session = Session(self, connection)
        self.sessions.append(session)
        try:
            async for frame in connection:
                for line in str(frame).split("\r\n"):
                    await session.hear(line)
        except ConnectionClosed:
            pass
        session.over = True


class Session:
    """One client's connection."""

    def __init__(self, server: FakeTwitch, connection: ServerConnection) -> None:
        self.heard: list[str] = []
        self.joined: set[str] = set()
        self.mute = False
        """A stalled server: takes everything, says nothing."""
        self.over = False
        self._server = server
        self._connection = connection

    async def hear(self, line: str) -> None:
        self.heard.append(line)
        command, _, rest = line.partition(" ")
        if self.mute:
            return
        if command == "CAP":
            await self.say(":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands")
        elif command == "NICK" and self._server.refuse_login:
            await self.say(":tmi.twitch.tv NOTICE * :Login authentication failed")
        elif command == "NICK":
            self.nick = rest
            await self.say(f":tmi.twitch.tv 001 {rest} :Welcome, GLHF!\r\n:tmi.twitch.tv 376 {rest} :>")
        elif command == "JOIN" and rest[1:] not in self._server.unknown_channels:
            self.joined.add(rest[1:])
            await self.say(
                f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv JOIN {rest}\r\n"
                f"@emote-only=0;room-id=1;slow=0 :tmi.twitch.tv ROOMSTATE {rest}"
            )
        elif command == "PING":
            await self.say(f":tmi.twitch.tv PONG tmi.twitch.tv {rest}")

    async def say(self, lines: str) -> None:
        """Send one frame."""
        await self._connection.send(lines + "\r\n")

    def say_part(self, lines: str, share: float) -> None:
        """Send the first bytes of a frame only."""
        payload = (lines + "\r\n").encode()
        head = bytes([0x81, 126, *len(payload).to_bytes(2, "big")])
        frame = head + payload
        self._connection.transport.write(frame[: int(len(frame) * share)])

    def drop(self) -> None:
        """Break the connection off, without a farewell."""
        self._connection.transport.abort()
