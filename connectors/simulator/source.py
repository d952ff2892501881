"""The live simulator: a scenario played into the stack as a platform of its own."""

import math
from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec

from connectors.core.clock import Clock
from connectors.core.heartbeats import SILENT_MS, Heartbeats, Silence
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.source import Batch
from connectors.replay.recorded_line import RecordedLine, flags_of, text_and_emotes
from connectors.simulator.recording import Line
from schemas.records import ChatMessage
from schemas.retention import Retention

MAX_BATCH: Final = 500
_NAP_S: Final = 0.25
"""How long a pause lasts before `stop` is looked at again."""


class SimulatorSource:
    """A `Source` over simulated lines; channel `simulator:NAME`, stream `RUN/NAME/SCENARIO-SEED`.

    At speed N the broadcasts' clocks run N times as fast and reach the present with their last line, so that
    no line lies in the future; at speed 1 they begin now. Positions count records. There is nothing to
    resume: a simulation that was stopped is played again under another run id.
    """

    def __init__(
        self,
        lines: list[Line],
        *,
        run_id: str,
        pseudonyms: Pseudonyms,
        retention: Retention,
        clock: Clock,
        speed: float | None = 1.0,
        workspace: str = "default",
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            lines: in time order.
            run_id: the part of stream and message ids before the first slash.
            pseudonyms: for authors and the mentions in texts.
            retention: how long the lines may be kept.
            clock: paces the lines and stamps them.
            speed: how many times faster than the scenario; None: as fast as they are taken.
            workspace: whose data it is.
        """
        self._lines = lines
        self._run_id = run_id
        self._pseudonyms = pseudonyms
        self._retention = retention
        self._clock = clock
        self._speed = speed
        self._workspace = workspace
        self._stopped = False
        self._streams = list(dict.fromkeys(line.stream for line in lines))
        self._index = {stream: index for index, stream in enumerate(self._streams)}
        self._authors = {line.author.casefold() for line in lines}

    @property
    def name(self) -> str:
        """`simulator:` and the run id."""
        return f"simulator:{self._run_id}"

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield the lines and heartbeats that are due."""
        length_ms = self._lines[-1].offset_ms if self._lines else 0
        behind_ms = length_ms * max(0.0, 1 - 1 / self._speed) if self._speed else length_ms
        records = self._records(self._clock.now_ms() - math.ceil(behind_ms))
        began, position = self._clock.monotonic(), 0
        offset_ms, record = next(records, (0, None))
        while record is not None and not self._stopped:
            due: list[ChatMessage] = []
            while record is not None and len(due) < MAX_BATCH and self._wait_s(offset_ms, began) <= 0:
                due.append(self._received(record))
                offset_ms, record = next(records, (0, None))
            if due:
                position += len(due)
                yield Batch(due, position)
            else:
                await self._clock.sleep(min(_NAP_S, self._wait_s(offset_ms, began)))

    async def acknowledge(self, position: int) -> None:
        """Nothing to note: a simulation is not resumed."""

    def stop(self) -> None:
        """End before the next batch."""
        self._stopped = True

    async def close(self) -> None:
        """Nothing to release."""

    def _wait_s(self, offset_ms: int, began: float) -> float:
        if self._speed is None:
            return 0.0
        return began + offset_ms / 1000 / self._speed - self._clock.monotonic()

    def _received(self, record: ChatMessage) -> ChatMessage:
        now = max(self._clock.now_ms(), record.sent_at)  # a wall clock that was set back
        expires_at = self._retention.expires_at("simulator", now)
        return msgspec.structs.replace(record, received_at=now, expires_at=expires_at)

    def _records(self, base_ms: int) -> Iterator[tuple[int, ChatMessage]]:
        beats = Heartbeats(SILENT_MS * max(1, math.ceil(self._speed or 1)))
        for index in range(len(self._streams)):
            beats.begin(index, 0)
        numbers = [0] * len(self._streams)
        for line in self._lines:
            for silence in beats.before(line.offset_ms):
                yield silence.to_ms, self._heartbeat(silence, base_ms)
            index = self._index[line.stream]
            beats.hear(index, line.offset_ms)
            numbers[index] += 1
            yield line.offset_ms, self._message(line, numbers[index], base_ms)
        end = self._lines[-1].offset_ms if self._lines else 0
        for index in range(len(self._streams)):
            yield end, self._heartbeat(Silence(index, end, end), base_ms, closing=True)

    def _message(self, line: Line, number: int, base_ms: int) -> ChatMessage:
        recorded = msgspec.convert(msgspec.to_builtins(line), RecordedLine)
        text, emotes = text_and_emotes(recorded, self._pseudonyms, self._authors)
        stream_id = f"{self._run_id}/{line.stream}"
        return ChatMessage(
            workspace=self._workspace,
            channel=_channel(line.stream),
            stream_id=stream_id,
            message_id=f"{stream_id}/{number}",
            kind="message",
            sent_at=base_ms + line.offset_ms,
            received_at=0,
            expires_at=0,
            author=self._pseudonyms.author(line.author),
            author_flags=flags_of(recorded),
            text=text,
            emotes=emotes,
            amount=float(line.bits) if line.bits else None,
        )

    def _heartbeat(self, silence: Silence, base_ms: int, *, closing: bool = False) -> ChatMessage:
        stream = self._streams[silence.stream]
        stream_id = f"{self._run_id}/{stream}"
        return ChatMessage(
            workspace=self._workspace,
            channel=_channel(stream),
            stream_id=stream_id,
            message_id=f"{stream_id}/{'closing' if closing else f'heartbeat-{silence.to_ms}'}",
            kind="heartbeat",
            sent_at=base_ms + silence.to_ms,
            received_at=0,
            expires_at=0,
            span_from=base_ms + silence.from_ms,
            span_to=base_ms + silence.to_ms,
            closing=closing,
        )


def _channel(stream: str) -> str:
    return f"simulator:{stream.split('/', 1)[0]}"
