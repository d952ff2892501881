"""The store process: owns chDB (or a server's client), fills it from Kafka, answers the API.

`python -m infra.local.store_process`. One process, because chDB admits one per path. Ends on SIGTERM or
SIGINT after what was read is stored and committed.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import uvicorn
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from connectors.clickhouse import reader
from connectors.clickhouse.client import StoreLockedError, connect
from connectors.clickhouse.metrics import RemovalMetrics, SinkMetrics, StreamMetrics, StreamStates
from connectors.clickhouse.migrations import MigrationError, migrate
from connectors.clickhouse.removals import Removals
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.source import KafkaDeadLetters, KafkaRowSource
from connectors.clickhouse.wire import WireReader
from connectors.clickhouse.writer import StoreWriter
from connectors.core.clock import SystemClock
from connectors.core.journal import KafkaJournal
from connectors.core.tracing import Traces, TraceSettingError
from connectors.hub.book import ChannelBook
from connectors.hub.roster import TOPICS
from infra.local import json_logs
from infra.local.channel_list import KafkaChannelList
from infra.local.store_settings import StoreSettings, store_address
from schemas.endpoints import Endpoints
from serving.api.app import create_app
from serving.api.auth import obtain_token
from serving.api.store import QueryRefusedError, Row, StoreUnavailableError

STATIC: Final = Path(__file__).parents[2] / "dashboards" / "console" / "static"

log = logging.getLogger(__name__)


class ApiStore:
    """The API's view of the store: the readers' errors in its own terms, and what the sink knows."""

    def __init__(self, readers: reader.Reader, writer: Client, metrics: SinkMetrics) -> None:
        self._readers, self._writer, self._metrics = readers, writer, metrics
        self._writing = threading.Lock()

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """See serving.api.store.Store."""
        try:
            return self._readers.rows(sql, parameters)
        except (DriverError, reader.StoreBusyError, OSError) as error:
            raise StoreUnavailableError(str(error).split("\n")[0]) from error

    def foreign(self, sql: str, output: str) -> bytes:
        """See serving.api.store.Store."""
        try:
            return self._readers.foreign(sql, output)
        except reader.QueryRefusedError as error:
            raise QueryRefusedError(str(error)) from error
        except (DriverError, OSError) as error:
            raise StoreUnavailableError(str(error).split("\n")[0]) from error

    def write(self, sql: str, parameters: Mapping[str, object]) -> None:
        """See serving.api.store.Store."""
        try:
            with self._writing:
                self._writer.command(sql, parameters=dict(parameters))
        except (DriverError, OSError) as error:
            raise StoreUnavailableError(str(error).split("\n")[0]) from error

    def lag(self) -> dict[str, int]:
        """See serving.api.store.Store."""
        return {
            sample.labels["topic"]: int(sample.value)
            for family in self._metrics.lag.collect()
            for sample in family.samples
        }

    def stalled(self) -> bool:
        """See serving.api.store.Store."""
        return any(sample.value for family in self._metrics.stalled.collect() for sample in family.samples)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    def install_signal_handlers(self) -> None:
        """Nothing: `serve` below decides."""

    def capture_signals(self) -> Any:
        """Nothing, as above; newer releases of uvicorn call this one."""
        return contextlib.nullcontext()


def serve(endpoints: Endpoints, settings: StoreSettings) -> int:
    """Run until told to stop; returns the exit code."""
    address = store_address(endpoints, settings)
    for name in migrate(address):
        log.info("applied %s", name)
    token = obtain_token(endpoints.pulse_home / "run" / "token")
    metrics, counted, stopping = SinkMetrics(), StreamMetrics(), threading.Event()
    traces = Traces.from_environment("pulse-store")
    readers, strangers, marker = reader.Reader(address), WireReader(address), connect(address)
    journal = KafkaJournal(endpoints.kafka_bootstrap, TOPICS)
    StreamStates(readers.rows)
    app = create_app(
        ApiStore(readers, marker, metrics),
        token,
        static=STATIC if (STATIC / "index.html").is_file() else None,
        hosts=settings.hosts,
        clickhouse=strangers,
        channels=KafkaChannelList(ChannelBook(journal, SystemClock().now_ms)),
    )
    writer, remover = connect(address), connect(address)
    removals = Removals(remover, RemovalMetrics())

    def hand_on(records: Sequence[msgspec.Struct]) -> None:
        counted.count(records)
        app.state.hub.publish(records)

    sink = Sink(
        KafkaRowSource(endpoints.kafka_bootstrap, member=settings.member, traced=traces is not None),
        StoreWriter(writer),
        KafkaDeadLetters(endpoints.kafka_bootstrap),
        metrics,
        on_stored=hand_on,
        traces=traces,
        stopping=stopping.is_set,
    )
    listen = urlsplit(endpoints.api_url)
    server = _Server(
        uvicorn.Config(
            app,
            host=listen.hostname or "127.0.0.1",
            port=listen.port or 80,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
            ws_max_size=65_536,
        )
    )
    failures: list[BaseException] = []

    def fill() -> None:
        try:
            sink.run()
        except BaseException as error:
            failures.append(error)
            log.exception("the sink failed")
        finally:
            server.should_exit = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A batch of rows holds no cycles; looking for some took a quarter of the time of the sink.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    filler = threading.Thread(target=fill, name="sink")
    filler.start()
    cleaner = threading.Thread(target=removals.run, args=(stopping,), name="removals")
    cleaner.start()
    try:
        server.run()
    finally:
        stopping.set()
        filler.join()
        cleaner.join()
        readers.close()
        journal.close()
        strangers.close()
        writer.close()
        remover.close()
        marker.close()
        if traces:
            traces.close()
    return 1 if failures else 0


def main() -> None:
    """Entry of the process; exits with 1 and one line of text where the store cannot be opened."""
    json_logs.configure("store")
    try:
        code = serve(Endpoints(), StoreSettings())
    except (StoreLockedError, MigrationError, TraceSettingError, DriverError, OSError) as error:
        log.error("the store cannot start: %s", error)
        code = 1
    sys.stdout.flush()
    # chDB's threads may outlive the interpreter's teardown; everything is on disk by now.
    os._exit(code)


if __name__ == "__main__":
    main()
