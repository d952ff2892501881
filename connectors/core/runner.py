"""Brings the records of many sources to Kafka and tells each source what has arrived."""

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from connectors.core.clock import Clock
from connectors.core.kafka_producer import KafkaProducer, Receipt
from connectors.core.source import Batch, Source, SourceError

ACKNOWLEDGE_EVERY_S: Final = 0.25
_MAX_BATCHES_UNDER_WAY: Final = 512


async def run_sources(
    sources: Sequence[Source],
    producer: KafkaProducer,
    clock: Clock,
    *,
    on_batch: Callable[[Source, Batch], None] | None = None,
) -> None:
    """Run the sources until all have ended, side by side.

    Each batch is sent in order. About four times a second, and once more at its end, a source is told the
    newest position up to which all is in Kafka. One source's error stops the others, which drain first.

    Args:
        sources: each is closed in the end, whatever happens.
        producer: entered already.
        clock: for the time between acknowledgements.
        on_batch: told of each batch once it was handed to Kafka's client.

    Raises:
        SourceError: of the first source that could not go on.
        DeliveryError: Kafka refused a record.
    """
    tasks = [asyncio.create_task(_run(source, producer, clock, on_batch)) for source in sources]
    try:
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        if pending:
            for source in sources:
                source.stop()
            await asyncio.wait(pending)
        for task in tasks:
            task.result()
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    finally:
        for source in sources:
            await source.close()


@contextmanager
def stop_on_signals(sources: Sequence[Source]) -> Iterator[Callable[[], bool]]:
    """SIGTERM and SIGINT stop the sources, which then drain; a second one cancels the caller's task.

    Yields a function that tells whether a signal came. Only on the main thread's event loop.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    came = 0

    def on_signal() -> None:
        nonlocal came
        came += 1
        if came == 1:
            for source in sources:
                source.stop()
        elif task:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        yield lambda: came > 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(
    source: Source,
    producer: KafkaProducer,
    clock: Clock,
    on_batch: Callable[[Source, Batch], None] | None,
) -> None:
    under_way: deque[tuple[Receipt, int]] = deque()
    telling = asyncio.Lock()
    acknowledging = asyncio.create_task(_keep_acknowledging(source, under_way, clock, telling))
    acknowledging.add_done_callback(lambda _: source.stop())  # where it broke, nothing may go on unnoticed
    try:
        async for batch in source.batches():
            under_way.append((await producer.send(batch.records), batch.position))
            if on_batch:
                on_batch(source, batch)
            if len(under_way) >= _MAX_BATCHES_UNDER_WAY:
                await producer.delivered(under_way[0][0])
        await _deliver(producer, under_way)
    except SourceError:
        # what it gave before it broke is as good as any
        await _deliver(producer, under_way)
        raise
    finally:
        async with telling:  # a source is never left in the middle of noting a position
            acknowledging.cancel()
        await asyncio.wait({acknowledging})
        # also after an error: what has arrived need not be sent again
        await _acknowledge(source, under_way)
        if not acknowledging.cancelled():
            acknowledging.result()


async def _deliver(producer: KafkaProducer, under_way: deque[tuple[Receipt, int]]) -> None:
    for receipt, _ in list(under_way):  # acknowledging shortens it meanwhile
        await producer.delivered(receipt)


async def _keep_acknowledging(
    source: Source, under_way: deque[tuple[Receipt, int]], clock: Clock, telling: asyncio.Lock
) -> None:
    """Also while a source is silent: the last lines of a chat that falls quiet count as arrived, too."""
    while True:
        await clock.sleep(ACKNOWLEDGE_EVERY_S)
        async with telling:
            await _acknowledge(source, under_way)


async def _acknowledge(source: Source, under_way: deque[tuple[Receipt, int]]) -> None:
    position = None
    while under_way and under_way[0][0].done:
        position = under_way.popleft()[1]
    if position is not None:
        await source.acknowledge(position)
