import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence

import pytest

from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.source import Batch, SourceError
from connectors.core.testing import FakeKafka, ManualClock
from schemas.codecs import decode_message
from schemas.records import ChatMessage

T = 1_767_225_600_000


def _message(name: str, number: int) -> ChatMessage:
    return ChatMessage(
        channel=f"replay:{name}", stream_id=f"r/{name}/1", message_id=f"{name}/{number}", kind="message",
        sent_at=T, received_at=T, expires_at=T + 1,
    )  # fmt: skip


class ListSource:
    """`batches` many batches of two records, half a second apart; None: without end."""

    def __init__(
        self, name: str, clock: ManualClock, batches: int | None, error_after: int | None = None
    ) -> None:
        self.name = name
        self.acknowledged: list[int] = []
        self.closed = 0
        self._clock = clock
        self._batches = batches
        self._error_after = error_after
        self._stopped = False

    async def batches(self) -> AsyncIterator[Batch]:
        number = 0
        while not self._stopped and number != self._batches:
            if number == self._error_after:
                raise SourceError(f"{self.name} is broken")
            records: Sequence[ChatMessage] = [_message(self.name, 2 * number + i) for i in range(2)]
            number += 1
            yield Batch(records, 2 * number)
            await self._clock.sleep(0.5)

    async def acknowledge(self, position: int) -> None:
        self.acknowledged.append(position)

    def stop(self) -> None:
        self._stopped = True

    async def close(self) -> None:
        self.closed += 1


def _sent(kafka: FakeKafka, name: str) -> list[int]:
    ids = (decode_message(value).message_id.split("/") for _, _, value in kafka.sent)
    return [int(number) for source, number in ids if source == name]


async def test_all_records_of_all_sources_arrive_in_order_and_are_acknowledged() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    sources = [ListSource("a", clock, 30), ListSource("b", clock, 7)]
    told = []
    async with KafkaProducer(kafka) as producer:
        await run_sources(sources, producer, clock, on_batch=lambda source, batch: told.append(source.name))
    assert _sent(kafka, "a") == list(range(60))
    assert _sent(kafka, "b") == list(range(14))
    assert [source.acknowledged[-1] for source in sources] == [60, 14]
    assert [source.closed for source in sources] == [1, 1]
    assert (told.count("a"), told.count("b")) == (30, 7)


async def test_nothing_is_acknowledged_before_kafka_has_it() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    kafka.held.set()
    source = ListSource("a", clock, 20)
    async with KafkaProducer(kafka) as producer:
        running = asyncio.create_task(run_sources([source], producer, clock))
        async with asyncio.timeout(10):
            while len(kafka.sent) < 40:
                await asyncio.sleep(0)
        assert clock.monotonic() > 5
        assert source.acknowledged == []
        kafka.release()
        await running
    assert source.acknowledged[-1] == 40


async def test_it_acknowledges_along_the_way() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    source = ListSource("a", clock, 2000)
    async with KafkaProducer(kafka) as producer:
        await run_sources([source], producer, clock)
    assert len(source.acknowledged) > 2
    assert source.acknowledged == sorted(set(source.acknowledged))


async def test_it_acknowledges_while_a_source_is_silent() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    source = ListSource("a", clock, 1)
    silent = asyncio.Event()

    async def falls_silent() -> AsyncIterator[Batch]:
        yield Batch([_message("a", 0)], 1)
        await silent.wait()

    source.batches = falls_silent  # type: ignore[method-assign]
    async with KafkaProducer(kafka) as producer:
        running = asyncio.create_task(run_sources([source], producer, clock))
        async with asyncio.timeout(10):
            while not source.acknowledged:
                await asyncio.sleep(0)
        assert source.acknowledged == [1]
        silent.set()
        await running
    assert source.acknowledged == [1]


async def test_a_source_that_cannot_note_what_arrived_ends_the_run() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    source = ListSource("a", clock, None)

    async def cannot(position: int) -> None:
        raise OSError("disk full")

    source.acknowledge = cannot  # type: ignore[method-assign]
    async with KafkaProducer(kafka) as producer:
        with pytest.raises(OSError, match="disk full"):
            await run_sources([source], producer, clock)


async def test_a_broken_source_stops_the_others_which_drain() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    endless, broken = ListSource("a", clock, None), ListSource("b", clock, None, error_after=3)
    async with KafkaProducer(kafka) as producer:
        with pytest.raises(SourceError, match="b is broken"):
            await run_sources([endless, broken], producer, clock)
    assert endless.acknowledged[-1] == len(_sent(kafka, "a"))
    assert broken.acknowledged[-1] == len(_sent(kafka, "b")) == 6
    assert (endless.closed, broken.closed) == (1, 1)


async def test_a_refused_record_ends_the_run() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    kafka.fail_topic = "chat.messages.v1"
    source = ListSource("a", clock, None)
    with pytest.raises(DeliveryError):
        async with KafkaProducer(kafka) as producer:
            await run_sources([source], producer, clock)
    assert source.acknowledged == []
    assert source.closed == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_ends(number: signal.Signals) -> None:
    clock, kafka = ManualClock(), FakeKafka()
    source = ListSource("a", clock, None)

    def on_batch(_: object, batch: Batch) -> None:
        if batch.position == 20:
            os.kill(os.getpid(), number)

    with stop_on_signals([source]) as stopped:
        async with KafkaProducer(kafka) as producer:
            assert not stopped()
            await run_sources([source], producer, clock, on_batch=on_batch)
        assert stopped()
    assert source.acknowledged[-1] == len(_sent(kafka, "a")) >= 20


async def test_a_second_signal_does_not_wait() -> None:
    clock, kafka = ManualClock(), FakeKafka()
    kafka.held.set()
    source = ListSource("a", clock, None)

    async def run() -> None:
        with stop_on_signals([source]):
            async with KafkaProducer(kafka) as producer:
                await run_sources(
                    [source], producer, clock, on_batch=lambda *_: os.kill(os.getpid(), signal.SIGTERM)
                )

    running = asyncio.create_task(run())
    async with asyncio.timeout(10):
        while not kafka.sent:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if not running.done():
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(asyncio.CancelledError):
            await running
    assert source.closed == 1
