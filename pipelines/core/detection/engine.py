"""The detection engine: chat records in, alert revisions and activity rows out, for any number of channels.

Pure: no clock of its own, no I/O. What it gives for a stream depends only on the order of that channel's
records, never on how they are batched or on what other channels do between them.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

from pipelines.core.detection.channel import Channel
from pipelines.core.detection.lines import to_lines
from pipelines.core.detection.stream import Output
from pipelines.core.detection.traces import Campaign
from schemas.records import ChatEvent, ChatMessage, Window

__all__ = ["Engine", "Output"]

REPLAY_PREFIX: Final = "replay:"
VERSION: Final = 1
"""Of the snapshot's layout; another one cannot be restored."""

BATCH: Final = 512
"""Records whose texts are prepared together; has no influence on what comes out."""

Record = ChatMessage | ChatEvent | Window
Key = tuple[str, str, str]


class _Snapshot(msgspec.Struct, array_like=True):
    version: int
    now: int
    channels: list[bytes]


class SnapshotVersionError(ValueError):
    """A snapshot of another layout; start afresh or restore it with the release that wrote it."""


class Engine:
    """Detection over many channels, each with its own clock, memory and baselines.

    A snapshot holds everything; state per channel is bounded, see `state`. Not thread-safe.
    """

    def __init__(self) -> None:
        self._channels: dict[Key, Channel] = {}
        self._now = -1

    def process(self, records: Iterable[Record]) -> Output:
        """Take records in order; gives what they caused.

        Messages, heartbeats and events of a channel must come in the order of its partition. Windows (only
        those of 1 s are used; the last version counts) may come at any time: a second whose window is not
        there when the stream's clock is 3 s past it counts as unscored.
        """
        out = Output()
        source = iter(records)
        while batch := list(islice(source, BATCH)):
            lines = iter(to_lines([record for record in batch if isinstance(record, ChatMessage)]))
            for record in batch:
                channel = self._channel(record)
                if isinstance(record, ChatMessage):
                    channel.hear(record, next(lines), out)
                else:
                    channel.take(record)
        return out

    def _channel(self, record: Record) -> Channel:
        key = _key(record)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel.new(*key)
        return channel

    def tick(self, now_ms: int) -> Output:
        """Pass processing time: gives `blind` alerts of streams without any record, forgets idle channels.

        Args:
            now_ms: wall clock, ms; must not go back.
        """
        out = Output()
        self._now = now_ms
        for key, channel in list(self._channels.items()):
            channel.tick(now_ms, out)
            if channel.expired(now_ms):
                del self._channels[key]
        return out

    def progress(self) -> dict[Campaign, int | None]:
        """How far the streams of each workspace (and run) have come: all seconds before are evaluated.

        A stream that is blind is not waited for; None where no stream is left.
        """
        reached: dict[Campaign, int | None] = {}
        for (workspace, _, run), channel in self._channels.items():
            held, upto = reached.get((workspace, run)), channel.progress()
            reached[workspace, run] = upto if held is None else held if upto is None else min(held, upto)
        return reached

    def snapshot(self) -> bytes:
        """Everything needed to go on; only channels that changed since the last call are encoded again."""
        return _encode(
            _Snapshot(VERSION, self._now, [channel.encoded() for channel in self._channels.values()])
        )

    @classmethod
    def restore(cls, raw: bytes) -> "Engine":
        """An engine that goes on exactly where `snapshot` was taken.

        Raises:
            SnapshotVersionError: the bytes are of another layout, or no snapshot.
        """
        try:
            snapshot = _decoder.decode(raw)
        except msgspec.DecodeError as error:
            raise SnapshotVersionError(f"not a detection snapshot: {error}") from None
        if snapshot.version != VERSION:
            raise SnapshotVersionError(f"layout {snapshot.version}, this release reads {VERSION}")
        engine = cls()
        engine._now = snapshot.now
        for part in snapshot.channels:
            channel = Channel.decoded(part)
            engine._channels[channel.key] = channel
        return engine

    def __len__(self) -> int:
        """Channels held."""
        return len(self._channels)


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Snapshot)


def _key(record: Record) -> Key:
    run = record.stream_id.split("/", 1)[0] if record.channel.startswith(REPLAY_PREFIX) else ""
    return record.workspace, record.channel, run
