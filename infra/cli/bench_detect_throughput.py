"""How many messages a second one core takes through the whole detector set, its state written as live."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from infra.local.acceptance.machine import machine
from pipelines.core.detection.engine import Engine
from schemas.records import AuthorFlags, ChatMessage

TICK_MS: Final = 500
"""The live job hands over what came, and writes its state, in ticks of this length."""
STRIDE: Final = 7_919
"""Prime; spreads the accounts."""
START_MS: Final = 1_893_456_000_000


def throughput(texts: Sequence[str], *, channels: int, rate: int, accounts: int) -> dict[str, Any]:
    """Drive engines as the live job does, one a channel, and time them.

    Nothing is cached beforehand: each text is met once. Time is the process's own (CPU), so that neighbours
    on the machine count less.

    Args:
        texts: distinct chat lines, one message each.
        channels: streams side by side.
        rate: messages a second over all channels, on the streams' own clocks.
        accounts: accounts that take turns on each channel.

    Returns:
        Figures, settings and the machine, ready for one JSON line.
    """
    engines = [Engine() for _ in range(channels)]
    engines[0].process(next(_ticks(["compile what is compiled at first use"], 1, 1, 1))[0])
    engines[0] = Engine()
    process_s = state_s = 0.0
    state_bytes = 0
    for tick in _ticks(texts, channels, rate, accounts):
        for engine, messages in zip(engines, tick, strict=True):
            began = time.process_time()
            engine.process(messages)
            processed = time.process_time()
            state_bytes = max(state_bytes, len(engine.snapshot()))
            state_s += time.process_time() - processed
            process_s += processed - began
    count = len(texts)
    return {
        "benchmark": "detect.throughput",
        "messages": count,
        "messages_per_s": round(count / (process_s + state_s)),
        "microseconds_per_message": {
            "process": round(1e6 * process_s / count, 1),
            "state": round(1e6 * state_s / count, 1),
        },
        "state_bytes_per_channel": state_bytes,
        "settings": {"channels": channels, "rate_per_s": rate, "accounts": accounts, "tick_ms": TICK_MS},
        "machine": machine(),
    }


def _ticks(
    texts: Sequence[str], channels: int, rate: int, accounts: int
) -> Iterator[list[list[ChatMessage]]]:
    """Per tick of TICK_MS the messages of each channel."""
    size = max(1, rate * TICK_MS // 1000)
    for start in range(0, len(texts), size):
        tick: list[list[ChatMessage]] = [[] for _ in range(channels)]
        for number in range(start, min(start + size, len(texts))):
            channel = number % channels
            at = START_MS + number * 1000 // rate
            tick[channel].append(
                ChatMessage(
                    channel=f"simulator:bench{channel}",
                    stream_id=f"bench{channel}",
                    message_id=f"bench/{channel}/{number}",
                    kind="message",
                    sent_at=at,
                    received_at=at,
                    expires_at=at,
                    author=f"bench.{channel:02d}{number // channels * STRIDE % accounts:05x}",
                    text=texts[number],
                    author_flags=AuthorFlags(),
                )
            )
        yield tick
