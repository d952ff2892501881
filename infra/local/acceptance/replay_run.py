"""One replay from the first line to the last, in this process."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.core.clock import SystemClock
from connectors.core.kafka_producer import KafkaProducer
from connectors.core.pseudonym_keys import load_pseudonyms
from connectors.core.runner import run_sources, stop_on_signals
from connectors.core.source import Batch, Source
from connectors.replay.run_state import RunStates
from connectors.replay.source import ReplaySource
from infra.local.settings import Stack
from schemas.records import ChatMessage


@dataclass
class ReplayCounts:
    """What a replay has handed to Kafka so far."""

    total: int = 0
    """Chat lines of the files; 0 until they are read."""
    messages: int = 0
    heartbeats: int = 0
    dead_letters: int = 0
    began: float = field(default_factory=time.time)
    seconds: float = 0.0
    """From the first to the last batch."""

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        for record in batch.records:
            if not isinstance(record, ChatMessage):
                self.dead_letters += 1
            elif record.kind == "heartbeat":
                self.heartbeats += 1
            else:
                self.messages += 1
        self.seconds = round(time.time() - self.began, 3)


def replay(
    stack: Stack,
    files: Sequence[Path],
    *,
    run_id: str,
    workspace: str,
    speed: float | None,
    on_progress: Callable[[ReplayCounts], None],
) -> ReplayCounts:
    """Replay the files; it can be resumed by `pulse replay --resume RUN_ID`. On the main thread only.

    Raises:
        KeyboardInterrupt: SIGINT or SIGTERM came; what was read before it is in Kafka.
        RecordingError, SourceError: the files are no recording.
        DeliveryError: Kafka refused a record.
        PseudonymKeyError: the workspace's key cannot be read.
        OSError: a file or Kafka cannot be reached.
    """
    states = RunStates(stack.home / "run" / "replay")
    pseudonyms = load_pseudonyms(workspace, "replay", stack.home)
    clock = SystemClock()
    state = states.begin(
        run_id,
        files,
        workspace=workspace,
        started_at_ms=clock.now_ms(),
        speed=speed,
        limit=None,
        kid=pseudonyms.kid,
    )
    counts = ReplayCounts()

    def ready(lines: int) -> None:
        counts.total, counts.began = lines, time.time()
        on_progress(counts)

    def sent(_: Source, batch: Batch) -> None:
        counts.add(batch)
        on_progress(counts)

    source = ReplaySource(state, states, pseudonyms, clock, on_ready=ready)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stopped = asyncio.run(_send(source, stack.endpoints.kafka_bootstrap, sent))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        # the event loop leaves the defaults behind
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if stopped and not states.load(run_id).finished:
        raise KeyboardInterrupt
    return counts


async def _send(source: ReplaySource, bootstrap: str, sent: Callable[[Source, Batch], None]) -> bool:
    """Run the source to its end; True where a signal came."""
    with stop_on_signals([source]) as stopped:
        async with KafkaProducer.connect(bootstrap) as producer:
            await run_sources([source], producer, SystemClock(), on_batch=sent)
        return stopped()
