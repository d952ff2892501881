import asyncio
import os
import random
import tracemalloc
from collections import Counter
from typing import Final, Literal

import pytest
from pydantic import SecretStr

from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource
from schemas.records import ChatEvent, ChatMessage
from schemas.retention import load_retention
from tests.unit.connectors.twitch.conftest import PSEUDONYMS, SEALER, MemoryClock
from tests.unit.connectors.twitch.fake_network import MemoryEventSub, MemoryNetwork

CHANNELS: Final = [f"channel{n}" for n in range(60)]
HOURS: Final = float(os.environ.get("PULSE_SOAK_HOURS", "0.1"))
"""Of the clock that is injected; each costs about 30 s of CPU."""


class Soak:
    """Sixty channels that speak, and a fault a minute."""

    def __init__(
        self, clock: MemoryClock, network: MemoryNetwork | MemoryEventSub, chance: random.Random
    ) -> None:
        self.clock = clock
        self.network = network
        self.chance = chance
        self.sent: list[str] = []
        self.kept_alive_s = 0.0
        self.unheard: dict[str, list[int]] = {channel: [] for channel in CHANNELS}
        """When each channel said something that no session was there to hear."""

    async def run(self, seconds: float) -> None:
        until_s = self.clock.monotonic() + seconds
        fault_s = self.clock.monotonic() + 60
        while self.clock.monotonic() < until_s:
            self.keep_alive()
            await self.clock.sleep(self.chance.expovariate(2.0))
            self.speak(self.chance.choice(CHANNELS))
            if self.clock.monotonic() >= fault_s:
                fault_s += 60
                await self.fault()
        self.network.down = False

    def speak(self, channel: str) -> None:
        identity = f"m{len(self.sent)}-{self.clock.now_ms()}"
        hearing = [session for session in self.network.sessions if session.up and channel in session.joined]
        for session in hearing:
            for _ in range(1 + (self.chance.random() < 0.05)):  # duplicated frames
                session.say_chat(channel, identity, self.clock.now_ms())
        if hearing:
            self.sent.append(identity)
        else:
            self.unheard[channel].append(self.clock.now_ms())

    def keep_alive(self) -> None:
        """Of EventSub; IRC is asked by the client."""
        if self.clock.monotonic() >= self.kept_alive_s + 5:
            self.kept_alive_s = self.clock.monotonic()
            for session in self.network.sessions:
                session.keep_alive()

    async def fault(self) -> None:
        self.network.down = False
        live = [session for session in self.network.sessions if session.up]
        if not live:
            return
        victim = self.chance.choice(live)
        match self.chance.choice(["drop", "stall", "reconnect", "all", "down", "malformed"]):
            case "drop":
                victim.drop()
            case "stall":
                victim.mute = True
            case "reconnect":
                victim.ask_to_reconnect()
            case "all":
                for session in live:
                    session.drop()
            case "down":
                self.network.down = True
                victim.drop()
            case "malformed":
                victim.say("@=;;\\ :x\r\n@a\r\n:y\r\n{")


@pytest.mark.parametrize("transport", ["irc", "eventsub"])
async def test_a_fault_a_minute_loses_no_line_and_leaves_no_gap_untold(
    transport: Literal["irc", "eventsub"],
) -> None:
    clock = MemoryClock()
    network = MemoryNetwork() if transport == "irc" else MemoryEventSub()
    soak = Soak(clock, network, random.Random(5))
    source = TwitchSource(
        CHANNELS,
        pseudonyms=PSEUDONYMS,
        retention=load_retention(),
        sealer=SEALER,
        clock=clock,
        settings=TwitchSettings(
            transport=transport, token=SecretStr("t0"), channels_per_connection=20, channels_per_session=20
        ),
        connect=network.connect,
        api=network.api if isinstance(network, MemoryEventSub) else None,
        jitter=random.Random(2),
    )
    heard: Counter[str] = Counter()
    gaps: dict[str, list[tuple[int, int]]] = {channel: [] for channel in CHANNELS}

    async def take() -> None:
        async for batch in source.batches():
            for record in batch.records:
                if isinstance(record, ChatMessage) and record.kind == "message":
                    heard[record.message_id] += 1
                elif isinstance(record, ChatEvent) and record.kind == "gap":
                    name = record.channel.removeprefix("twitch:")
                    gaps[name].append((record.span_from or 0, record.span_to or 0))

    taking = asyncio.create_task(take())
    while len(source.states) < 60 or any(state != "live" for state, _ in source.states.values()):
        soak.keep_alive()
        await clock.advance(1)
    hours = HOURS / 5
    sizes = []
    tracemalloc.start()
    for _ in range(5):
        speaking = asyncio.create_task(soak.run(hours * 3600))
        while not speaking.done():
            await clock.advance(1)
        speaking.result()
        sizes.append(tracemalloc.get_traced_memory()[0] - 200 * len(soak.sent))
    tracemalloc.stop()
    while any(state != "live" for state, _ in source.states.values()):
        soak.keep_alive()
        await clock.advance(1)
    source.stop()
    await taking

    assert heard == Counter(soak.sent)
    assert len(soak.sent) > HOURS * 5000
    for channel, moments in soak.unheard.items():
        for at in moments:
            assert any(start <= at <= end for start, end in gaps[channel]), (channel, at)
    assert sum(map(len, gaps.values())) > 10 * HOURS * 60
    assert network.opened < 60 * HOURS * 60
    assert sizes[-1] < sizes[0] + 8_000_000  # beyond what this test itself keeps
