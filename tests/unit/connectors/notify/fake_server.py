"""An HTTP server that misbehaves by script: errors, stalls, closed connections, foreign answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Answer:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


Step = Answer | Literal["close", "stall", "half"]
"""`close`: no answer; `stall`: none before the client gives up; `half`: closed within the answer."""


@dataclass
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class FakeServer:
    """Answers by `script`, then with `usual`; `requests` is what came."""

    def __init__(self, usual: Answer) -> None:
        self.script: list[Step] = []
        self.usual = usual
        self.requests: list[Request] = []
        self.arrivals: list[float] = []
        self.url = ""
        self.came = asyncio.Event()
        self._released = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                self.requests.append(request)
                self.arrivals.append(time.time())
                self.came.set()
                step = self.script.pop(0) if self.script else self.usual
                if step == "stall":
                    await self._released.wait()
                if not isinstance(step, Answer):
                    if step == "half":
                        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                    return
                lines = [f"HTTP/1.1 {step.status} X", f"Content-Length: {len(step.body)}"]
                lines += [f"{name}: {value}" for name, value in step.headers.items()]
                writer.write("\r\n".join([*lines, "", ""]).encode() + step.body)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return  # the client has gone, or the test is over
        finally:
            writer.close()

    def release(self) -> None:
        self._released.set()


@asynccontextmanager
async def fake_server(usual: Answer) -> AsyncIterator[FakeServer]:
    fake = FakeServer(usual)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        fake.release()
        server.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(head[0].split(" ")[1], headers, body)
