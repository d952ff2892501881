"""The suite that every source passes."""

from abc import ABC, abstractmethod

from connectors.core.source import Batch, Record, Source
from schemas.codecs import encode, record_key
from schemas.records import ChatEvent, ChatMessage, DeadLetter


class SourceConformance(ABC):
    """What `Source` promises, as tests: subclass it as `Test…` and say how the source is made.

    The input behind the source must be the same for each call and give at least three records.
    """

    @abstractmethod
    def make(self, after: int | None) -> Source:
        """A new source; `after` = the position last acknowledged by an earlier one, None at first."""

    async def test_yields_batches_with_growing_positions(self) -> None:
        """No batch is empty, positions grow."""
        batches = await _all(self.make(None))
        assert all(batch.records for batch in batches)
        positions = [batch.position for batch in batches]
        assert positions == sorted(set(positions))

    async def test_every_record_can_be_written(self) -> None:
        """Records are of the topics' types, carry ids, and are sent no earlier than they were said."""
        for record in await _records(self.make(None)):
            assert encode(record)
            if isinstance(record, DeadLetter):
                assert record.dlq_id
                continue
            assert record_key(record.workspace, record.channel)
            said = record.sent_at if isinstance(record, ChatMessage) else record.at
            assert said <= record.received_at < record.expires_at

    async def test_heartbeats_never_turn_a_streams_clock_back(self) -> None:
        """A heartbeat's time is not behind an earlier record of its stream."""
        clocks: dict[str, int] = {}
        for record in await _records(self.make(None)):
            if not isinstance(record, ChatMessage):
                continue
            if record.kind == "heartbeat":
                assert record.sent_at >= clocks.get(record.stream_id, 0)
                assert not record.text
                assert not record.author
            clocks[record.stream_id] = max(clocks.get(record.stream_id, 0), record.sent_at)

    async def test_authors_are_pseudonyms_of_one_key(self) -> None:
        """`key id.HMAC`, one key id for all."""
        messages = [record for record in await _records(self.make(None)) if isinstance(record, ChatMessage)]
        kids = {message.author.split(".")[0] for message in messages if message.author}
        assert len(kids) <= 1
        assert all(len(message.author.split(".")) == 2 for message in messages if message.author)

    async def test_same_input_gives_the_same_ids(self) -> None:
        """Ids come from the input, not from the moment."""
        assert _ids(await _records(self.make(None))) == _ids(await _records(self.make(None)))

    async def test_stop_ends_it_and_may_come_at_any_time(self) -> None:
        """Before the first batch, between batches, again and again."""
        source = self.make(None)
        source.stop()
        source.stop()
        before = [batch async for batch in source.batches()]
        assert len(before) <= 1
        await source.close()
        source = self.make(None)
        seen = 0
        async for _ in source.batches():
            seen += 1
            source.stop()
        assert 1 <= seen <= 2
        source.stop()
        await source.close()

    async def test_close_and_acknowledge_may_come_twice(self) -> None:
        """Neither minds repetition; a source closed before its first batch is fine."""
        unused = self.make(None)
        await unused.close()
        await unused.close()
        source = self.make(None)
        batches = [batch async for batch in source.batches()]
        for position in (batches[0].position, batches[0].position, batches[-1].position):
            await source.acknowledge(position)
        await source.close()
        await source.close()

    async def test_a_killed_source_resumes_without_a_loss(self) -> None:
        """What was acknowledged need not come again, all else does, with the same ids."""
        complete = _ids(await _records(self.make(None)))
        source = self.make(None)
        seen: list[Record] = []
        position = None
        async for batch in source.batches():
            seen.extend(batch.records)
            position = batch.position
            await source.acknowledge(position)
            source.stop()
        rest = _ids(await _records(self.make(position)))
        assert set(complete) <= set(_ids(seen)) | set(rest)


async def _all(source: Source) -> list[Batch]:
    try:
        return [batch async for batch in source.batches()]
    finally:
        await source.close()


async def _records(source: Source) -> list[Record]:
    return [record for batch in await _all(source) for record in batch.records]


def _ids(records: list[Record]) -> list[str]:
    return [_id(record) for record in records]


def _id(record: Record) -> str:
    if isinstance(record, DeadLetter):
        return record.dlq_id
    return record.event_id if isinstance(record, ChatEvent) else record.message_id
