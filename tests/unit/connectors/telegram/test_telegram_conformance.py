import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.core.source import Source
from connectors.core.testing import ManualClock, SourceConformance
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.source import TelegramBotSource
from connectors.telegram.updates import Chat, Member, User
from schemas.retention import load_retention
from tests.unit.connectors.telegram.conftest import PSEUDONYMS, SEALER
from tests.unit.connectors.telegram.updates import AT, CHAT, ROOM, message, standing

UPDATES: list[dict[str, Any]] = [
    *({"message": message(f"line {n}", number=n, at=AT - 90 + n // 10)} for n in range(90)),
    {"edited_message": message("line nought", number=0, edit_date=AT - 5)},
    {"chat_member": standing("kicked")},
    {"message": message() | {"date": None}},
]


class ScriptedApi:
    """Hands everything over at once, then ends the source."""

    def __init__(self, clock: ManualClock) -> None:
        self.source: TelegramBotSource | None = None
        self._clock = clock
        self._ending: asyncio.Task[None] | None = None

    async def me(self) -> User:
        return User(777, can_read_all_group_messages=True)

    async def chat(self, name: str) -> Chat:
        return Chat(ROOM, "supergroup", CHAT["username"])

    async def member(self, chat_id: int, user_id: int) -> Member:
        return Member("member", User(777))

    async def updates(self, offset: int | None, *, timeout_s: int, most: int = 100) -> Sequence[msgspec.Raw]:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
            return [
                msgspec.Raw(json.dumps({"update_id": n, **update}).encode())
                for n, update in enumerate(UPDATES, 1)
            ]
        await self._clock.sleep(timeout_s)
        return []

    async def close(self) -> None:
        pass

    async def _end(self) -> None:
        await self._clock.sleep(1.5)
        assert self.source
        self.source.stop()


class TestTelegramBotSource(SourceConformance):
    def make(self, after: int | None) -> Source:
        clock = ManualClock(AT * 1000)
        api = ScriptedApi(clock)
        api.source = TelegramBotSource(
            ["room"],
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=clock,
            settings=TelegramSettings(),
            api=api,
        )
        return api.source
