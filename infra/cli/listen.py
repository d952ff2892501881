"""What `pulse connect run` does: listen to the channels on the list, beside all other such processes."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import start_http_server
from pydantic import ValidationError

from connectors.core.clock import SystemClock
from connectors.core.journal import KafkaJournal
from connectors.core.kafka_producer import KafkaProducer
from connectors.core.pseudonym_keys import load_pseudonyms
from connectors.core.sealing import load_sealer
from connectors.core.source import Batch, Source
from connectors.hub.book import ChannelBook
from connectors.hub.channels_file import ChannelsFile
from connectors.hub.hub import Hub
from connectors.hub.metrics import ListenerMetrics
from connectors.hub.platforms import ChannelSource, Surroundings, platform
from connectors.hub.roster import TOPICS, Key
from infra.local import json_logs
from schemas.endpoints import Endpoints
from schemas.retention import load_retention

METRICS_EVERY_S: Final = 1.0


async def listen(endpoints: Endpoints, channels_file: Path | None, metrics: ListenerMetrics) -> None:
    """Listen until SIGTERM or SIGINT, then drain.

    Raises:
        JournalError: Kafka does not answer at the start.
        DeliveryError: Kafka refused a record.
    """
    clock, retention = SystemClock(), load_retention()
    sealer = load_sealer(endpoints.pulse_home)

    def open_source(key: Key) -> ChannelSource:
        pseudonyms = load_pseudonyms(key.workspace, key.platform, endpoints.pulse_home)
        around = Surroundings(key.workspace, pseudonyms, retention, sealer, clock)
        try:
            return platform(key.platform).open(around)
        except ValidationError as error:
            # the values stay out: one of them may be a token
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ValueError(f"settings PULSE_{key.platform.upper()}_…: {wrong}") from None

    def on_batch(_: Source, batch: Batch) -> None:
        metrics.count(batch.records)

    async def show(hub: Hub) -> None:
        while True:
            metrics.show(hub.statuses())
            await clock.sleep(METRICS_EVERY_S)

    bootstrap = endpoints.kafka_bootstrap
    with KafkaJournal(bootstrap, TOPICS) as journal, KafkaJournal(bootstrap, TOPICS) as editing:
        async with KafkaProducer.connect(bootstrap) as producer:
            hub = Hub(listener_name(), journal, producer, clock, open_source=open_source, on_batch=on_batch)
            beside = [asyncio.create_task(show(hub))]
            if channels_file is not None:
                book = ChannelBook(editing, clock.now_ms)
                beside.append(asyncio.create_task(ChannelsFile(channels_file, book).watch(clock)))
            try:
                with _stopped_by_signals(hub):
                    await hub.run()
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)


def listener_name() -> str:
    """A name that no other process has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def serve_metrics(port: int) -> None:
    """Answer /metrics on loopback.

    Raises:
        OSError: the port cannot be listened on; the message says what to do.
    """
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise OSError(
            f"/metrics cannot listen on port {port} ({error.strerror}); see --metrics-port"
        ) from None


def log_to_stderr() -> None:
    """JSON, or plain lines at a terminal; ours from notes on, libraries' from warnings on."""
    json_logs.configure("listener", people=True)


@contextlib.contextmanager
def _stopped_by_signals(hub: Hub) -> Iterator[None]:
    """The first SIGTERM or SIGINT drains; a second one gives up what is under way."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    came = 0

    def on_signal() -> None:
        nonlocal came
        came += 1
        if came == 1:
            hub.stop()
        elif task:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
