"""An HTTP server on loopback for fakes of platforms; answers may be cut at any byte, or never come."""

import asyncio
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    """One request."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Broken(bytes):
    """The bytes of an answer, after which the connection is cut."""


Answer = tuple[int, bytes] | Broken | None
"""Status and body; None: the connection is closed without a word."""


class FakeHttp:
    """Subclasses answer; `over` is set when the test is."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self.over.set()
        self._server.close()

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def answer(self, asked: Asked) -> Answer:
        """What is answered."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().rstrip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                target = urlsplit(first.split(" ")[1])
                parameters = {name: values[0] for name, values in parse_qs(target.query).items()}
                told = await self.answer(Asked(target.path, parameters, headers, body))
                if told is None or isinstance(told, Broken):
                    writer.write(told or b"")
                    await writer.drain()
                    return
                status, content = told
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()
