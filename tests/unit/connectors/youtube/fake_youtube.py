"""A server on loopback that speaks the YouTube Data API, and misbehaves when told to.

Answers as developers.google.com/youtube/v3/docs and …/v3/live/docs/liveChatMessages show them.
"""

import json
from typing import Any

from tests.unit.connectors.fake_http import Answer, Asked, Broken, FakeHttp

KEY = "AIza-s3cret"


class FakeYouTube(FakeHttp):
    """Keeps each chat's items; a page is all after the token. `script` goes before the next pages."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: dict[str, dict[str, Any]] = {}
        self.handles: dict[str, str] = {}
        self.uploads: dict[str, list[str]] = {}
        self.found_by_search: dict[str, list[str]] = {}
        self.chats: dict[str, list[dict[str, Any]]] = {}
        self.ended: set[str] = set()
        self.script: list[tuple[int, dict[str, Any]] | Broken | str] = []
        self.interval_ms: Any = 5000
        self.tokens = {f"key {KEY}"}
        self.asked: list[str] = []
        self.pages: list[str | None] = []

    def go_live(self, video: str, channel: str = "UC" + "x" * 22, chat: str = "chat-1") -> None:
        """A broadcast with a chat, among the channel's newest videos."""
        self.videos[video] = {
            "id": video,
            "snippet": {"channelId": channel, "title": "Title"},
            "liveStreamingDetails": {
                "actualStartTime": "2025-12-31T23:59:00Z",
                "scheduledStartTime": "2025-12-31T23:50:00Z",
                "activeLiveChatId": chat,
            },
        }
        self.uploads.setdefault(channel, []).insert(0, video)
        self.chats.setdefault(chat, [])

    def end(self, video: str) -> None:
        """The broadcast is over."""
        details = self.videos[video]["liveStreamingDetails"]
        self.ended.add(details.pop("activeLiveChatId"))
        details["actualEndTime"] = "2026-01-01T01:00:00Z"

    def say(self, *items: dict[str, Any], chat: str = "chat-1") -> None:
        self.chats[chat].extend(items)

    async def answer(self, asked: Asked) -> Answer:
        method = asked.path.removeprefix("/youtube/v3/")
        if asked.path == "/token":
            return await self.refresh(asked)
        self.asked.append(method)
        told = f"key {asked.headers.get('x-goog-api-key')}", asked.headers.get("authorization")
        if not self.tokens.intersection(told):
            return failed(400, "badRequest", "API key not valid", details="API_KEY_INVALID")
        assert "key" not in asked.parameters, "it would stand in logs"
        given = asked.parameters
        match method:
            case "videos":
                ids = given["id"].split(",")
                return items(self.videos[video] for video in ids if video in self.videos)
            case "channels":
                channel = self.handles.get(given["forHandle"])
                return items([{"id": channel}] if channel else [])
            case "playlistItems":
                newest = self.uploads.get("UC" + given["playlistId"][2:])
                if newest is None:
                    return failed(404, "playlistNotFound", "no such playlist")
                return items({"contentDetails": {"videoId": video}} for video in newest)
            case "search":
                found = self.found_by_search.get(given["channelId"], [])
                return items({"id": {"kind": "youtube#video", "videoId": video}} for video in found)
        assert method == "liveChat/messages"
        return await self._page(given)

    async def refresh(self, asked: Asked) -> Answer:
        """Google's token server; tests replace it."""
        return failed(404, "notFound", "no")

    async def _page(self, given: dict[str, str]) -> Answer:
        self.pages.append(given.get("pageToken"))
        if self.script:
            step = self.script.pop(0)
            if step == "stall":
                await self.over.wait()
                return None
            if isinstance(step, Broken):
                return step
            assert isinstance(step, tuple)
            return step[0], json.dumps(step[1]).encode()
        chat = given["liveChatId"]
        if chat in self.ended:
            return failed(403, "liveChatEnded", "The live chat is no longer live.")
        begin = int(given.get("pageToken", "page-0").removeprefix("page-"))
        answer = {
            "kind": "youtube#liveChatMessageListResponse",
            "nextPageToken": f"page-{len(self.chats[chat])}",
            "pollingIntervalMillis": self.interval_ms,
            "items": self.chats[chat][begin:],
        }
        return 200, json.dumps(answer).encode()


def items(found: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"items": list(found)}).encode()


def error(status: int, reason: str, message: str, details: str = "") -> tuple[int, dict[str, Any]]:
    """An error as the API words it (developers.google.com/youtube/v3/docs/errors)."""
    told: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "youtube.liveChat", "reason": reason}],
    }
    if details:
        told["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": details}]
    return status, {"error": told}


def failed(status: int, reason: str, message: str, details: str = "") -> tuple[int, bytes]:
    return status, json.dumps(error(status, reason, message, details)[1]).encode()
