"""The HTTP application: routes, errors, security headers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import FastAPI, HTTPException, Path, Query, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.playbooks import Language, told
from schemas.records import AlertKind, Severity
from serving.api import models
from serving.api.auth import TokenAuth
from serving.api.channels import ChannelList, add_channels
from serving.api.clickhouse_http import ClickHouseHttp, QuerySource
from serving.api.history import BadRequestError, History
from serving.api.live import LiveHub
from serving.api.marks import Marks
from serving.api.norms import Norms
from serving.api.sources import Sources
from serving.api.store import QueryRefusedError, Store, StoreUnavailableError
from serving.api.streams import StreamList

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
SQL_AT_ONCE: Final = 2
LAG_DEGRADED: Final = 50_000
"""Records behind on one topic from which /health says `degraded`: about eight seconds of full load."""

_SQL_TYPES: Final = {"json": "application/x-ndjson", "csv": "text/csv", "table": "text/plain"}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Workspace = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
StreamId = Annotated[str, Query(min_length=1, max_length=512)]
AnyStreamId = Annotated[str, Query(max_length=512)]
At = Annotated[int | None, Query(ge=0, le=4_102_444_800_000)]
AlertId = Annotated[str, Path(min_length=1, max_length=128)]
Limit = Annotated[int, Query(ge=1, le=1_000)]


class SecurityHeaders:
    """ASGI middleware that adds the security headers to every answer and keeps answers out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                # Pages revalidate by ETag, data is never kept.
                kept = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "no-cache" if kept else "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create_app(
    store: Store,
    token: str,
    *,
    static: FilePath | None = None,
    hosts: tuple[str, ...] = LOOPBACK_HOSTS,
    registry: CollectorRegistry = REGISTRY,
    clickhouse: QuerySource | None = None,
    channels: ChannelList | None = None,
) -> FastAPI:
    """Build the application; `app.state.hub.publish` is where the sink hands on what it stored.

    Args:
        store: where everything is read from.
        token: what callers must present.
        static: folder of the page (`index.html` and what it loads from `/static`); none: no page.
        hosts: names under which it may be addressed (guards against DNS rebinding).
        registry: metrics to show on /metrics.
        clickhouse: answers ClickHouse's HTTP interface; none: it is not offered.
        channels: the list of channels that are listened to; none: it is not offered.
    """
    norms = Norms(store)
    streams, history = StreamList(store, norms), History(store, norms)
    sources = Sources(store)
    hub = LiveHub(norms, streams, sources)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hub.running():
            yield

    app = FastAPI(title="Pulse", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.hub = hub
    app.add_middleware(TokenAuth, token=token)
    if clickhouse is not None:
        app.add_middleware(ClickHouseHttp, source=clickhouse, token=token)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(SecurityHeaders)
    _add_errors(app)
    _add_history(app, streams, history)
    _add_reactions(app, Marks(store))
    _add_sources(app, sources)
    _add_operations(app, store, streams, registry)
    if channels is not None:
        add_channels(app, channels)

    @app.websocket("/api/v1/{workspace}/live")
    async def live(socket: WebSocket, workspace: Workspace) -> None:
        """Frames {type: windows|activity|alerts|streams|sources, rows}, at most two of a type a second."""
        await hub.serve(socket, workspace)

    if static is not None:
        index = static / "index.html"

        @app.get("/", include_in_schema=False)
        def page() -> FileResponse:
            return FileResponse(index)

        app.mount("/static", StaticFiles(directory=static), name="static")
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StoreUnavailableError)
    def unavailable(_request: Request, error: StoreUnavailableError) -> JSONResponse:
        return JSONResponse({"detail": f"the store does not answer: {error}"}, 503, {"Retry-After": "2"})

    @app.exception_handler(BadRequestError)
    def bad_request(_request: Request, error: BadRequestError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 422)

    @app.exception_handler(QueryRefusedError)
    def refused(_request: Request, error: QueryRefusedError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 400)


def _add_history(app: FastAPI, streams: StreamList, history: History) -> None:
    from_ = Query(alias="from", ge=0, le=4_102_444_800_000)

    @app.get("/api/v1/{workspace}/streams")
    def get_streams(
        workspace: Workspace, active_within_s: Annotated[int | None, Query(ge=1, le=4_000_000)] = None
    ) -> models.Streams:
        """All streams, the last heard first."""
        return models.Streams(streams=streams.read(workspace, active_within_s))

    @app.get("/api/v1/{workspace}/windows")
    def get_windows(
        workspace: Workspace,
        stream_id: StreamId,
        start: Annotated[int | None, from_] = None,
        to: At = None,
        step_ms: Annotated[int, Query(ge=1_000, le=86_400_000)] = 10_000,
    ) -> models.Windows:
        """Moods of a stream over a range (default: its last hour) by steps; at most 5,000 points."""
        points = history.windows(workspace, stream_id, start, to, step_ms)
        return models.Windows(stream_id=stream_id, step_ms=step_ms, points=points)

    @app.get("/api/v1/{workspace}/activity")
    def get_activity(
        workspace: Workspace, stream_id: StreamId, start: Annotated[int | None, from_] = None, to: At = None
    ) -> models.ActivityAnswer:
        """Rates per second, model or not."""
        points = history.activity(workspace, stream_id, start, to)
        return models.ActivityAnswer(stream_id=stream_id, points=points)

    @app.get("/api/v1/{workspace}/messages")
    def get_messages(
        workspace: Workspace,
        stream_id: StreamId,
        start: Annotated[int | None, from_] = None,
        to: At = None,
        min_toxicity: Annotated[float, Query(ge=0, le=1)] = 0,
        emotion: Annotated[str, Query(max_length=32)] = "",
        q: Annotated[str, Query(max_length=200)] = "",
        limit: Limit = 100,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> models.Messages:
        """Chat lines, newest first; `cursor` goes on where an answer ended."""
        return history.messages(
            workspace,
            stream_id,
            start,
            to,
            min_toxicity=min_toxicity,
            emotion=emotion,
            q=q,
            limit=limit,
            cursor=cursor,
        )

    @app.get("/api/v1/{workspace}/alerts")
    def get_alerts(
        workspace: Workspace,
        stream_id: AnyStreamId = "",
        kind: Annotated[str, Query(max_length=32)] = "",
        state: Annotated[str, Query(pattern="^(|open|update|closed)$")] = "",
        start: Annotated[int | None, from_] = None,
        to: At = None,
        limit: Limit = 200,
    ) -> models.Alerts:
        """Alert episodes in their newest revision, newest first."""
        return models.Alerts(alerts=history.alerts(workspace, stream_id, kind, state, start, to, limit))

    @app.get("/api/v1/{workspace}/events")
    def get_events(
        workspace: Workspace,
        stream_id: AnyStreamId = "",
        kind: Annotated[str, Query(max_length=32)] = "",
        start: Annotated[int | None, from_] = None,
        to: At = None,
        limit: Limit = 200,
    ) -> models.Events:
        """Raids, stream up and down, gaps and the like, newest first."""
        return models.Events(events=history.events(workspace, stream_id, kind, start, to, limit))


def _add_sources(app: FastAPI, sources: Sources) -> None:
    @app.get("/api/v1/{workspace}/sources")
    def get_sources(workspace: Workspace) -> models.Sources:
        """Where the source of each channel stands, and what it missed in the last 24 hours."""
        return models.Sources(sources=sources.read(workspace))


def _add_reactions(app: FastAPI, marks: Marks) -> None:
    @app.get("/api/v1/{workspace}/alerts/{alert_id}/marks")
    def get_marks(workspace: Workspace, alert_id: AlertId) -> models.MarksAnswer:
        """What people said of an alert, newest first."""
        return models.MarksAnswer(marks=marks.of(workspace, alert_id))

    @app.post("/api/v1/{workspace}/alerts/{alert_id}/marks", status_code=201)
    def post_mark(workspace: Workspace, alert_id: AlertId, request: models.MarkRequest) -> models.Mark:
        """Say that an alert was right or wrong, or mute its kind on its channel for a while."""
        mark = marks.add(workspace, alert_id, request)
        if mark is None:
            raise HTTPException(404, f"no alert {alert_id} in workspace {workspace}")
        return mark

    @app.get("/api/v1/{workspace}/marks/precision")
    def get_precision(
        workspace: Workspace,
        start: Annotated[int | None, Query(alias="from", ge=0, le=4_102_444_800_000)] = None,
        to: At = None,
        step_ms: Annotated[int, Query(ge=60_000, le=31 * 86_400_000)] = 86_400_000,
        kind: Annotated[str, Query(max_length=32)] = "",
    ) -> models.Precision:
        """Share of the marked alerts that were right, by the time at which they started."""
        return models.Precision(step_ms=step_ms, points=marks.precision(workspace, start, to, step_ms, kind))

    @app.get("/api/v1/{workspace}/mutes")
    def get_mutes(workspace: Workspace) -> models.Mutes:
        """Which kinds of alert are muted on which channels now."""
        return models.Mutes(mutes=marks.mutes(workspace))

    @app.get("/api/v1/{workspace}/playbooks/{kind}", response_model_exclude_none=True)
    def get_playbook(
        workspace: Workspace, kind: AlertKind, severity: Severity = "medium", lang: Language = "en"
    ) -> models.Play:
        """What to do about alerts of this kind and severity, why, and which actions are prepared."""
        return models.Play.model_validate(told(kind, severity, lang))


def _add_operations(app: FastAPI, store: Store, streams: StreamList, registry: CollectorRegistry) -> None:
    slots = asyncio.Semaphore(SQL_AT_ONCE)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/v1/health")
    def health() -> models.Health:
        """Whether everything that arrives is stored, and how fresh the streams are."""
        lag = store.lag()
        running = [stream for stream in streams.read("default", 3_600) if not stream.ended]
        behind = [
            f"{topic} is {count:,} records behind" for topic, count in lag.items() if count > LAG_DEGRADED
        ]
        if store.stalled():
            behind.append("the store does not take writes")
        return models.Health(
            status="degraded" if behind else "ok",
            detail="; ".join(behind),
            lag=lag,
            streams=len(running),
            stalest_s=max((stream.freshness_s for stream in running), default=None),
        )

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus metrics of the store process."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.post("/api/v1/sql")
    async def sql(request: models.SqlRequest) -> Response:
        """Run one reading query; limited to 1,000,000 rows, 256 MB and 60 s."""
        async with slots:
            body = await asyncio.to_thread(store.foreign, request.query, request.format)
        return Response(body, media_type=_SQL_TYPES[request.format])
