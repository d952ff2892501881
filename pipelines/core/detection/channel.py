"""One channel: routes records to its streams and keeps the baselines that outlive a stream."""

from typing import Final

import msgspec

from pipelines.core.detection.blindness import seeing, watch
from pipelines.core.detection.lines import Line
from pipelines.core.detection.state import ChannelState, Mood, StreamState
from pipelines.core.detection.stream import Output, Stream
from schemas.records import ChatEvent, ChatMessage, Window

WINDOW_SIZE_MS: Final = 1_000
IDLE_MS: Final = 36 * 3_600_000
"""Processing time without a record after which a channel is forgotten: a daily show keeps its baseline."""
IDLE_REPLAY_MS: Final = 30 * 60_000
ENDED_KEPT: Final = 8


class Channel:
    """Behaviour around a ChannelState."""

    def __init__(self, state: ChannelState) -> None:
        self.state = state
        self._streams = {name: Stream(state, stream) for name, stream in state.streams.items()}
        self._encoded: bytes | None = None

    @classmethod
    def new(cls, workspace: str, channel: str, run: str) -> "Channel":
        """A channel never heard of before."""
        return cls(ChannelState(workspace, channel, run))

    @classmethod
    def decoded(cls, raw: bytes) -> "Channel":
        """A channel from its snapshot part."""
        channel = cls(_decoder.decode(raw))
        channel._encoded = raw
        return channel

    @property
    def key(self) -> tuple[str, str, str]:
        """Workspace, channel, and the run where it is a replay."""
        return self.state.workspace, self.state.channel, self.state.run

    def encoded(self) -> bytes:
        """The channel's snapshot part, encoded again only after a change."""
        if self._encoded is None:
            self._encoded = _encode(self.state)
        return self._encoded

    def take(self, record: ChatEvent | Window) -> None:
        """Take one event or window of this channel."""
        self._encoded = None
        if isinstance(record, ChatEvent):
            self._event(record)
        elif record.size_ms == WINDOW_SIZE_MS:
            self._window(record)

    def hear(self, message: ChatMessage, line: Line, out: Output) -> None:
        """Take one message or heartbeat of this channel, with what `to_lines` made of it."""
        self._encoded = None
        ended = self.state.ended.get(message.stream_id)
        if ended is not None:
            if line.until // 1000 < ended or message.closing:
                out.late += message.kind == "message"
                return
            del self.state.ended[message.stream_id]
        stream = self._stream(message.stream_id)
        stream.state.touched = True
        if not message.closing:
            stream.take(line, out)
            return
        stream.close(line, out)
        # no tick may have come between the first record after a silence and the end
        out.alerts.extend(seeing(stream.state))
        del self._streams[message.stream_id]
        del self.state.streams[message.stream_id]
        self.state.ended[message.stream_id] = stream.state.next_second
        while len(self.state.ended) > ENDED_KEPT:
            del self.state.ended[next(iter(self.state.ended))]

    def tick(self, now_ms: int, out: Output) -> None:
        """Pass processing time."""
        state = self.state
        for stream in self._streams.values():
            if stream.state.touched:
                state.alive_at = now_ms
                self._encoded = None
            changed, alerts = watch(state, stream.state, now_ms)
            out.alerts.extend(alerts)
            if changed:
                self._encoded = None
        if state.alive_at < 0:
            state.alive_at = now_ms
            self._encoded = None

    def progress(self) -> int | None:
        """The second before which all streams that are being heard are evaluated; None: there is none."""
        return min(
            (
                stream.next_second
                if stream.next_second >= 0
                else min(line.at for line in stream.pending) // 1000
                for stream in self.state.streams.values()
                if stream.blind is None and (stream.next_second >= 0 or stream.pending)
            ),
            default=None,
        )

    def expired(self, now_ms: int) -> bool:
        """Whether nothing has come for so long that the channel may be forgotten."""
        limit = IDLE_REPLAY_MS if self.state.run else IDLE_MS
        return now_ms - self.state.alive_at > limit

    def _event(self, event: ChatEvent) -> None:
        if event.kind == "raid" and event.stream_id not in self.state.ended:
            stream = self._stream(event.stream_id).state
            stream.notice_at = max(stream.notice_at, event.at // 1000)
            stream.notice_viewers = event.viewers or 0

    def _window(self, window: Window) -> None:
        stream = self._streams.get(window.stream_id)
        if stream is not None:
            stream.feel(
                Mood(
                    window.start_ms // 1000,
                    window.scored,
                    window.sentiment_sum,
                    window.sentiment_sumsq,
                    window.toxicity_sum,
                    window.toxicity_sumsq,
                    window.basic_sum,
                    window.basic_sumsq,
                )
            )

    def _stream(self, stream_id: str) -> Stream:
        stream = self._streams.get(stream_id)
        if stream is None:
            state = self.state.streams[stream_id] = StreamState(stream_id)
            stream = self._streams[stream_id] = Stream(self.state, state)
        return stream


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(ChannelState)
