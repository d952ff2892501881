"""The part of Grafana's HTTP API that a push uses, as documented: auth, versions, 412, provenance."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "glsa_test"


class FakeGrafana:
    """State, and a server on loopback that obeys it."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.sources = {"pulse-clickhouse", "pulse-prometheus"}
        self.provisioned: set[str] = set()
        self.writes: list[str] = []
        self.race = False
        self.url = ""

    @contextmanager
    def serve(self) -> Iterator["FakeGrafana"]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null") if length else None
                status, content = fake.answer(self.command, self.path.split("?")[0], dict(self.headers), body)
                raw = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = _answer

            def log_message(self, *_args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if method != "GET":
            self.writes.append(f"{method} {path}")
        parts = path.removeprefix("/api/").split("/")
        if parts[0] == "folders":
            return self._folders(method, parts, body)
        if parts[0] == "dashboards":
            return self._dashboards(method, parts, body)
        if parts[:3] == ["v1", "provisioning", "alert-rules"]:
            return self._rules(method, parts[3] if len(parts) > 3 else "", headers, body)
        if parts[:2] == ["datasources", "uid"]:
            return (200, {"uid": parts[2]}) if parts[2] in self.sources else (404, {"message": "Not found"})
        return 404, {"message": f"not part of the fake: {method} {path}"}

    def _folders(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            found = self.folders.get(parts[1])
            return (200, found) if found else (404, {"message": "folder not found"})
        if body["uid"] in self.folders:
            return 412, {"message": "a folder with the same uid already exists"}
        self.folders[body["uid"]] = body
        return 200, body

    def _dashboards(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET" and parts[-1] == "versions":
            return 200, {"versions": list(reversed(self.versions.get(parts[2], [])))}
        if method == "GET":
            found = self.dashboards.get(parts[2])
            if found is None:
                return 404, {"message": "Dashboard not found"}
            answer = (
                200,
                {
                    "dashboard": json.loads(json.dumps(found)),
                    "meta": {"provisioned": parts[2] in self.provisioned, "folderUid": "pulse"},
                },
            )
            if self.race:
                self.edit(parts[2], "a colleague was faster")
            return answer
        return self._save(body)

    def _save(self, body: Any) -> tuple[int, Any]:
        sent = body["dashboard"]
        uid = sent["uid"]
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        there = self.dashboards.get(uid)
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if there is not None and not body.get("overwrite") and sent.get("version") != there["version"]:
            return 412, {
                "status": "version-mismatch",
                "message": "The dashboard has been changed by someone else",
            }
        self._store(sent, body.get("message", ""))
        return 200, {"uid": uid, "version": self.dashboards[uid]["version"], "status": "success"}

    def _store(self, sent: dict[str, Any], message: str) -> None:
        uid = sent["uid"]
        version = self.dashboards[uid]["version"] + 1 if uid in self.dashboards else 1
        self.dashboards[uid] = {**sent, "version": version, "id": 7}
        self.versions.setdefault(uid, []).append({"version": version, "message": message})

    def edit(self, uid: str, title: str) -> None:
        """What a person does in the browser."""
        self._store({**self.dashboards[uid], "title": title}, "")

    def _rules(self, method: str, uid: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            found = self.rules.get(uid)
            return (200, json.loads(json.dumps(found))) if found else (404, {"message": "not found"})
        if headers.get("X-Disable-Provenance") != "true":
            return 409, {"message": "provenance mismatch: people could not edit this rule"}
        if body["folderUID"] not in self.folders:
            return 400, {"message": "folder does not exist"}
        if method == "POST" and body["uid"] in self.rules:
            return 409, {"message": "a conflicting alert rule is found"}
        if method == "PUT" and uid not in self.rules:
            return 404, {"message": "not found"}
        added = {"id": 3, "orgID": 1, "updated": "2026-01-01T00:00:00Z", "isPaused": False}
        kept = {**added, **json.loads(json.dumps(body))}
        for query in kept["data"]:
            query["queryType"] = ""
            query["model"].update({"intervalMs": 1000, "maxDataPoints": 43200})
        self.rules[body["uid"]] = kept
        return 201 if method == "POST" else 200, kept
