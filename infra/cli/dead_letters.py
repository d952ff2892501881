"""The dead letters in Kafka: read them, and hand their bytes back to where they came from."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from connectors.core.outgoing import outgoing
from connectors.replay.reread import reread
from connectors.replay.run_state import RunStates
from infra.cli.kafka_access import CLIENT_ID, CONNECT_TIMEOUT_MS, unreachable
from schemas.codecs import record_key
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS, RECORD_TYPES

REINJECTED_HEADER: Final = "pulse-dlq-id"
"""Header of a re-injected record: the dead letter that it was."""
_QUIET_S: Final = 15.0
_decoder = msgspec.json.Decoder(DeadLetter)


class Found(NamedTuple):
    """A dead letter and the Kafka key under which it lay."""

    letter: DeadLetter
    key: bytes | None


class Outcome(NamedTuple):
    """What became of one dead letter; `sent_to` is null where it stays what it is."""

    dlq_id: str
    sent_to: str | None
    detail: str


def read_dead_letters(bootstrap: str) -> Iterator[Found]:
    """Every dead letter that Kafka holds now, each `dlq_id` as often as it was written.

    A record of the topic that is no dead letter itself is passed on as one of its own class.

    Raises:
        KafkaUnreachableError: no broker answers.
        TimeoutError: Kafka stopped answering on the way.
    """
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            client_id=CLIENT_ID,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=17 * 1024 * 1024,
        )
    except KafkaError as error:
        raise unreachable(bootstrap, error) from error
    try:
        partitions = [
            TopicPartition(DEAD_LETTERS, n) for n in consumer.partitions_for_topic(DEAD_LETTERS) or ()
        ]
        if not partitions:
            return
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        heard = time.monotonic()
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            records = [record for batch in consumer.poll(timeout_ms=500).values() for record in batch]
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > _QUIET_S:
                raise TimeoutError(f"Kafka at {bootstrap} stopped answering while the dead letters were read")
            for record in records:
                if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield Found(_letter(record), record.key)
    finally:
        consumer.close()


def reinject(
    found: Sequence[Found], producer: KafkaProducer, states: RunStates, home: Path
) -> Iterator[Outcome]:
    """Hand the original bytes back to the topic they came from, or read a file's line again.

    A record of a topic goes there byte for byte, with the header REINJECTED_HEADER: if nothing about it or
    its reader has changed, it comes back as a new dead letter. A line of a replayed file is placed in its
    run again, where this version can read it. Each outcome is told once Kafka has the record.
    """
    from_topics = [item for item in found if item.letter.source in RECORD_TYPES]
    for item in from_topics:
        yield _send_raw(item, producer)
    by_run: dict[str, list[Found]] = {}
    for item in found:
        if item.letter.source not in RECORD_TYPES:
            by_run.setdefault(item.letter.dlq_id.split("/", 1)[0], []).append(item)
    for run_id, items in by_run.items():
        letters = [item.letter for item in items]
        for letter, record, refused in reread(states, run_id, letters, home):
            if record is None:
                yield Outcome(letter.dlq_id, None, refused)
                continue
            topic, key, value = outgoing(record)
            _send(producer, topic, key, value, letter.dlq_id)
            yield Outcome(letter.dlq_id, topic, "read again")


class ReinjectedNote:
    """Which dead letters were handed back already, in one file of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ids(self) -> set[str]:
        """All ids noted."""
        if not self._path.exists():
            return set()
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return {json.loads(line)["dlq_id"] for line in lines if line.endswith("}")}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Note those that were sent."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            for outcome in outcomes:
                if outcome.sent_to:
                    note = {"dlq_id": outcome.dlq_id, "to": outcome.sent_to, "at": int(time.time() * 1000)}
                    file.write(json.dumps(note) + "\n")


def _letter(record: object) -> DeadLetter:
    value: bytes = getattr(record, "value", None) or b""
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        partition, offset = int(getattr(record, "partition", 0)), int(getattr(record, "offset", 0))
        return DeadLetter(
            dlq_id=f"{DEAD_LETTERS}/{partition}/{offset}",
            stage="dlq",
            source=DEAD_LETTERS,
            partition=partition,
            position=offset,
            error_class="not_json",
            error=f"this record of the dead letters cannot be read itself: {error}",
            raw=value,
            seen_at=int(getattr(record, "timestamp", 0) or 0),
        )


class _Addressed(msgspec.Struct):
    """As much of a record as its key needs."""

    channel: str
    workspace: str = "default"


def _send_raw(item: Found, producer: KafkaProducer) -> Outcome:
    letter = item.letter
    if letter.source == DEAD_LETTERS:
        return Outcome(letter.dlq_id, None, "came from the dead letters themselves")
    if not letter.raw:
        return Outcome(letter.dlq_id, None, "has no bytes to hand back")
    try:
        addressed = msgspec.json.decode(letter.raw, type=_Addressed)
        key: bytes | None = record_key(addressed.workspace, addressed.channel)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        key = item.key
    _send(producer, letter.source, key, letter.raw, letter.dlq_id)
    return Outcome(letter.dlq_id, letter.source, "original bytes")


def _send(producer: KafkaProducer, topic: str, key: bytes | None, value: bytes, dlq_id: str) -> None:
    headers = [(REINJECTED_HEADER, dlq_id.encode())]
    producer.send(topic, value=value, key=key, headers=headers).get(timeout=30)
