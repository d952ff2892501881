"""A server on loopback that speaks EventSub over WebSocket, and misbehaves when told to.

Frames are those of dev.twitch.tv/docs/eventsub/websocket-reference, with other names.
"""

import json
from itertools import count
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

AT = "2026-01-01T00:00:00.123456789Z"
_ids = count(1)


def frame(kind: str, payload: dict[str, Any], *, identity: str = "", at: str = AT, **metadata: Any) -> str:
    head = {"message_id": identity or f"n{next(_ids)}", "message_type": kind, "message_timestamp": at}
    return json.dumps({"metadata": head | metadata, "payload": payload})


def notification(kind: str, event: dict[str, Any], *, broadcaster: str = "100", **options: Any) -> str:
    key = "to_broadcaster_user_id" if kind == "channel.raid" else "broadcaster_user_id"
    subscription = {"id": "sub", "type": kind, "status": "enabled", "condition": {key: broadcaster}}
    payload = {"subscription": subscription, "event": event}
    return frame("notification", payload, subscription_type=kind, subscription_version="1", **options)


def chat(text: str, *, identity: str = "m1", login: str = "alice", **event: Any) -> dict[str, Any]:
    return {
        "broadcaster_user_id": "100",
        "broadcaster_user_login": "room",
        "chatter_user_id": "200",
        "chatter_user_login": login,
        "chatter_user_name": login.title(),
        "message_id": identity,
        "message": {"text": text, "fragments": [{"type": "text", "text": text}]},
        "color": "#0D4200",
        "badges": [],
        "message_type": "text",
        "cheer": None,
        "reply": None,
    } | event


class FakeEventSub:
    """Welcomes; `sessions` are the connections in the order they came."""

    def __init__(self) -> None:
        self.sessions: list[EventSubSession] = []
        self.welcomes = True
        self.refuses_replacements = False
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
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/ws"

    @property
    def last(self) -> "EventSubSession":
        return self.sessions[-1]

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request
        path = connection.request.path
        if "replaces=" in path and self.refuses_replacements:
            connection.transport.abort()
            return
        session = EventSubSession(self, connection, f"session{len(self.sessions)}", path)
        self.sessions.append(session)
        if self.welcomes:
            await session.say(frame("session_welcome", {"session": session.told("connected")}))
        try:
            async for said in connection:
                session.heard.append(str(said))
        except ConnectionClosed:
            pass
        session.over = True


class EventSubSession:
    """One client's connection."""

    def __init__(self, server: FakeEventSub, connection: ServerConnection, identity: str, path: str) -> None:
        self.id = identity
        self.path = path
        self.heard: list[str] = []
        self.over = False
        self._server = server
        self._connection = connection

    def told(self, status: str, url: str | None = None) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": status,
            "keepalive_timeout_seconds": None if url else 10,
            "reconnect_url": url,
            "connected_at": AT,
        }

    async def say(self, text: str) -> None:
        await self._connection.send(text)

    async def keep_alive(self) -> None:
        await self.say(frame("session_keepalive", {}))

    async def chat(self, text: str, identity: str, **options: Any) -> None:
        await self.say(notification("channel.chat.message", chat(text, identity=identity), **options))

    async def ask_to_reconnect(self) -> None:
        url = f"{self._server.url}?replaces={self.id}"
        await self.say(frame("session_reconnect", {"session": self.told("reconnecting", url)}))

    async def revoke(self, kind: str, status: str = "authorization_revoked") -> None:
        subscription = {"id": "sub", "type": kind, "status": status}
        subscription["condition"] = {"broadcaster_user_id": "100"}  # type: ignore[assignment]
        await self.say(frame("revocation", {"subscription": subscription}, subscription_type=kind))

    def say_part(self, text: str, share: float) -> None:
        """Send the first bytes of a frame only."""
        payload = text.encode()
        whole = bytes([0x81, 126, *len(payload).to_bytes(2, "big")]) + payload
        self._connection.transport.write(whole[: int(len(whole) * share)])

    def drop(self) -> None:
        """Break the connection off, without a farewell."""
        self._connection.transport.abort()
