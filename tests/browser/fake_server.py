"""Runs the fake API on a loopback port, in a thread, so that a test can stop it and start it again."""

import asyncio
import socket
import threading

import uvicorn

from tests.browser import answers
from tests.browser.fake_api import TOKEN, Feed, build_app
from tests.browser.world import World

START_TIMEOUT_S = 20.0


class FakeServer:
    """One port for a whole test; `stop` and `start` keep it, as a restarted API would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.feed = Feed()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.failing: set[str] = set()

    @property
    def link(self) -> str:
        return f"{self.address}/?token={TOKEN}"

    def start(self) -> None:
        started = threading.Event()
        app = build_app(self.world, self.feed)
        self.failing = app.state.failing
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="warning", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            task = asyncio.create_task(self._server.serve())
            while not self._server.started and not task.done():
                await asyncio.sleep(0.01)
            started.set()
            await task

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        if not started.wait(START_TIMEOUT_S) or not self._server.started:
            raise RuntimeError(f"the fake API did not start on port {self.port}")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)

    def push(self, kind: str, rows: list[answers.Row]) -> None:
        """Sends one frame to every page."""
        asyncio.run_coroutine_threadsafe(self.feed.send(kind, rows), self._loop).result(START_TIMEOUT_S)

    def tick(self, seconds: int = 1) -> None:
        """Moves the world on and tells the pages what a live API would."""
        self.world.advance(seconds)
        running = [s for s in self.world.streams.values() if not s.ended and s.freshness_s < 5]
        windows, activity = [], []
        for stream in running:
            end = self.world.now(stream)
            start = end - seconds * 1000
            windows += [
                p | {"stream_id": stream.stream_id}
                for p in answers.points(self.world, stream, start, end, 1000)
            ]
            activity += [
                a | {"stream_id": stream.stream_id} for a in answers.activity(self.world, stream, start, end)
            ]
        self.push("streams", [answers.stream_row(self.world, s) for s in self.world.streams.values()])
        self.push("windows", windows)
        self.push("activity", activity)
