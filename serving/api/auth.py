"""Who may ask: one token per stack, as a bearer or, for the page, as a cookie."""

import hmac
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE: Final = "pulse_token"
PUBLIC: Final = frozenset({"/healthz"})
TOKEN_VARIABLE: Final = "PULSE_API_TOKEN"
_COOKIE_AGE_S: Final = 30 * 86_400


def obtain_token(path: Path) -> str:
    """The token of this stack: PULSE_API_TOKEN, else that in the file, else a new one written there (0600).

    Raises:
        OSError: the file can neither be read nor written.
    """
    if known := known_token(path):
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token


def known_token(path: Path) -> str | None:
    """The token that callers of this stack present: PULSE_API_TOKEN, else that in the file, else None."""
    if given := os.environ.get(TOKEN_VARIABLE, "").strip():
        return given
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


class TokenAuth:
    """ASGI middleware: lets through what carries the token and answers 401 to the rest.

    `/?token=…` trades the token for an HttpOnly, SameSite=Strict cookie and drops it from the address.
    Requests that change something and WebSockets must also come from our own page (Origin), where a
    browser says where they come from.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in PUBLIC:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            if self._has_token(headers) and _same_origin(headers):
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        if scope["path"] == "/" and "token" in request.query_params:
            response = self._trade(request)
        elif not self._has_token(headers):
            response = _denied(scope["path"])
        elif scope["method"] not in ("GET", "HEAD") and not _same_origin(headers):
            response = JSONResponse({"detail": "cross-origin requests are refused"}, 403)
        else:
            await self._app(scope, receive, send)
            return
        await response(scope, receive, send)

    def _matches(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._matches(bearer.strip())
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._matches(cookie.value)

    def _trade(self, request: Request) -> Response:
        if not self._matches(request.query_params["token"]):
            return _denied("/")
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "token"]
        response = RedirectResponse(f"/?{urlencode(rest)}" if rest else "/", status_code=303)
        response.set_cookie(
            COOKIE,
            self._token.decode(),
            max_age=_COOKIE_AGE_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response


def _same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _denied(path: str) -> Response:
    challenge = {"WWW-Authenticate": "Bearer"}
    if path == "/":
        text = "Open the link that `pulse up` or `pulse demo` printed: it carries the token.\n"
        return PlainTextResponse(text, 401, challenge)
    return JSONResponse({"detail": "a valid token is missing (Authorization: Bearer …)"}, 401, challenge)
