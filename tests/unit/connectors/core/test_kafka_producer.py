import asyncio
from collections.abc import Callable

import msgspec
import pytest
from confluent_kafka import Producer

from connectors.core.kafka_producer import DeliveryError, KafkaProducer, producer_config
from connectors.core.outgoing import outgoing
from connectors.core.testing import FakeKafka
from schemas.codecs import MAX_RECORD_BYTES, decode_message, encode
from schemas.records import ChatEvent, ChatMessage, DeadLetter

T = 1_767_225_600_000


def message(number: int = 0, text: str = "hi", channel: str = "replay:a") -> ChatMessage:
    return ChatMessage(
        channel=channel,
        stream_id="r/a/1",
        message_id=f"r/a/1/{number}",
        kind="message",
        sent_at=T,
        received_at=T,
        expires_at=T + 1,
        text=text,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop and the poller's thread go on until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def test_each_record_has_its_topic_and_key() -> None:
    assert outgoing(message())[:2] == ("chat.messages.v1", b"default|replay:a")
    event = ChatEvent(
        channel="twitch:b", stream_id="s", event_id="e", kind="raid", at=T, received_at=T, expires_at=T
    )
    assert outgoing(event)[:2] == ("chat.events.v1", b"default|twitch:b")
    letter = DeadLetter(
        dlq_id="d", stage="replay", source="f", partition=0, position=1, error_class="not_json", error="e",
        raw=b"\xff", seen_at=T,
    )  # fmt: skip
    assert outgoing(letter)[:2] == ("chat.dlq.v1", b"default|f")


@pytest.mark.parametrize("spare", [0, -1])
def test_a_record_over_the_limit_becomes_a_dead_letter_with_its_bytes(spare: int) -> None:
    empty = len(encode(message(text="")))
    record = message(text="x" * (MAX_RECORD_BYTES - empty - spare))
    topic, _, value = outgoing(record)
    if spare == 0:
        assert topic == "chat.messages.v1"
        assert decode_message(value) == record
        return
    assert topic == "chat.dlq.v1"

    letter = msgspec.json.decode(value, type=DeadLetter)
    assert (letter.error_class, letter.raw) == ("oversized", encode(record))
    assert "x" * 10 not in letter.error


async def test_batches_arrive_in_order_and_receipts_tell() -> None:
    kafka = FakeKafka()
    kafka.held.set()
    async with KafkaProducer(kafka) as producer:
        first = await producer.send([message(0), message(1)])
        second = await producer.send([message(2)])
        assert not first.done
        assert (await producer.send([])).done
        kafka.release()
        await producer.delivered(second)
        assert first.done
        assert second.done
    assert [decode_message(value).message_id[-1] for _, _, value in kafka.sent] == ["0", "1", "2"]


@pytest.mark.parametrize("limits", [{"max_records": 10}, {"max_bytes": 2000}])
async def test_send_waits_for_room(limits: dict[str, int]) -> None:
    kafka = FakeKafka()
    kafka.held.set()
    async with KafkaProducer(kafka, **limits) as producer:
        sending = asyncio.create_task(producer.send([message(number) for number in range(50)]))
        await until(lambda: len(kafka.sent) > 2)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sending.done()
        assert len(kafka.sent) <= 10
        kafka.release()
        await sending
    assert len(kafka.sent) == 50
    assert kafka.most_under_way <= 10


async def test_a_full_client_queue_is_waited_for() -> None:
    kafka = FakeKafka(room=3)
    async with KafkaProducer(kafka) as producer:
        await producer.send([message(number) for number in range(20)])
    assert len(kafka.sent) == 20


async def test_a_refused_record_is_told_with_what_to_do() -> None:
    kafka = FakeKafka()
    kafka.fail_topic = "chat.messages.v1"
    with pytest.raises(DeliveryError, match=r"chat\.messages\.v1.*pulse topics apply"):
        async with KafkaProducer(kafka) as producer:
            await producer.send([message()])
            await producer.drain()
    with pytest.raises(DeliveryError):
        await producer.send([message()])


async def test_leaving_waits_for_everything() -> None:
    kafka = FakeKafka()
    kafka.held.set()
    producer = KafkaProducer(kafka)
    await producer.__aenter__()
    receipt = await producer.send([message()])
    leaving = asyncio.create_task(producer.__aexit__(None, None, None))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not leaving.done()
    kafka.release()
    await leaving
    assert receipt.done


def test_librdkafka_knows_every_setting() -> None:
    assert Producer(producer_config("127.0.0.1:1")) is not None
    config = producer_config("h:1")
    assert config["partitioner"] == "murmur2_random"
    assert config["enable.idempotence"] is True
    assert config["acks"] == "all"
