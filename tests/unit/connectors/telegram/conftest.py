import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.testing import HeldClock
from connectors.telegram.bot_http import HttpBotApi
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.source import TelegramBotSource
from schemas.retention import load_retention
from tests.unit.connectors.running import Running
from tests.unit.connectors.telegram.fake_bot_api import TOKEN, FakeBotApi
from tests.unit.connectors.telegram.updates import AT

PSEUDONYMS = Pseudonyms("k1", bytes(32), "telegram")
SEALER = Sealer(Fernet.generate_key())
Start = Callable[..., Any]


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(AT * 1000 + 60_000)


@pytest.fixture
def start(clock: HeldClock) -> Start:
    """A context with a source that listens to chats of a fake Bot API."""

    @asynccontextmanager
    async def started(server: FakeBotApi, *chats: str, **options: Any) -> AsyncIterator[Running]:
        source = TelegramBotSource(
            chats or ("@Room",),
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=clock,
            settings=TelegramSettings(),
            api=HttpBotApi(SecretStr(TOKEN), server.url),
            jitter=random.Random(1),
        )
        running = Running(source, **options)
        try:
            yield running
        finally:
            await running.stop()

    return started
