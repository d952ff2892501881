"""Lines of a spool to records in time order, with the heartbeats of silent streams between them."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final

from connectors.core.heartbeats import SILENT_MS, Heartbeats, Silence
from connectors.core.pseudonyms import Pseudonyms
from connectors.replay.recorded_line import flags_of, parse_line, text_and_emotes
from connectors.replay.spool import RecordedStream, RefusedLine, Spool, SpooledLine
from schemas.codecs import MAX_RECORD_BYTES, InvalidRecordError, encode
from schemas.records import ChatMessage, DeadLetter

NEVER_MS: Final = 4_102_444_800_000
"""2100-01-01: platform `replay` never expires."""
_SURELY_SMALL_BYTES: Final = MAX_RECORD_BYTES // 64
"""A line of this size cannot become a record over MAX_RECORD_BYTES: positions of one-letter emotes are
the most that a line can grow by, 28-fold."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The records of one replay; `records` may be called again and gives the same sequence."""

    spool: Spool
    sources: list[str]
    base_ms: int
    run_id: str
    workspace: str
    pseudonyms: Pseudonyms
    heartbeat_step_ms: int | None

    def records(self, now_ms: Callable[[], int]) -> Iterator[ChatMessage | DeadLetter]:
        """Dead letters first, then lines and heartbeats by time."""
        for refused in self.spool.refused():
            yield self._dead_letter(refused, now_ms())
        yield from self._merged(now_ms)

    def lines(
        self, positions: Container[tuple[int, int]], now_ms: Callable[[], int]
    ) -> Iterator[tuple[tuple[int, int], ChatMessage | DeadLetter]]:
        """The records of the lines at these (file, line number), wherever they lie in time."""
        for refused in self.spool.refused():
            if (at := (refused.file, refused.number)) in positions:
                yield at, self._dead_letter(refused, now_ms())
        for line in self.spool.lines():
            if (at := (line.file, line.number)) in positions:
                yield at, self._message(line, now_ms())

    def _merged(self, now_ms: Callable[[], int]) -> Iterator[ChatMessage | DeadLetter]:
        silences = _Silences(self.spool.streams, self.heartbeat_step_ms)
        left = [stream.lines for stream in self.spool.streams]
        for line in self.spool.lines():
            for silence in silences.before(line):
                yield self._heartbeat(silence, now_ms())
            yield self._message(line, now_ms())
            left[line.stream] -= 1
            if not left[line.stream]:
                silences.end(line.stream)
                last = Silence(line.stream, line.at_ms, line.at_ms)
                yield self._heartbeat(last, now_ms(), closing=True)

    def _message(self, line: SpooledLine, received_at: int) -> ChatMessage | DeadLetter:
        recorded = parse_line(line.raw)
        stream = self.spool.streams[line.stream]
        text, emotes = text_and_emotes(recorded, self.pseudonyms, self.spool.authors)
        stream_id = f"{self.run_id}/{stream.name}"
        # line numbers of a second file with the same stream would repeat those of the first
        part = "" if line.file == stream.files[0] else f"{line.file}:"
        sent_at = self.base_ms + line.at_ms
        message = ChatMessage(
            workspace=self.workspace,
            channel=f"replay:{stream.channel}",
            stream_id=stream_id,
            message_id=f"{stream_id}/{part}{line.number}",
            kind="message",
            sent_at=sent_at,
            received_at=received_at,
            expires_at=NEVER_MS,
            author=self.pseudonyms.author(recorded.author),
            author_flags=flags_of(recorded),
            text=text,
            emotes=emotes,
            reply_to=recorded.reply_to,
            amount=float(recorded.bits) if recorded.bits else None,
            lang=recorded.lang,
        )
        if len(line.raw) > _SURELY_SMALL_BYTES and (size := len(encode(message))) > MAX_RECORD_BYTES:
            error = InvalidRecordError("oversized", f"{size} bytes as a record, at most {MAX_RECORD_BYTES}")
            return self._dead_letter(RefusedLine(line.file, line.number, line.raw, error), received_at)
        return message

    def _heartbeat(self, silence: Silence, received_at: int, *, closing: bool = False) -> ChatMessage:
        stream = self.spool.streams[silence.stream]
        stream_id = f"{self.run_id}/{stream.name}"
        offset_ms = silence.to_ms - stream.start_ms
        return ChatMessage(
            workspace=self.workspace,
            channel=f"replay:{stream.channel}",
            stream_id=stream_id,
            message_id=f"{stream_id}/{'closing' if closing else f'heartbeat-{offset_ms}'}",
            kind="heartbeat",
            sent_at=self.base_ms + silence.to_ms,
            received_at=received_at,
            expires_at=NEVER_MS,
            span_from=self.base_ms + silence.from_ms,
            span_to=self.base_ms + silence.to_ms,
            closing=closing,
        )

    def _dead_letter(self, line: RefusedLine, seen_at: int) -> DeadLetter:
        source = self.sources[line.file]
        return DeadLetter(
            dlq_id=f"{self.run_id}/{source}:{line.number}",
            workspace=self.workspace,
            stage="replay",
            source=source,
            partition=line.file,
            position=line.number,
            error_class=line.error.error_class,
            error=str(line.error),
            raw=line.raw,
            seen_at=seen_at,
        )


class _Silences:
    """Which heartbeats are due before a line, each stream's clock never going back."""

    def __init__(self, streams: list[RecordedStream], step_ms: int | None) -> None:
        self._heard = [stream.start_ms for stream in streams]
        # a heap only where heartbeats have to come between lines of other streams
        self._steps = Heartbeats(step_ms) if step_ms else None
        if self._steps:
            for index, stream in enumerate(streams):
                self._steps.begin(index, stream.start_ms)

    def before(self, line: SpooledLine) -> Iterator[Silence]:
        """Heartbeats before the line; its stream counts as heard then."""
        index, at_ms = line.stream, line.at_ms
        if self._steps:
            yield from self._steps.before(at_ms)
            self._steps.hear(index, at_ms)
            return
        since, self._heard[index] = self._heard[index], at_ms
        if (last := since + (at_ms - since - 1) // SILENT_MS * SILENT_MS) > since:
            yield Silence(index, since, last)

    def end(self, stream: int) -> None:
        """The stream gets no heartbeats any more."""
        if self._steps:
            self._steps.end(stream)
