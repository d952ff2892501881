"""A server on loopback that speaks the Bot API over HTTP, and misbehaves when told to.

Answers as core.telegram.org/bots/api documents them ("Making requests", getUpdates, ResponseParameters).
"""

import asyncio
import json
from typing import Any

from tests.unit.connectors.fake_http import Answer, Asked, Broken, FakeHttp

TOKEN = "12345:s3cret"
ME = {"id": 777, "is_bot": True, "first_name": "Pulse", "username": "pulse_bot"}


class FakeBotApi(FakeHttp):
    """Holds updates until a getUpdates confirms them; `script` goes before the usual answers."""

    def __init__(self) -> None:
        super().__init__()
        self.chats: dict[str, dict[str, Any]] = {}
        self.statuses: dict[int, str] = {}
        self.updates: list[dict[str, Any] | str] = []
        self.script: list[tuple[int, dict[str, Any]] | Broken | str] = []
        """Answers: status and fields; bytes, then a cut; `stall`."""
        self.reads_all = True
        self.valid_token = True
        self.polls: list[dict[str, str]] = []
        self.confirmed = 0
        self.refused = 0
        self._number = 100
        self._came = asyncio.Event()

    def add_chat(
        self, number: int, name: str, kind: str = "supergroup", status: str = "administrator"
    ) -> None:
        chat = {"id": number, "type": kind, "username": name, "title": "Title"}
        self.chats[f"@{name}"] = self.chats[str(number)] = chat
        self.statuses[number] = status

    def say(self, **update: Any) -> int:
        """Add an update; returns its number."""
        self._number += 1
        self.updates.append({"update_id": self._number, **update})
        self._came.set()
        return self._number

    def say_raw(self, update: str) -> None:
        """Add an update as it stands in the answer, in JSON."""
        self.updates.append(update)
        self._came.set()

    async def answer(self, asked: Asked) -> Answer:
        method = asked.path.rsplit("/", 1)[1]
        if not self.valid_token or f"/bot{TOKEN}/" not in asked.path:
            self.refused += 1
            return failed(401, "Unauthorized")
        if method == "getUpdates":
            return await self._get_updates(asked.parameters)
        if method == "getMe":
            return succeeded({**ME, "can_read_all_group_messages": self.reads_all})
        chat = self.chats.get(asked.parameters["chat_id"])
        if chat is None:
            return failed(400, "Bad Request: chat not found")
        if method == "getChat":
            return succeeded(chat)
        assert method == "getChatMember"
        return succeeded({"status": self.statuses[chat["id"]], "user": ME})

    async def _get_updates(self, asked: dict[str, str]) -> Answer:
        self.polls.append(asked)
        if self.script:
            step = self.script.pop(0)
            if step == "stall":
                await self.over.wait()
                return None
            if isinstance(step, Broken):
                return step
            assert isinstance(step, tuple)
            return step[0], json.dumps(step[1]).encode()
        if offset := int(asked.get("offset", 0)):
            self.confirmed = max(self.confirmed, offset - 1)
            self.updates = [u for u in self.updates if not isinstance(u, dict) or u["update_id"] >= offset]
        if not self.updates and int(asked["timeout"]):
            self._came.clear()
            await self._came.wait()
        limit = int(asked["limit"])
        told = [u if isinstance(u, str) else json.dumps(u) for u in self.updates[:limit]]
        self.updates = [u for u in self.updates if isinstance(u, dict)]  # what has no number is said once
        return 200, ('{"ok":true,"result":[' + ",".join(told) + "]}").encode()


def succeeded(result: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"ok": True, "result": result}).encode()


def failed(code: int, description: str, **parameters: Any) -> tuple[int, bytes]:
    answer = {"ok": False, "error_code": code, "description": description}
    return code, json.dumps({**answer, "parameters": parameters} if parameters else answer).encode()


def flood(seconds: int) -> tuple[int, dict[str, Any]]:
    return 429, {
        "ok": False,
        "error_code": 429,
        "description": f"Too Many Requests: retry after {seconds}",
        "parameters": {"retry_after": seconds},
    }


CONFLICT = (
    409,
    {
        "ok": False,
        "error_code": 409,
        "description": "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running",
    },
)
