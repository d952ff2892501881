"""The live replay: recorded records at their pace, resumable."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Final

import msgspec

from connectors.core.clock import Clock
from connectors.core.heartbeats import SILENT_MS
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.source import Batch, SourceError
from connectors.replay.records import RecordingError, open_timeline
from connectors.replay.run_state import RunState, RunStates
from connectors.replay.spool import Spool
from schemas.records import ChatMessage, DeadLetter

MAX_BATCH: Final = 500
"""Records of a batch at most; small enough that generating them does not keep an event loop waiting."""
_NAP_S: Final = 0.25
"""How long a pause lasts before `stop` is looked at again."""
_TICK_S: Final = 0.005
"""Lines so close together are handed on together, up to this late."""

_Replayed = ChatMessage | DeadLetter


class ReplaySource:
    """A `Source` over recorded files; positions count records, so that a run can resume at any of them.

    At speed N a heartbeat comes every N seconds of a stream's silence, about one a second of real time; at
    full speed one covers each silence.
    """

    def __init__(
        self,
        state: RunState,
        states: RunStates,
        pseudonyms: Pseudonyms,
        clock: Clock,
        *,
        on_bytes: Callable[[int], None] | None = None,
        on_ready: Callable[[int], None] | None = None,
    ) -> None:
        """Prepare a replay; nothing is read yet.

        Args:
            state: a new run's or a resumed one's.
            states: where progress is kept.
            pseudonyms: must have the run's key id.
            clock: paces the replay and stamps `received_at`.
            on_bytes: progress of the first pass over the files, in bytes.
            on_ready: told the number of chat lines once the first pass is over.

        Raises:
            RecordingError: the pseudonyms' key is not the one that the run began with.
        """
        if pseudonyms.kid != state.kid:
            raise RecordingError(
                f"the pseudonym key has changed since replay `{state.run_id}` began; start a new run"
            )
        self._state = state
        self._states = states
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._on_bytes = on_bytes
        self._on_ready = on_ready
        self._spool = Spool()
        self._stopped = False
        self._end: int | None = None

    @property
    def state(self) -> RunState:
        """How far the run is known to have come."""
        return self._state

    @property
    def name(self) -> str:
        """`replay:` and the run id."""
        return f"replay:{self._state.run_id}"

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield the records that are due, from where the run stands.

        Raises:
            SourceError: a file cannot be read, or the recording as a whole is no recording.
        """
        if self._state.finished:
            return
        try:
            records = await asyncio.to_thread(self._open)
        except _StoppedError:
            return
        except (OSError, RecordingError) as error:
            raise SourceError(str(error)) from error
        pacer = _Pacer(records, self._state.speed, self._clock)
        position = self._state.next_record
        while not self._stopped:
            due = await asyncio.to_thread(pacer.take, MAX_BATCH)
            if due:
                position += len(due)
                yield Batch(due, position)
            elif pacer.ended:
                self._end = position
                return
            else:
                await self._clock.sleep(max(_TICK_S, min(_NAP_S, pacer.wait_s())))

    async def acknowledge(self, position: int) -> None:
        """Write down that the run may go on after this record."""
        if position > self._state.next_record:
            self._state = msgspec.structs.replace(self._state, next_record=position)
            await asyncio.to_thread(self._states.write, self._state)

    def stop(self) -> None:
        """End at the next batch."""
        self._stopped = True

    async def close(self) -> None:
        """Delete the temporary copy of the lines; note where all was delivered that the run is over."""
        if self._state.next_record == self._end and not self._state.finished:
            self._state = msgspec.structs.replace(self._state, finished=True)
            await asyncio.to_thread(self._states.write, self._state)
        self._spool.close()

    def _open(self) -> Iterator[_Replayed]:
        state = self._state
        timeline = open_timeline(
            self._spool,
            state.paths,
            run_id=state.run_id,
            started_at_ms=state.started_at_ms,
            pseudonyms=self._pseudonyms,
            workspace=state.workspace,
            heartbeat_step_ms=heartbeat_step_ms(state.speed),
            limit=state.limit,
            on_bytes=self._on_read,
        )
        if self._on_ready:
            self._on_ready(sum(stream.lines for stream in self._spool.streams))
        return islice(timeline.records(self._clock.now_ms), state.next_record, None)

    def _on_read(self, count: int) -> None:
        if self._stopped:
            raise _StoppedError
        if self._on_bytes:
            self._on_bytes(count)


class _StoppedError(Exception):
    """`stop` was called during the first pass."""


def heartbeat_step_ms(speed: float | None) -> int | None:
    """How far apart a stream's heartbeats are in the replay's time; None: one for each silence."""
    return None if speed is None else SILENT_MS * max(1, math.ceil(speed))


class _Pacer:
    """Hands out records when they are due, counted from the first one."""

    def __init__(self, records: Iterator[_Replayed], speed: float | None, clock: Clock) -> None:
        self.ended = False
        self._records = records
        self._speed = speed
        self._clock = clock
        self._next: ChatMessage | None = None
        self._origin: tuple[int, float] | None = None

    def take(self, most: int) -> list[_Replayed]:
        """The next records that are due now; empty where none is, or at the end."""
        due: list[_Replayed] = []
        if self._next is not None and self.wait_s() <= 0:
            # it was made when it was not due yet
            due.append(msgspec.structs.replace(self._next, received_at=self._clock.now_ms()))
            self._next = None
        while self._next is None and len(due) < most:
            record = next(self._records, None)
            if record is None:
                self.ended = True
                break
            if self._speed is None or isinstance(record, DeadLetter):
                due.append(record)
                continue
            self._next = record
            if self.wait_s() <= 0:
                due.append(record)
                self._next = None
        return due

    def wait_s(self) -> float:
        """Seconds until the next record is due; 0 where it is."""
        if self._next is None or self._speed is None:
            return 0.0
        if self._origin is None:
            self._origin = (self._next.sent_at, self._clock.monotonic())
        since_ms, began = self._origin
        due = began + (self._next.sent_at - since_ms) / 1000 / self._speed
        return max(0.0, due - self._clock.monotonic())
