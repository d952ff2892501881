"""Who gets in, and what a browser is told about the answers."""

import stat
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from serving.api.auth import COOKIE, TOKEN_VARIABLE, known_token, obtain_token
from tests.unit.serving.api.conftest import TOKEN

LIVE = "ws://127.0.0.1:18080/api/v1/default/live"
CLOSED = [
    "/",
    "/static/main.js",
    "/api/v1/default/streams",
    "/api/v1/health",
    "/metrics",
    "/openapi.json",
    "/nothing",
]


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_but_the_health_check_is_public(anyone: TestClient, path: str) -> None:
    answer = anyone.get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert anyone.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer ☃",
    ],
)
def test_a_wrong_header_is_refused(anyone: TestClient, header: str) -> None:
    assert anyone.get("/api/v1/health", headers={"Authorization": header.encode()}).status_code == 401


def test_the_bearer_is_let_in(anyone: TestClient) -> None:
    assert anyone.get("/api/v1/health", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_the_printed_link_trades_its_token_for_a_cookie(anyone: TestClient) -> None:
    answer = anyone.get(f"/?token={TOKEN}&stream=a%2Fb")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?stream=a%2Fb"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert anyone.get("/").text.startswith("<!doctype html>")
    assert anyone.get("/static/main.js").status_code == 200
    assert anyone.get("/api/v1/health").status_code == 200


def test_a_wrong_token_in_the_link_sets_no_cookie(anyone: TestClient) -> None:
    answer = anyone.get("/?token=guess")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/health", "/static/main.js"])
def test_the_token_counts_in_the_address_of_the_page_only(anyone: TestClient, path: str) -> None:
    assert anyone.get(f"{path}?token={TOKEN}").status_code == 401


def test_a_page_of_somebody_else_cannot_use_our_cookie(anyone: TestClient) -> None:
    anyone.cookies.set(COOKIE, TOKEN)
    body = {"query": "SELECT 1"}
    foreign = {"Origin": "http://evil.example"}
    own = {"Origin": "http://127.0.0.1:18080"}
    assert anyone.post("/api/v1/sql", json=body, headers=foreign).status_code == 403
    assert anyone.post("/api/v1/sql", json=body, headers=own).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect),
        anyone.websocket_connect(LIVE, headers=foreign),
    ):
        pass
    with anyone.websocket_connect(LIVE, headers=own):
        pass


def test_the_live_feed_needs_the_token(anyone: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), anyone.websocket_connect(LIVE):
        pass


def test_other_host_names_are_refused(api: TestClient) -> None:
    assert api.get("/healthz", headers={"Host": "evil.example"}).status_code == 400
    assert api.get("/healthz", headers={"Host": "localhost:18080"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/nothing"])
def test_answers_carry_the_security_headers(api: TestClient, path: str) -> None:
    headers = api.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_a_token_is_made_once_for_the_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    path = tmp_path / "run" / "token"
    assert known_token(path) is None
    token = obtain_token(path)
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert obtain_token(path) == token == known_token(path)
    monkeypatch.setenv(TOKEN_VARIABLE, "given")
    assert obtain_token(path) == "given"
