"""The whole way with the real Kafka client, on librdkafka's own mock broker in this process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from connectors.clickhouse.source import KafkaRowSource
from connectors.core.clock import SystemClock
from connectors.notify.config import NotifyConfig
from connectors.notify.metrics import NotifyMetrics
from connectors.notify.notifier import Notifier
from connectors.notify.outbox import Outbox
from connectors.notify.senders import open_senders
from schemas.codecs import encode
from schemas.records import Alert
from schemas.topics import ALERTS
from tests.unit.connectors.notify.fake_server import Answer, FakeServer, fake_server
from tests.unit.connectors.notify.notices import alert, config


@pytest.fixture
def broker() -> Iterator[tuple[Producer, str]]:
    producer = Producer({"test.mock.num.brokers": 1, "message.timeout.ms": 30_000})
    (first,) = producer.list_topics(timeout=30).brokers.values()
    yield producer, f"{first.host}:{first.port}"
    producer.purge()


def append(producer: Producer, *alerts: Alert) -> None:
    for each in alerts:
        producer.produce(ALERTS, encode(each), key=b"default|twitch:somechannel")
    assert producer.flush(30) == 0


async def run_until(
    chosen: NotifyConfig, folder: Path, bootstrap: str, server: FakeServer, revisions: list[int]
) -> None:
    """Run the notifier as the command does, until the target has had these revisions."""
    stopping, clock = asyncio.Event(), SystemClock()
    outbox = Outbox(folder / "outbox.sqlite3")
    async with open_senders(chosen, {}, "http://page", clock) as senders:
        notifier = Notifier(chosen, senders, outbox, clock, NotifyMetrics(CollectorRegistry()))
        source = KafkaRowSource(bootstrap, group="pulse-notify", member="notify-1")
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
            tasks.create_task(notifier.run(stopping))
            tasks.create_task(notifier.consume(source, stopping))
            while told(server) != revisions:
                server.came.clear()
                await server.came.wait()
            stopping.set()
    outbox.close()


def told(server: FakeServer) -> list[int]:
    return [one["revision"] for request in server.requests for one in request.json()["alerts"]]


async def test_alerts_come_from_kafka_and_a_restart_goes_on(
    broker: tuple[Producer, str], tmp_path: Path
) -> None:
    producer, bootstrap = broker
    async with fake_server(Answer()) as server:
        chosen = config(targets=[{"name": "hook", "kind": "webhook", "url": f"{server.url}/hook"}])
        append(producer, alert())
        await run_until(chosen, tmp_path, bootstrap, server, [1])
        append(producer, alert(), alert(revision=2, state="closed", ended_at=alert().started_at))
        await run_until(chosen, tmp_path, bootstrap, server, [1, 2])
    assert [request.json()["alerts"][0]["news"] for request in server.requests] == ["open", "closed"]
