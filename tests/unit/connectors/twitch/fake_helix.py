"""Twitch's API and token server on loopback, in a thread of its own, that refuses when told to."""

import contextlib
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any, dict[str, str]]


class Asked(NamedTuple):
    """A request to the API that had a valid token."""

    method: str
    path: str
    params: dict[str, list[str]]
    body: Any


class FakeHelix:
    """Knows users and streams, takes subscriptions and actions; `asked` are the requests in order.

    `script` holds answers that come before any other, each once.
    """

    def __init__(self) -> None:
        self.tokens = {"t0"}
        self.scopes = ["user:read:chat", "moderator:manage:banned_users", "moderator:manage:announcements"]
        self.refresh_tokens = {"r0": ("t1", "r1")}
        self.app_tokens = 0
        self.users = {"room": "100", "other": "101", "alice": "200", "moderator": "900"}
        self.streams: dict[str, str] = {}
        self.script: deque[Answer] = deque()
        self.asked: list[Asked] = []
        self.public: dict[str, Any] = {}
        """Answers that need no token, by path."""
        self.subscribed: list[dict[str, Any]] = []
        self.forbidden: set[str] = set()
        """Subscription types that the token may not have."""
        self.conduits: dict[str, dict[str, str]] = {}
        """The session of each shard of each conduit."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                authorization = self.headers.get("Authorization", "")
                status, body, headers = fake._answer(
                    self.command, address.path, parse_qs(address.query), raw, authorization
                )
                content = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a client that has left
                    self.wfile.write(content)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, Any]:
        return {"api_url": f"{self.url}/helix", "auth_url": f"{self.url}/oauth2"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def types_of(self, session: str) -> set[str]:
        """What a session is subscribed to."""
        return {s["type"] for s in self.subscribed if s["transport"].get("session_id") == session}

    def _answer(
        self, method: str, path: str, params: dict[str, list[str]], raw: bytes, authorization: str
    ) -> Answer:
        if path in self.public:
            return 200, self.public[path], {}
        token = authorization.partition(" ")[2]
        if path == "/oauth2/token":
            return self._token({key: found[0] for key, found in parse_qs(raw.decode()).items()})
        if token not in self.tokens:
            return 401, {"status": 401, "message": "Invalid OAuth token"}, {}
        if path == "/oauth2/validate":
            user = {} if token.startswith("app") else {"login": "moderator", "user_id": "900"}
            return 200, {"client_id": "client", "scopes": self.scopes, "expires_in": 5000} | user, {}
        asked = Asked(method, path.removeprefix("/helix"), params, json.loads(raw) if raw else None)
        self.asked.append(asked)
        if self.script:
            return self.script.popleft()
        return self._helix(asked)

    def _token(self, form: dict[str, str]) -> Answer:
        if form["grant_type"] == "client_credentials" and form.get("client_secret") == "secret":
            self.app_tokens += 1
            self.tokens.add(f"app{self.app_tokens}")
            return 200, {"access_token": f"app{self.app_tokens}", "expires_in": 5000}, {}
        granted = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
        if granted is None:
            return 400, {"status": 400, "message": "Invalid refresh token"}, {}
        self.tokens.add(granted[0])
        return 200, {"access_token": granted[0], "refresh_token": granted[1], "scope": self.scopes}, {}

    def _helix(self, asked: Asked) -> Answer:
        match asked.method, asked.path:
            case "GET", "/users":
                found = [(name, self.users[name]) for name in asked.params["login"] if name in self.users]
                return 200, {"data": [{"id": number, "login": name} for name, number in found]}, {}
            case "GET", "/streams":
                return (
                    200,
                    {
                        "data": [
                            self._stream(name) for name in asked.params["user_login"] if name in self.streams
                        ]
                    },
                    {},
                )
            case "POST", "/eventsub/subscriptions":
                return self._subscribe(asked.body)
            case "GET", "/eventsub/conduits":
                data = [{"id": name, "shard_count": len(shards)} for name, shards in self.conduits.items()]
                return 200, {"data": data}, {}
            case "POST", "/eventsub/conduits":
                name, shards = f"conduit{len(self.conduits)}", asked.body["shard_count"]
                self.conduits[name] = {str(shard): "" for shard in range(shards)}
                return 200, {"data": [{"id": name, "shard_count": shards}]}, {}
            case "PATCH", "/eventsub/conduits":
                old = self.conduits[asked.body["id"]]
                shards = asked.body["shard_count"]
                self.conduits[asked.body["id"]] = {str(n): old.get(str(n), "") for n in range(shards)}
                return 200, {"data": [{"id": asked.body["id"], "shard_count": shards}]}, {}
            case "PATCH", "/eventsub/conduits/shards":
                for shard in asked.body["shards"]:
                    self.conduits[asked.body["conduit_id"]][shard["id"]] = shard["transport"]["session_id"]
                return 202, {"data": [], "errors": []}, {}
        return 204, None, {}

    def _stream(self, name: str) -> dict[str, Any]:
        return {
            "id": self.streams[name],
            "user_id": self.users[name],
            "user_login": name,
            "viewer_count": 78_365,
            "started_at": "2026-01-01T00:00:00Z",
        }

    def _subscribe(self, body: dict[str, Any]) -> Answer:
        if body["type"] in self.forbidden:
            return 403, {"status": 403, "message": "subscription missing proper authorization"}, {}
        wanted = {key: body[key] for key in ("type", "condition", "transport")}
        if any({key: had[key] for key in wanted} == wanted for had in self.subscribed):
            return 409, {"status": 409, "message": "subscription already exists"}, {}
        identity = f"sub{len(self.subscribed)}"
        self.subscribed.append({**body, "id": identity})
        data = {"id": identity, "status": "enabled", "type": body["type"], "cost": 0}
        return 202, {"data": [data], "total": 1, "total_cost": 0, "max_total_cost": 10}, {}
