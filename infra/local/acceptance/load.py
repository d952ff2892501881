"""The load generator, a process of its own: real texts into chat.messages.v1 at a set rate.

Reads commands from stdin, one a line (`rate 6000`, `stop`), and writes one JSON line of counts a second to
stdout. At `stop`, or when stdin closes, it ends every stream with a closing heartbeat and waits until the
broker has everything.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

import msgspec
from confluent_kafka import Producer

from infra.local.acceptance.load_texts import distinct_texts, real_texts
from schemas.codecs import encode, record_key
from schemas.records import ChatMessage

TOPIC: Final = "chat.messages.v1"
TICK_S: Final = 0.005
"""Between two bursts; at 6,000 msg/s a burst is 30 messages."""
LIFE_MS: Final = 24 * 3_600_000
"""Until a message of the load expires: the shortest span that a platform allows (Twitch)."""
AUTHORS: Final = 5_000
"""Accounts a channel: at the highest rates none of them writes so often that it looks like a flood."""


@dataclass
class Channel:
    """One channel of the load: its key and a message cut into pieces around what changes."""

    key: bytes
    pieces: tuple[bytes, ...]
    closing: ChatMessage
    sent: int = 0
    authors: list[bytes] = field(default_factory=list)

    @classmethod
    def build(cls, workspace: str, run_id: str, number: int) -> "Channel":
        """Channel `number` of a run; the pieces come from the codec, so they follow the contract."""
        name = f"bench-{number:02d}"
        closing = ChatMessage(
            workspace=workspace,
            channel=f"simulator:{name}",
            stream_id=f"{run_id}/{name}",
            message_id=f"{run_id}/{name}/closing",
            kind="heartbeat",
            sent_at=1_111_111_111_111,
            received_at=2_222_222_222_222,
            expires_at=3_333_333_333_333,
            closing=True,
        )
        message = msgspec.structs.replace(
            closing, message_id="<ID>", kind="message", closing=False, author="<A>", text="<TEXT>"
        )
        rest, pieces = encode(message), []
        for mark in (b'"<ID>"', b"1111111111111", b"2222222222222", b"3333333333333", b'"<A>"', b'"<TEXT>"'):
            piece, rest = rest.split(mark)
            pieces.append(piece)
        authors = [f'"bench.{number:02d}{account:05x}"'.encode() for account in range(AUTHORS)]
        return cls(record_key(workspace, message.channel), (*pieces, rest), closing, 0, authors)

    def message(self, text: bytes, now_ms: int) -> bytes:
        """The next message, its text given as JSON."""
        number = self.sent
        self.sent += 1
        now = b"%d" % now_ms
        a, b, c, d, e, f, g = self.pieces
        ident = f'"{self.closing.stream_id}/{number + 1}"'.encode()
        author = self.authors[(number * 7919) % AUTHORS]
        expires = b"%d" % (now_ms + LIFE_MS)
        return b"".join((a, ident, b, now, c, now, d, expires, e, author, f, text, g))

    def end(self, now_ms: int) -> bytes:
        """The heartbeat that closes the stream."""
        times = {"sent_at": now_ms, "received_at": now_ms, "expires_at": now_ms + LIFE_MS}
        return encode(msgspec.structs.replace(self.closing, **times))


class Load:
    """Sends messages at a rate that may change at any time."""

    def __init__(self, producer: Producer, channels: list[Channel], texts: Iterator[str]) -> None:
        self._producer = producer
        self._channels = channels
        self._texts = texts
        self._encoder = msgspec.json.Encoder()
        self.sent = 0
        self.failed = 0

    def send(self, number: int) -> None:
        """Hand `number` messages to the producer, channel by channel; waits while its queue is full."""
        for _ in range(number):
            channel = self._channels[self.sent % len(self._channels)]
            text = self._encoder.encode(next(self._texts))
            self._produce(channel.key, channel.message(text, time.time_ns() // 1_000_000))
            self.sent += 1
        self._producer.poll(0)

    def close(self) -> None:
        """End every stream and wait until the broker has everything."""
        for channel in self._channels:
            self._produce(channel.key, channel.end(time.time_ns() // 1_000_000))
        self._producer.flush()

    @property
    def acked(self) -> int:
        """Messages that the broker has."""
        return self.sent - len(self._producer) - self.failed

    def _produce(self, key: bytes, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(TOPIC, key=key, value=value, on_delivery=self._lost)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return

    def _lost(self, _error: object, _message: object) -> None:
        self.failed += 1


def run(load: Load, rate: float) -> None:
    """Send at `rate` messages a second until told to stop; one line of counts a second."""
    commands: SimpleQueue[str] = SimpleQueue()
    # A thread reads: `select` would not see a command that came together with the one before.
    Thread(target=_listen, args=(commands,), name="commands", daemon=True).start()
    began = marked = time.monotonic()
    base = 0
    while True:
        now = time.monotonic()
        due = base + int((now - began) * rate)
        load.send(due - load.sent)
        if now - marked >= 1:
            marked = now
            _say(load, rate)
        try:
            command = commands.get(timeout=TICK_S).split()
        except Empty:
            continue
        if len(command) == 2 and command[0] == "rate":
            rate, began, base = float(command[1]), time.monotonic(), load.sent
        else:
            break
    load.close()
    _say(load, 0.0)


def _listen(commands: "SimpleQueue[str]") -> None:
    for line in sys.stdin:
        commands.put(line)
    commands.put("stop")


def _say(load: Load, rate: float) -> None:
    counts = {"at": time.time_ns() // 1_000_000, "sent": load.sent, "acked": load.acked}
    sys.stdout.write(json.dumps({**counts, "failed": load.failed, "rate": rate}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the settings from the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--workspace", default="bench")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("texts", nargs="+", type=Path)
    asked = parser.parse_args()
    producer = Producer(
        {
            "bootstrap.servers": asked.bootstrap,
            "enable.idempotence": True,
            # librdkafka's default places keys differently from the Java client and kafka-python.
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            # A report for each message would cost as much as sending it.
            "delivery.report.only.error": True,
            "compression.type": "lz4",
        }
    )
    channels = [Channel.build(asked.workspace, asked.run_id, number) for number in range(asked.channels)]
    run(Load(producer, channels, distinct_texts(real_texts(asked.texts))), asked.rate)


if __name__ == "__main__":
    main()
