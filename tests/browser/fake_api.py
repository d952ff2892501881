"""The console's API, faked: same paths, same cookie and content policy, data from a `World`."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from schemas.playbooks import Language, told
from schemas.records import AlertKind, Severity
from tests.browser import answers
from tests.browser.world import Row, Stream, World

STATIC = Path(__file__).parents[2] / "dashboards" / "console" / "static"
TOKEN = "fake-token"
COOKIE = "pulse_token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Feed:
    """The open live sockets; `send` reaches each, in order."""

    def __init__(self) -> None:
        self.sockets: set[WebSocket] = set()

    async def send(self, kind: str, rows: list[Row]) -> None:
        for socket in list(self.sockets):
            await socket.send_json({"type": kind, "rows": rows})


def check_token(request: Request) -> None:
    if request.cookies.get(COOKIE) != TOKEN:
        raise HTTPException(401, "token missing or wrong")


def build_app(world: World, feed: Feed) -> FastAPI:
    app = FastAPI()
    app.state.failing = set()
    app.include_router(api(world, app.state.failing), prefix="/api/v1", dependencies=[Depends(check_token)])
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.middleware("http")
    async def policy(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    async def page(token: str | None = None) -> Response:
        if token is None:
            return FileResponse(STATIC / "index.html")
        redirect = RedirectResponse("/")
        redirect.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return redirect

    @app.websocket("/api/v1/{workspace}/live")
    async def live(socket: WebSocket, workspace: str) -> None:
        if socket.cookies.get(COOKIE) != TOKEN:
            await socket.close(4401)
            return
        await socket.accept()
        feed.sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except (WebSocketDisconnect, asyncio.CancelledError):
            return
        finally:
            feed.sockets.discard(socket)

    return app


def api(world: World, failing: set[str]) -> APIRouter:
    router = APIRouter()

    def stream_of(stream_id: str) -> Stream:
        if stream_id not in world.streams:
            raise HTTPException(404, "unknown stream")
        return world.streams[stream_id]

    def fail(name: str) -> None:
        if name in failing:
            raise HTTPException(503, "the store is busy")

    @router.get("/health")
    async def health() -> Row:
        return {"status": "ok"}

    @router.get("/{workspace}/streams")
    async def streams(workspace: str) -> Row:
        fail("streams")
        return {"streams": [answers.stream_row(world, s) for s in world.streams.values()]}

    @router.get("/{workspace}/sources")
    async def sources(workspace: str) -> Row:
        return {"sources": list(world.sources.values())}

    @router.get("/{workspace}/windows")
    async def windows(workspace: str, stream_id: str, step_ms: int, request: Request) -> Row:
        fail("windows")
        start, end = (int(request.query_params[name]) for name in ("from", "to"))
        rows = answers.points(world, stream_of(stream_id), start, end, step_ms)
        return {"stream_id": stream_id, "step_ms": step_ms, "points": rows}

    @router.get("/{workspace}/activity")
    async def activity(workspace: str, stream_id: str, request: Request) -> Row:
        start, end = (int(request.query_params[name]) for name in ("from", "to"))
        return {"stream_id": stream_id, "points": answers.activity(world, stream_of(stream_id), start, end)}

    @router.get("/{workspace}/messages")
    async def messages(
        workspace: str,
        stream_id: str,
        request: Request,
        min_toxicity: float = 0.0,
        emotion: str = "",
        q: str = "",
        limit: int = 50,
        cursor: int = 0,
    ) -> Row:
        fail("messages")
        stream = stream_of(stream_id)
        end = int(request.query_params.get("to", world.now(stream)))
        start = int(request.query_params.get("from", end - 120_000))
        rows = [
            row
            for row in answers.messages(world, stream, start, end)
            if row["toxicity"] >= min_toxicity
            and q.lower() in row["text"].lower()
            and (not emotion or emotion in row["emotions"])
        ]
        more = cursor + limit < len(rows)
        return {
            "messages": rows[cursor : cursor + limit],
            "next_cursor": str(cursor + limit) if more else None,
        }

    @router.get("/{workspace}/events")
    async def events(workspace: str) -> Row:
        return {"events": []}

    @router.get("/{workspace}/alerts")
    async def alerts(workspace: str, stream_id: str = "", limit: int = 100) -> Row:
        rows = [a for a in world.alerts.values() if not stream_id or a["stream_id"] == stream_id]
        return {"alerts": rows[:limit]}

    @router.get("/{workspace}/alerts/{alert_id}/marks")
    async def marks(workspace: str, alert_id: str) -> Row:
        return {"marks": world.marks.get(alert_id, [])}

    @router.post("/{workspace}/alerts/{alert_id}/marks")
    async def mark(workspace: str, alert_id: str, request: Request) -> Row:
        fail("marks")
        row = {"note": "", "marked_at": 0, "mute_until": None} | await request.json()
        world.marks.setdefault(alert_id, []).insert(0, row)
        return row

    @router.get("/{workspace}/playbooks/{kind}")
    async def playbook(workspace: str, kind: AlertKind, severity: Severity, lang: Language) -> Row:
        return told(kind, severity, lang)

    return router
