import asyncio
from collections import defaultdict
from itertools import pairwise

import pytest

from connectors.core.pseudonyms import Pseudonyms
from connectors.core.source import Source
from connectors.core.testing.conformance import SourceConformance
from connectors.simulator.generator import simulate
from connectors.simulator.recording import Line
from connectors.simulator.scenario import Scenario
from connectors.simulator.source import SimulatorSource
from schemas.codecs import decode_message, encode
from schemas.records import ChatMessage
from schemas.retention import load_retention

START_MS = 1_900_000_000_000
PSEUDONYMS = Pseudonyms("k1", b"0123456789abcdef", "simulator")


class SteppedClock:
    """Time passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_ms(self) -> int:
        return START_MS + round(self.at_s * 1000)

    def monotonic(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += max(0.0, seconds)
        await asyncio.sleep(0)


def source(lines: list[Line], clock: SteppedClock, speed: float | None) -> SimulatorSource:
    return SimulatorSource(
        lines, run_id="r1", pseudonyms=PSEUDONYMS, retention=load_retention(), clock=clock, speed=speed
    )


class TestConformance(SourceConformance):
    """Repeats everything after a restart: a simulation that was stopped is played again from its start."""

    def make(self, after: int | None) -> Source:
        scenario = Scenario.model_validate(
            {
                "name": "few",
                "length_s": 20,
                "channels": [
                    {"name": "a", "language": "pt", "rate_per_s": 1, "regulars": 9},
                    {"name": "b", "language": "ru", "rate_per_s": 0.2, "regulars": 9},
                ],
            }
        )
        return source(simulate(scenario, 1).lines, SteppedClock(), 1.0)


async def played(lines: list[Line], speed: float | None) -> tuple[list[ChatMessage], SteppedClock]:
    clock = SteppedClock()
    records: list[ChatMessage] = []
    position = 0
    async for batch in source(lines, clock, speed).batches():
        assert batch.records
        assert batch.position == position + len(batch.records)
        position = batch.position
        records += [record for record in batch.records if isinstance(record, ChatMessage)]
    return records, clock


@pytest.fixture(scope="module")
def lines(everything: Scenario) -> list[Line]:
    return simulate(everything, 4).lines


@pytest.mark.parametrize("speed", [0.5, 1.0, 7.5, None])
async def test_every_line_arrives_once_in_order_and_none_from_the_future(
    lines: list[Line], speed: float | None
) -> None:
    records, clock = await played(lines, speed)
    messages = [record for record in records if record.kind == "message"]
    assert len(messages) == len(lines) == len({record.message_id for record in messages})
    assert len({record.message_id for record in records}) == len(records)
    newest: dict[str, int] = defaultdict(int)
    for record in records:
        assert decode_message(encode(record)) == record
        assert record.sent_at <= record.received_at
        assert newest[record.stream_id] <= record.sent_at
        newest[record.stream_id] = record.sent_at
        assert record.channel.startswith("simulator:")
    if speed:
        assert clock.at_s == pytest.approx(lines[-1].offset_ms / 1000 / speed, abs=0.01)
        base = START_MS - lines[-1].offset_ms * max(0, 1 - 1 / speed)
        assert messages[0].sent_at == pytest.approx(base + lines[0].offset_ms, abs=1)


async def test_silent_seconds_have_heartbeats_and_every_stream_ends(lines: list[Line]) -> None:
    records, _ = await played(lines, 1.0)
    by_stream: dict[str, list[ChatMessage]] = defaultdict(list)
    for record in records:
        by_stream[record.stream_id].append(record)
    assert len(by_stream) == 3
    for stream in by_stream.values():
        assert [record.closing for record in stream] == [False] * (len(stream) - 1) + [True]
        pauses = [later.sent_at - first.sent_at for first, later in pairwise(stream)]
        assert max(pauses) <= 1_000


async def test_names_are_pseudonyms_in_author_and_text(lines: list[Line]) -> None:
    records, _ = await played(lines, None)
    authors = {line.author for line in lines}
    for record in records:
        assert record.author not in authors
        assert not any(f"@{author}" in record.text for author in authors if "@" in record.text)


async def test_stop_ends_it_and_the_rest_may_be_called_at_any_time(lines: list[Line]) -> None:
    clock = SteppedClock()
    simulator = source(lines, clock, 1.0)
    await simulator.acknowledge(0)
    count = 0
    async for _ in simulator.batches():
        count += 1
        if count == 3:
            simulator.stop()
            simulator.stop()
    assert count == 3
    assert clock.at_s < 10
    await simulator.close()
    await simulator.close()


async def test_nothing_to_play() -> None:
    records, clock = await played([], 1.0)
    assert records == []
    assert clock.at_s == 0
