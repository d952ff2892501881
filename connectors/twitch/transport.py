"""Text frames to and from Twitch: the WebSocket library behind a small protocol."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
"""A longer frame ends the connection; Twitch's lines have at most some 10 kB."""


class TransportError(Exception):
    """The connection cannot be opened, or is over; the message says why and holds no secret."""


class Transport(Protocol):
    """One open connection."""

    async def send(self, text: str) -> None:
        """Send one frame; TransportError where the connection is over."""

    async def receive(self) -> str:
        """The next frame; TransportError where there will be none."""

    async def close(self) -> None:
        """End the connection; does not wait for the other side's consent for long."""


Connect = Callable[[str], Awaitable[Transport]]


async def connect_websocket(url: str) -> Transport:
    """Open a WebSocket, over TLS for wss.

    Raises:
        TransportError: it cannot be opened.
    """
    try:
        # the source has its own timeouts, on its own clock, and pings on the IRC layer
        connection = await connect(
            url, max_size=MAX_FRAME_BYTES, ping_interval=None, open_timeout=None, close_timeout=1
        )
    except (OSError, ssl.SSLError, InvalidHandshake, InvalidURI, TimeoutError) as error:
        raise TransportError(f"cannot connect to {url}: {error}") from None
    return _WebSocket(connection)


class _WebSocket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise TransportError(str(error)) from None

    async def receive(self) -> str:
        try:
            frame = await self._connection.recv()
        except ConnectionClosed as error:
            raise TransportError(str(error)) from None
        return frame if isinstance(frame, str) else frame.decode(errors="replace")

    async def close(self) -> None:
        await self._connection.close()
