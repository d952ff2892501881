"""Lines of authors who opted out end in the connector."""

import pytest

from connectors.core.exclusions import Exclusions
from connectors.core.journal import JournalError
from connectors.core.kafka_producer import DeliveryError, KafkaProducer
from connectors.core.testing import FakeKafka
from schemas.codecs import encode
from schemas.records import ChatEvent, ChatMessage, Erasure
from schemas.topics import ERASURES
from tests.fixtures.store import NOW_MS, event, line
from tests.unit.connectors.hub.fakes import MemoryJournal, Topics, until


def ask(topics: Topics, author: str, *, opted_out: bool, workspace: str = "default") -> None:
    record = Erasure(
        workspace=workspace, author=author, requested_at=NOW_MS, erase_before=NOW_MS, opted_out=opted_out
    )
    topics.append(ERASURES, f"{workspace}|{author}".encode(), encode(record))


def said(author: str) -> ChatMessage:
    return line("default", f"by {author}", author=author)


def about(author: str) -> ChatEvent:
    return event("default", f"about {author}", kind="ban", target_author=author)


@pytest.fixture
def topics() -> Topics:
    return Topics()


def test_only_who_opted_out_is_left_out_and_only_in_that_workspace(topics: Topics) -> None:
    ask(topics, "k1.out", opted_out=True)
    ask(topics, "k1.erased", opted_out=False)
    ask(topics, "k1.elsewhere", opted_out=True, workspace="label")
    topics.append(ERASURES, b"default|x", b"{")
    exclusions = Exclusions(MemoryJournal(topics))
    exclusions.load()
    assert [exclusions.keeps(said(f"k1.{name}")) for name in ("out", "erased", "elsewhere")] == [
        False,
        True,
        True,
    ]
    assert not exclusions.keeps(about("k1.out"))
    assert exclusions.keeps(about("k1.erased"))
    assert exclusions.keeps(event("default", "g1")), "an event about nobody"


def test_an_opt_out_may_come_and_be_taken_back_while_it_runs(topics: Topics) -> None:
    exclusions = Exclusions(MemoryJournal(topics))
    exclusions.load()
    ask(topics, "k1.out", opted_out=True)
    exclusions.refresh()
    assert not exclusions.keeps(said("k1.out"))
    ask(topics, "k1.out", opted_out=False)
    exclusions.refresh()
    assert exclusions.keeps(said("k1.out"))


async def test_no_line_of_theirs_reaches_kafka(topics: Topics) -> None:
    ask(topics, "k1.out", opted_out=True)
    kafka = FakeKafka()
    async with KafkaProducer(kafka, exclusions=Exclusions(MemoryJournal(topics))) as producer:
        receipt = await producer.send([said("k1.out"), said("k1.other")])
        await producer.delivered(receipt)
        await producer.delivered(await producer.send([said("k1.out")]))
        ask(topics, "k1.other", opted_out=True)
        await until(lambda: not producer._exclusions or not producer._exclusions.keeps(said("k1.other")))
        await producer.send([said("k1.other")])
    assert [b"by k1.other" in value for _, _, value in kafka.sent] == [True]


async def test_without_the_list_nothing_is_sent(topics: Topics) -> None:
    topics.down = True
    with pytest.raises(DeliveryError):
        async with KafkaProducer(FakeKafka(), exclusions=Exclusions(MemoryJournal(topics))):
            pass
    with pytest.raises(JournalError):
        Exclusions(MemoryJournal(topics)).load()
