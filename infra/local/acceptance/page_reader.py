"""A reader of the live feed, as an open page is one."""

import contextlib
import threading

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from infra.local.settings import Stack
from serving.api.auth import obtain_token


class PageReader:
    """Reads the live feed on a thread, again and again where it breaks; a context manager."""

    def __init__(self, stack: Stack, workspace: str) -> None:
        address = stack.endpoints.api_url.rstrip("/").replace("http", "ws", 1)
        self._url = f"{address}/api/v1/{workspace}/live"
        self._headers = {"Authorization": f"Bearer {obtain_token(stack.run / 'token')}"}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-reader", daemon=True)
        self.frames = 0

    def __enter__(self) -> "PageReader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with (
                contextlib.suppress(OSError, WebSocketException),
                connect(self._url, additional_headers=self._headers, max_size=None) as socket,
            ):
                self._read(socket)
            self._stop.wait(1)

    def _read(self, socket: object) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                socket.recv(timeout=0.5)  # type: ignore[attr-defined]
                self.frames += 1
