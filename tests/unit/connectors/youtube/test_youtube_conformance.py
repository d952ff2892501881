import json
import random

import msgspec

from connectors.core.source import Source
from connectors.core.testing import ManualClock, SourceConformance
from connectors.youtube.api import Snippet, Streaming, Video
from connectors.youtube.live_chat import Page
from connectors.youtube.quota import Quota
from connectors.youtube.settings import YouTubeSettings
from connectors.youtube.source import YouTubeSource
from schemas.retention import load_retention
from tests.unit.connectors.youtube import items
from tests.unit.connectors.youtube.conftest import PSEUDONYMS, SEALER

ITEMS = [
    *(items.text(f"line {n}", number=100 + n, at=items.AT - 900 + n) for n in range(600)),
    items.SUPER_CHAT,
    items.NEW_MEMBER,
    items.DELETED,
    items.BANNED,
    {"id": 5},
]


class ScriptedApi:
    """Says everything in two pages, then ends the source."""

    def __init__(self) -> None:
        self.source: YouTubeSource | None = None

    async def videos(self, ids: list[str]) -> list[Video]:
        return [Video(items.VIDEO, Snippet(items.CHANNEL), Streaming(active_live_chat_id="chat-1"))]

    async def page(self, chat: str, page: str | None) -> Page:
        begin, end = (0, 300) if page is None else (300, len(ITEMS))
        if page == "done":
            assert self.source
            self.source.stop()
        told = tuple(msgspec.Raw(json.dumps(item).encode()) for item in ITEMS[begin:end])
        return Page(told, "more" if page is None else "done", 2.0, over=False)

    async def close(self) -> None:
        pass


class TestYouTubeSource(SourceConformance):
    def make(self, after: int | None) -> Source:
        api = ScriptedApi()
        api.source = YouTubeSource(
            [items.VIDEO],
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=ManualClock(items.AT),
            settings=YouTubeSettings(),
            api=api,  # type: ignore[arg-type]
            quota=Quota(10_000),
            jitter=random.Random(1),
        )
        return api.source
