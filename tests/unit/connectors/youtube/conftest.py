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
from connectors.youtube.api import DataApi
from connectors.youtube.credentials import ApiKey, Credentials
from connectors.youtube.quota import Quota
from connectors.youtube.settings import YouTubeSettings
from connectors.youtube.source import YouTubeSource
from connectors.youtube.stream import ChatStreams
from schemas.retention import load_retention
from tests.unit.connectors.running import Running
from tests.unit.connectors.youtube.fake_youtube import KEY, FakeYouTube
from tests.unit.connectors.youtube.items import AT, VIDEO

PSEUDONYMS = Pseudonyms("k1", bytes(32), "youtube")
SEALER = Sealer(Fernet.generate_key())
Start = Callable[..., Any]


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(AT + 60_000)


@pytest.fixture
def start(clock: HeldClock) -> Start:
    """A context with a source that listens to a fake YouTube."""

    @asynccontextmanager
    async def started(
        server: FakeYouTube,
        *targets: str,
        quota: Quota | None = None,
        credentials: Credentials | None = None,
        streams: str = "",
    ) -> AsyncIterator[Running]:
        settings = YouTubeSettings(url=f"{server.url}/youtube/v3")
        quota = quota or Quota(10_000)
        credentials = credentials or ApiKey(SecretStr(KEY))
        source = YouTubeSource(
            targets or (VIDEO,),
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=clock,
            settings=settings,
            api=DataApi(settings.url, credentials, quota, clock),
            quota=quota,
            streams=ChatStreams(streams, credentials, quota, clock) if streams else None,
            jitter=random.Random(1),
        )
        running = Running(source)
        try:
            yield running
        finally:
            await running.stop()

    return started
