import random

from connectors.core.source import Source
from connectors.core.testing import ManualClock, SourceConformance
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from schemas.retention import load_retention
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, SEALER
from tests.unit.connectors.twitch.fake_network import MemorySession
from tests.unit.connectors.twitch.frames import AT, BAN, DELETED, RAID, RESUB, ROOM, privmsg

LINES = (
    ROOM,
    *(privmsg(f"line {n}", identity=f"m{n}", at=AT - 900 + n) for n in range(600)),
    RAID,
    RESUB,
    BAN,
    DELETED,
    "@x",
)


class Scripted(MemorySession):
    """Says everything once the channel is joined, and then ends the source."""

    def __init__(self) -> None:
        super().__init__()
        self.source: TwitchSource | None = None

    async def send(self, text: str) -> None:
        await super().send(text)
        if text.startswith("JOIN"):
            self.say("\r\n".join(LINES))

    async def receive(self) -> str:
        if self.joined and self._frames.empty() and self.source:
            self.source.stop()
        return await super().receive()


class TestTwitchSource(SourceConformance):
    def make(self, after: int | None) -> Source:
        session = Scripted()

        async def connect(url: str) -> MemorySession:
            return session

        session.source = TwitchSource(
            ["room"],
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=ManualClock(AT),
            settings=TwitchSettings(),
            connect=connect,
            jitter=random.Random(1),
        )
        return session.source
