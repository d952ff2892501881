from dataclasses import dataclass, replace

import pytest
from cryptography.fernet import Fernet

from connectors.core.channel_records import ChannelRecords
from connectors.core.live import LiveFeed, Unheard
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Record, SourceError
from connectors.core.testing.clock import ManualClock
from schemas.codecs import InvalidRecordError
from schemas.records import ChatEvent, ChatMessage, DeadLetter
from schemas.retention import load_retention

SEALER = Sealer(Fernet.generate_key())
ROOM = ChannelRecords(
    "youtube", "room", "youtube:room/1", Pseudonyms("k1", bytes(32), "youtube"), load_retention()
)


@dataclass
class Line:
    number: int
    last_received_ms: int


def feed() -> LiveFeed:
    made = LiveFeed("youtube", clock=ManualClock(), sealer=SEALER, advice="check the key")
    made.add("room", ROOM)
    return made


async def drained(source: LiveFeed, *workers) -> list[Record]:
    return [record async for batch in source.batches(workers) for record in batch.records]


async def test_it_ends_with_its_workers_and_yields_all_that_they_put() -> None:
    source = feed()

    async def worker() -> str | None:
        assert await source.put("room", ROOM.heartbeat(1, 2, 3))
        assert not await source.put("room", ROOM.heartbeat(1, 2, 3)), "a repeated id"
        await source.refused(b"{bob", InvalidRecordError("not_json", "no JSON"))
        return None

    records = await drained(source, worker())
    assert [r.message_id for r in records if isinstance(r, ChatMessage)] == ["youtube:room/1/heartbeat-2"]
    (letter,) = [r for r in records if isinstance(r, DeadLetter)]
    assert b"bob" not in letter.raw and SEALER.open(letter.raw) == b"{bob"


async def test_a_blocked_platform_is_an_error_that_says_what_to_do() -> None:
    async def worker() -> str | None:
        return "the key was refused"

    with pytest.raises(SourceError, match="the key was refused; check the key"):
        await drained(feed(), worker())


async def test_a_gap_tells_its_span_cause_and_what_came_in_later() -> None:
    source = feed()
    first, second = Line(1, 50), Line(2, 60)

    async def worker() -> str | None:
        source.hear(first, "room")
        assert source.lose(first, "connection_lost") == ["room"]
        source.hear(second, "room", recovered=7)
        return None

    (gap,) = [r for r in await drained(source, worker()) if isinstance(r, ChatEvent) and r.kind == "gap"]
    assert (gap.span_from, gap.cause, gap.recovered) == (50, "connection_lost", 7)


async def test_two_links_leave_no_gap() -> None:
    source = feed()
    first, second = Line(1, 50), Line(2, 60)

    async def worker() -> str | None:
        source.hear(first, "room")
        source.hear(second, "room")
        assert source.lose(first, "connection_lost") == []
        return None

    assert not [r for r in await drained(source, worker()) if isinstance(r, ChatEvent) and r.kind == "gap"]


async def test_a_removed_channel_is_closed_and_offline() -> None:
    source = feed()
    link = Line(1, ManualClock().now_ms())

    async def worker() -> str | None:
        source.hear(link, "room")
        source.remove("room", "taken off the list")
        source.remove("room")
        return None

    records = await drained(source, worker())
    assert [r.closing for r in records if isinstance(r, ChatMessage)] == [True]
    states = [(r.state, r.cause) for r in records if isinstance(r, ChatEvent)]
    assert states[-1] == ("offline", "taken off the list")
    assert source.states == {}


async def test_a_worker_may_wait_until_kafka_has_its_records() -> None:
    source = feed()

    async def worker() -> str | None:
        await source.put("room", ROOM.heartbeat(1, 2, 3))
        await source.delivered(source.position)
        source.hold(ROOM.heartbeat(2, 3, 4))
        return None

    seen: list[str] = []
    async for batch in source.batches([worker()]):
        seen += [r.message_id for r in batch.records if isinstance(r, ChatMessage)]
        assert "youtube:room/1/heartbeat-3" not in seen or source.position == batch.position
        source.acknowledge(batch.position)
    assert seen == ["youtube:room/1/heartbeat-2", "youtube:room/1/heartbeat-3"]


async def test_a_channel_that_another_process_took_over_goes_without_a_word() -> None:
    source = feed()
    link = Line(1, ManualClock().now_ms())

    async def worker() -> str | None:
        source.hear(link, "room")
        source.remove("room", handed_over=True)
        source.set_state("room", "degraded", "too late")
        return None

    records = await drained(source, worker())
    assert [(r.state, r.cause) for r in records if isinstance(r, ChatEvent)] == [
        ("connecting", None),
        ("live", None),
    ]
    assert not [r for r in records if isinstance(r, ChatMessage)]


async def test_what_was_missed_before_a_channel_was_followed_is_a_gap() -> None:
    source = feed()
    now = ManualClock().now_ms()

    async def late_worker() -> str | None:
        source.hear(Line(2, now), "late")
        return None

    async def worker() -> str | None:
        source.hear(Line(1, now), "room")
        source.add("late", replace(ROOM, channel="late"), unheard=Unheard(now - 9_000, "process_lost"))
        source.start(late_worker())
        return None

    records = await drained(source, worker())
    (gap,) = [r for r in records if isinstance(r, ChatEvent) and r.kind == "gap"]
    assert (gap.channel, gap.span_from, gap.span_to, gap.cause) == (
        "youtube:late",
        now - 9_000,
        now,
        "process_lost",
    )
    states = [(r.channel, r.state) for r in records if isinstance(r, ChatEvent) and r.kind == "source_state"]
    assert states[-2:] == [("youtube:late", "connecting"), ("youtube:late", "live")]
