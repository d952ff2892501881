"""The live feed: what was just stored, pushed to every open page at most twice a second.

The sink publishes from its own thread and never waits. Rows of one key replace each other until they are
sent, so a slow page gets fewer, newer rows; one that falls far behind keeps only the newest of each stream.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from schemas.records import Activity, Alert, Window
from serving.api.norms import Norms
from serving.api.points import window_point
from serving.api.sources import Sources
from serving.api.store import StoreUnavailableError
from serving.api.streams import StreamList

log = logging.getLogger(__name__)

TICK_S: Final = 0.5
STREAMS_EVERY_S: Final = 2.0
"""Between two pushes of the streams' and sources' rows, read from the store while a page is open."""
STREAMS_SHARE: Final = 0.02
"""Share of the time that these reads may take: a loaded store is asked less often, to a bound."""
STREAMS_LONGEST_S: Final = 8.0
STREAMS_WITHIN_S: Final = 3_600
MAX_PENDING: Final = 2_000
LIVE_SIZE_MS: Final = 1_000

Key = tuple[str, ...]
Rows = dict[Key, dict[str, Any]]
"""Rows by key; the key's first part is the stream."""


class Page:
    """One open WebSocket: what it has yet to be sent, by frame type."""

    def __init__(self, socket: WebSocket, workspace: str) -> None:
        self.workspace = workspace
        self._socket = socket
        self._pending: dict[str, Rows] = {}
        self._filled = asyncio.Event()

    def offer(self, kind: str, rows: Rows) -> None:
        """Queue rows; never waits."""
        pending = self._pending.setdefault(kind, {})
        pending.update(rows)
        if len(pending) > MAX_PENDING:
            newest = {key[0]: (key, row) for key, row in pending.items()}
            self._pending[kind] = dict(newest.values())
        self._filled.set()

    async def send_all(self) -> None:
        """Send what is offered until the page goes away."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            pending, self._pending = self._pending, {}
            for kind, rows in pending.items():
                frame = {"type": kind, "rows": list(rows.values())}
                await self._socket.send_text(msgspec.json.encode(frame).decode())


class LiveHub:
    """Gathers what the sink stores and hands it to the open pages."""

    def __init__(self, norms: Norms, streams: StreamList, sources: Sources) -> None:
        self._norms, self._streams, self._sources = norms, streams, sources
        self._lock = threading.Lock()
        self._fresh: dict[tuple[str, str], dict[Key, msgspec.Struct]] = {}
        self._pages: set[Page] = set()

    def publish(self, records: Sequence[msgspec.Struct]) -> None:
        """Take freshly stored records; any thread, returns at once."""
        if not self._pages:
            return
        with self._lock:
            for record in records:
                place = _place(record)
                if place is not None:
                    kind, key = place
                    self._fresh.setdefault((record.workspace, kind), {})[key] = record  # type: ignore[attr-defined]

    async def serve(self, socket: WebSocket, workspace: str) -> None:
        """Feed one page until it leaves; what it sends is ignored."""
        await socket.accept()
        page = Page(socket, workspace)
        self._pages.add(page)
        sender = asyncio.create_task(page.send_all())
        try:
            while True:
                await socket.receive_text()
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            self._pages.discard(page)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await sender

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Push while the context is open."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        due = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            if not self._pages:
                continue
            began = time.monotonic()
            try:
                await self.push(with_streams=began >= due)
            except StoreUnavailableError as error:
                log.warning("live feed skips a turn: %s", error)
            if began >= due:
                due = began + streams_pause_s(time.monotonic() - began)

    async def push(self, *, with_streams: bool) -> None:
        """One turn: offer what came since the last one."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        for (workspace, kind), records in fresh.items():
            self._offer(workspace, kind, await asyncio.to_thread(self._rows, workspace, kind, records))
        if with_streams:
            for workspace in {page.workspace for page in self._pages}:
                rows = await asyncio.to_thread(self._streams.read, workspace, STREAMS_WITHIN_S)
                self._offer(workspace, "streams", {(row.stream_id,): row.model_dump() for row in rows})
                found = await asyncio.to_thread(self._sources.read, workspace)
                self._offer(workspace, "sources", {(row.channel,): row.model_dump() for row in found})

    def _offer(self, workspace: str, kind: str, rows: Rows) -> None:
        for page in self._pages:
            if page.workspace == workspace and rows:
                page.offer(kind, rows)

    def _rows(self, workspace: str, kind: str, records: dict[Key, msgspec.Struct]) -> Rows:
        if kind != "windows":
            return {key: msgspec.to_builtins(record) for key, record in records.items()}
        rows: Rows = {}
        for key, record in records.items():
            assert isinstance(record, Window)
            norms = self._norms.of(workspace, record.channel)
            point = window_point(msgspec.structs.asdict(record), norms, record.authors_in_window)
            rows[key] = point.model_dump() | {
                "stream_id": record.stream_id,
                "channel": record.channel,
                "step_ms": record.size_ms,
            }
        return rows


def streams_pause_s(took_s: float) -> float:
    """Seconds from one reading of the streams to the next, after one that took so long."""
    return min(max(STREAMS_EVERY_S, took_s / STREAMS_SHARE), STREAMS_LONGEST_S)


def _place(record: msgspec.Struct) -> tuple[str, Key] | None:
    """Frame type and key of a record; None for what pages are not told."""
    match record:
        case Window(size_ms=size) if size == LIVE_SIZE_MS:
            return "windows", (record.stream_id, str(record.start_ms))
        case Activity():
            return "activity", (record.stream_id, str(record.second_ms))
        case Alert():
            return "alerts", (record.stream_id, record.alert_id)
    return None
