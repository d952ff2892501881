"""The contract between a platform's source and the runner that brings its records to Kafka."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from schemas.records import ChatEvent, ChatMessage, DeadLetter

Record = ChatMessage | ChatEvent | DeadLetter


class Batch(NamedTuple):
    """Records in the order in which they have to reach Kafka.

    `position` names the end of the batch to its source; it grows from batch to batch.
    """

    records: Sequence[Record]
    position: int


class Source(Protocol):
    """One connection to the outside (or one replay), living on the runner's event loop.

    **Blocks**: only the `async for` over `batches` waits. A source does slow work (files, parsing of large
    input) off the event loop, and asks for the next input only when the runner asks for the next batch: that
    is the backpressure. It keeps a bounded number of records.

    **Order**: records of one channel leave in the order in which people saw them. A heartbeat's time is
    never behind an earlier record of its stream. Nothing is promised between channels.

    **Complete**: a record is yielded or becomes a dead letter; nothing is dropped. Names of persons are
    pseudonyms already.

    **Twice**: `batches` is called once. `stop`, `acknowledge` and `close` may be called any number of times
    and in any state. A source that was killed and starts again may repeat records that were not yet
    acknowledged, with the same message ids.
    """

    @property
    def name(self) -> str:
        """What logs and metrics call it: platform and channel or run; holds no person's name."""

    def batches(self) -> AsyncIterator[Batch]:
        """Yield batches, none empty, until the source ends or `stop` was called.

        After `stop` it yields at most what it already holds, then ends without an error.

        Raises:
            SourceError: the source cannot go on; the message says what to do.
        """

    async def acknowledge(self, position: int) -> None:
        """All records up to the end of that batch are in Kafka; never called ahead of the batches yielded.

        Positions come in growing order; not every batch's is told.
        """

    def stop(self) -> None:
        """Ask `batches` to end soon; returns at once."""

    async def close(self) -> None:
        """Release everything; called after `batches` ended or was abandoned."""


class SourceError(Exception):
    """A source cannot go on; the message says why and what to do."""
