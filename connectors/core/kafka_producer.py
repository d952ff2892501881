"""Records to Kafka: idempotent, acknowledged by all replicas, bounded in memory, no error unseen.

librdkafka (confluent-kafka) does the work. Its callbacks come on one thread of ours, the poller; everything
else belongs to the event loop.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypedDict

from confluent_kafka import KafkaException, Producer

from connectors.core.exclusions import Exclusions
from connectors.core.journal import JournalError, KafkaJournal
from connectors.core.outgoing import outgoing
from connectors.core.source import Record
from connectors.core.tracing import Headers, Published, Traces
from schemas.topics import ERASURES

_POLL_S: Final = 0.1
_MAX_DEAD_LETTER_BYTES: Final = 16 * 1024 * 1024


class _More(TypedDict, total=False):
    headers: Headers


class DeliveryError(Exception):
    """Kafka did not take a record; the message says why and what to do."""


class KafkaClient(Protocol):
    """What is used of confluent_kafka.Producer."""

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        *,
        on_delivery: Callable[[Any, Any], None],
        headers: Headers = ...,
    ) -> None:
        """Queue a record, with headers where it has some; BufferError where the queue is full."""

    def poll(self, timeout: float) -> int:
        """Call the delivery callbacks that are due."""


def producer_config(bootstrap: str) -> dict[str, str | int | bool]:
    """The settings of the one way in which connectors write to Kafka."""
    return {
        "bootstrap.servers": bootstrap,
        "client.id": "pulse-connectors",
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "partitioner": "murmur2_random",  # as Java and kafka-python place keys
        "linger.ms": 20,
        "batch.size": 512 * 1024,
        "message.max.bytes": _MAX_DEAD_LETTER_BYTES,
        "queue.buffering.max.kbytes": 128 * 1024,
        # a broker that is restarted must not cost a record; what is down for longer is reported
        "message.timeout.ms": 300_000,
        "topic.metadata.propagation.max.ms": 10_000,
    }


class Receipt:
    """The state of one sent batch; `done` once all of it is in Kafka."""

    __slots__ = ("_left", "done")

    def __init__(self, records: int) -> None:
        self._left = records
        self.done = records == 0

    def _one_delivered(self) -> bool:
        self._left -= 1
        self.done = self._left == 0
        return self.done


class KafkaProducer:
    """Sends batches in order; use as an async context, which ends with everything delivered or an error.

    Order: records of one key arrive in the order of `send`, also over retries and a broker's restart.
    Memory: `send` waits while `max_records` or `max_bytes` are under way.
    Errors: after the first record that Kafka refused for good, every call raises DeliveryError.
    """

    def __init__(
        self,
        client: KafkaClient,
        *,
        max_records: int = 20_000,
        max_bytes: int = 48 * 1024 * 1024,
        exclusions: Exclusions | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._client = client
        self._exclusions = exclusions
        self._traces = traces
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records = 0
        self._bytes = 0
        self._lock = threading.Lock()
        self._error: DeliveryError | None = None
        self._changed = asyncio.Event()
        self._stopping = threading.Event()
        self._poller: threading.Thread | None = None
        self._follower: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def connect(cls, bootstrap: str) -> Self:
        """A producer for these brokers; it connects by itself, now and after every break.

        Records of authors who opted out are left out.
        """
        exclusions = Exclusions(KafkaJournal(bootstrap, [ERASURES]))
        traces = Traces.from_environment("pulse-connector")
        return cls(Producer(producer_config(bootstrap)), exclusions=exclusions, traces=traces)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._exclusions is not None:
            try:
                await asyncio.to_thread(self._exclusions.load)
            except JournalError as error:
                raise DeliveryError(str(error)) from error
            self._follower = threading.Thread(target=self._follow, name="exclusions", daemon=True)
            self._follower.start()
        self._poller = threading.Thread(target=self._poll, name="kafka-poller", daemon=True)
        self._poller.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.drain()
        finally:
            self._stopping.set()
            for thread in (self._poller, self._follower):
                if thread:
                    await asyncio.to_thread(thread.join)
            if self._exclusions is not None:
                self._exclusions.close()
            if self._traces:
                await asyncio.to_thread(self._traces.close)

    async def send(self, records: Sequence[Record]) -> Receipt:
        """Queue a batch, waiting for room; the receipt tells when Kafka has all of it that may go there.

        Raises:
            DeliveryError: this or an earlier record was refused.
        """
        if self._exclusions is not None and self._exclusions.active:
            records = [record for record in records if self._exclusions.keeps(record)]
        receipt = Receipt(len(records))
        for record in records:
            topic, key, value = outgoing(record)
            if self._is_full():
                await self._room()
            size = len(value)
            trace = self._traces.published(record, topic) if self._traces else None
            delivered = self._callback(receipt, size, trace)
            more: _More = {"headers": trace.headers} if trace else {}
            with self._lock:
                self._records += 1
                self._bytes += size
            while True:
                try:
                    self._client.produce(topic, value, key, on_delivery=delivered, **more)
                    break
                except BufferError:
                    await self._next_change()
                except KafkaException as error:
                    raise self._fail(error.args[0], topic) from error
        self._check()
        return receipt

    async def delivered(self, receipt: Receipt) -> None:
        """Wait until Kafka has the whole batch.

        Raises:
            DeliveryError: this or an earlier record was refused.
        """
        while not receipt.done:
            await self._next_change()
        self._check()

    async def drain(self) -> None:
        """Wait until nothing is under way.

        Raises:
            DeliveryError: a record was refused.
        """
        while self._records:
            await self._next_change()
        self._check()

    def _is_full(self) -> bool:
        return self._records >= self._max_records or self._bytes >= self._max_bytes

    async def _room(self) -> None:
        while self._is_full():
            await self._next_change()

    async def _next_change(self) -> None:
        self._check()
        self._changed.clear()
        try:
            # the poller may have delivered the last record between the caller's look and the clear
            await asyncio.wait_for(self._changed.wait(), _POLL_S)
        except TimeoutError:
            self._check()

    def _check(self) -> None:
        if self._error:
            raise self._error

    def _callback(self, receipt: Receipt, size: int, trace: Published | None) -> Callable[[Any, Any], None]:
        def delivered(error: Any, message: Any) -> None:
            with self._lock:
                self._records -= 1
                self._bytes -= size
            if trace:
                trace.end(error.name() if error is not None else None)
            if error is not None:
                self._fail(error, message.topic() if message is not None else "")
                self._notify()
            elif receipt._one_delivered() or not self._records:
                self._notify()

        return delivered

    def _fail(self, error: Any, topic: str) -> DeliveryError:
        if self._error is None:
            hint = "run `pulse topics apply`" if "UNKNOWN_TOPIC" in error.name() else "check `pulse status`"
            self._error = DeliveryError(f"Kafka refused a record for {topic}: {error.str()}; {hint}")
        return self._error

    def _notify(self) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def _follow(self) -> None:
        assert self._exclusions is not None
        while not self._stopping.is_set():
            self._exclusions.refresh()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._client.poll(_POLL_S)
