import random
from typing import Any

from pydantic import SecretStr

from connectors.core.source import Source
from connectors.core.testing import ManualClock, SourceConformance
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from schemas.retention import load_retention
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, SEALER
from tests.unit.connectors.twitch.fake_eventsub import chat, notification
from tests.unit.connectors.twitch.fake_network import (
    MemoryEventSub,
    MemoryEventSubSession,
    MemorySession,
    number_of,
)
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


def said(kind: str, event: dict[str, Any]) -> str:
    return notification(kind, event, broadcaster=number_of("room"))


NOTIFICATIONS = (
    *(said("channel.chat.message", chat(f"line {n}", identity=f"m{n}")) for n in range(600)),
    said("channel.raid", {"from_broadcaster_user_login": "testchannel", "viewers": 15}),
    said("channel.chat.message_delete", {"message_id": "m1", "target_user_login": "alice"}),
    said("channel.chat_settings.update", {"slow_mode": False}),
    "{",
)


class ScriptedEventSub(MemoryEventSub):
    """Says everything once the channel is subscribed to, and then ends the source."""

    def __init__(self) -> None:
        super().__init__()
        network = self
        self.source: TwitchSource | None = None

        class Session(MemoryEventSubSession):
            def join(self, channel: str) -> None:
                super().join(channel)
                for text in NOTIFICATIONS:
                    self.say(text)

            async def receive(self) -> str:
                if self.joined and self._frames.empty() and network.source:
                    network.source.stop()
                return await super().receive()

        self.session_type = Session


class TestTwitchSourceOverEventSub(SourceConformance):
    def make(self, after: int | None) -> Source:
        network = ScriptedEventSub()
        network.source = TwitchSource(
            ["room"],
            pseudonyms=PSEUDONYMS,
            retention=load_retention(),
            sealer=SEALER,
            clock=ManualClock(AT + 60_000),
            settings=TwitchSettings(
                transport="eventsub", token=SecretStr("t0"), keepalive_s=600, open_timeout_s=600
            ),
            connect=network.connect,
            api=network.api,
            jitter=random.Random(1),
        )
        return network.source
