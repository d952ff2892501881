"""Processes that share channels out, over topics in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from connectors.core.journal import JournalError
from connectors.core.kafka_producer import KafkaProducer
from connectors.core.live import Unheard
from connectors.core.testing import FakeKafka
from connectors.hub.assignment import owner_of
from connectors.hub.hub import BEAT_S, HAND_OVER_S, RETRY_S, Hub
from connectors.hub.roster import DEAD_AFTER_MS, Key
from schemas.records import Listener
from schemas.topics import CHANNELS, LISTENERS
from tests.unit.connectors.hub.fakes import NOW, MemoryJournal, StillClock, ToldSource, Topics, until

CHANNELS_OF_A_LABEL = [f"twitch:c{number}" for number in range(12)]


class Process:
    """A hub under way; `source` is its newest one."""

    def __init__(self, name: str, topics: Topics, producer: KafkaProducer) -> None:
        self.clock = StillClock()
        self.opened: list[tuple[Key, ToldSource]] = []
        self.refuse: Exception | None = None
        self.hub = Hub(name, MemoryJournal(topics), producer, self.clock, open_source=self._open)
        self.task = asyncio.create_task(self.hub.run())

    @property
    def source(self) -> ToldSource:
        return self.opened[-1][1]

    @property
    def followed(self) -> set[str]:
        return {f"{key.platform}:{name}" for key, source in self.opened for name in source.followed}

    def kill(self) -> None:
        self.task.cancel()

    def _open(self, key: Key) -> ToldSource:
        if self.refuse:
            raise self.refuse
        self.opened.append((key, ToldSource()))
        return self.source


Start = Callable[[str], Process]


@pytest.fixture
def topics() -> Topics:
    return Topics()


@asynccontextmanager
async def processes(topics: Topics) -> AsyncIterator[Start]:
    """Starts processes; stops them all in the end."""
    started: list[Process] = []
    async with KafkaProducer(FakeKafka()) as producer:

        def start(name: str) -> Process:
            started.append(Process(name, topics, producer))
            return started[-1]

        try:
            yield start
        finally:
            for process in started:
                process.kill()
            await asyncio.gather(*(process.task for process in started), return_exceptions=True)


def last_word(topics: Topics, name: str) -> Listener:
    *_, value = (e.value for e in topics.entries if e.topic == LISTENERS and e.key == name.encode())
    assert value is not None
    return msgspec.json.decode(value, type=Listener)


async def test_it_follows_what_is_on_the_list_and_what_comes_and_goes(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed == {"twitch:one"})
        topics.list_channel("twitch:two")
        await until(lambda: process.followed == {"twitch:one", "twitch:two"})
        topics.unlist("twitch:one")
        await until(lambda: process.followed == {"twitch:two"})
        assert process.source.left == [("one", False)]
        assert len(process.opened) == 1, "one source takes all channels of a platform and workspace"


async def test_workspaces_do_not_share_a_source(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    topics.list_channel("twitch:one", workspace="label")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: len(process.opened) == 2)
        assert {key.workspace for key, _ in process.opened} == {"default", "label"}


async def test_a_source_without_channels_is_stopped_and_opened_anew_when_needed(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed)
        first = process.source
        topics.unlist("twitch:one")
        await until(lambda: first.stopped)
        topics.list_channel("twitch:two")
        await until(lambda: process.source is not first and process.followed == {"twitch:two"})


async def test_a_second_process_takes_its_share_and_the_first_lets_go_when_it_hears(topics: Topics) -> None:
    for channel in CHANNELS_OF_A_LABEL:
        topics.list_channel(channel)
    async with processes(topics) as start:
        first = start("a")
        await until(lambda: len(first.followed) == 12)
        second = start("b")
        theirs = {c for c in CHANNELS_OF_A_LABEL if owner_of(f"default|{c}", ["a", "b"]) == "b"}
        assert 0 < len(theirs) < 12
        await until(lambda: second.followed == theirs)
        assert len(first.followed) == 12, "kept until the other one says that it hears"
        second.clock.seconds += BEAT_S
        await until(lambda: first.followed == set(CHANNELS_OF_A_LABEL) - theirs)
        assert {handed_over for _, handed_over in first.source.left} == {True}
        assert set(second.source.followed.values()) == {None}, "no gap: somebody heard it all the time"


async def test_a_channel_is_given_up_even_if_its_new_owner_never_hears_it(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        owner = "b" if owner_of("default|twitch:one", ["a", "b"]) == "b" else "a"
        process = start({"a": "b", "b": "a"}[owner])
        await until(lambda: process.followed)
        topics.beat(owner)
        source = process.source
        topics.list_channel("twitch:marker")
        await until(lambda: Key("default", "twitch:marker") in process.hub.roster.channels)
        assert "one" in source.followed
        process.clock.seconds += HAND_OVER_S + 1
        topics.beat(owner)
        await until(lambda: "one" not in source.followed)
        assert ("one", True) in source.left


async def test_the_channels_of_a_killed_process_move_with_a_gap_since_its_last_word(topics: Topics) -> None:
    for channel in CHANNELS_OF_A_LABEL:
        topics.list_channel(channel)
    async with processes(topics) as start:
        first, second = start("a"), start("b")
        await until(lambda: len(first.followed) + len(second.followed) >= 12)
        first.clock.seconds += BEAT_S
        await until(lambda: last_word(topics, "a").sources)
        mine = {c for c in CHANNELS_OF_A_LABEL if owner_of(f"default|{c}", ["a", "b"]) == "a"}
        # the last word of a process that is killed: nothing follows it
        topics.beat("c")
        topics.now_ms += DEAD_AFTER_MS
        topics.beat("b")
        await until(lambda: second.followed == set(CHANNELS_OF_A_LABEL))
        for channel in mine:
            unheard = second.source.followed[channel.removeprefix("twitch:")]
            assert unheard == Unheard(NOW, "process_lost")


async def test_a_process_that_is_stopped_drains_and_says_what_it_heard_last(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed)
        process.hub.stop()
        await process.task
        assert process.source.stopped
        assert process.source.left == [], "the stream goes on elsewhere"
        word = last_word(topics, "a")
        assert (word.phase, word.sources[0].channel, word.sources[0].heard_at) == ("left", "twitch:one", NOW)
        successor = start("b")
        await until(lambda: successor.followed)
        assert successor.source.followed["one"] == Unheard(NOW, "process_restarted")


async def test_a_process_that_is_stopped_hears_on_until_the_others_do(topics: Topics) -> None:
    for channel in CHANNELS_OF_A_LABEL:
        topics.list_channel(channel)
    async with processes(topics) as start:
        first, second = start("a"), start("b")
        await until(lambda: first.followed and second.followed)
        source = first.source
        first.hub.stop()
        await until(lambda: second.followed == set(CHANNELS_OF_A_LABEL))
        assert not source.stopped
        second.clock.seconds += BEAT_S  # says that it hears them
        await first.task
        assert {handed_over for _, handed_over in source.left} == {True}
        assert set(second.source.followed.values()) == {None}, "no gap"


async def test_a_blocked_platform_is_told_and_tried_again(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed)
        process.source.fail("the token was refused; check PULSE_TWITCH_TOKEN")
        await until(lambda: [s.state for s in process.hub.statuses()] == ["blocked"])
        assert "PULSE_TWITCH_TOKEN" in process.hub.statuses()[0].reason
        process.clock.seconds += RETRY_S
        await until(lambda: len(process.opened) == 2)
        assert [s.state for s in process.hub.statuses()] == ["live"]


async def test_a_source_that_cannot_be_made_blocks_its_channels_only(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        process.refuse = ValueError("settings PULSE_TWITCH_URL: not a URL")
        await until(lambda: process.hub.statuses())
        assert process.hub.statuses()[0].reason == "settings PULSE_TWITCH_URL: not a URL"


async def test_a_record_that_cannot_be_read_changes_nothing(topics: Topics) -> None:
    topics.append(CHANNELS, b"default|twitch:bad", b"{")
    topics.append(LISTENERS, b"x", b"[]")
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed == {"twitch:one"})


async def test_without_kafka_it_does_not_start(topics: Topics) -> None:
    topics.down = True
    async with processes(topics) as start:
        process = start("a")
        with pytest.raises(JournalError):
            await process.task


async def test_a_beat_that_kafka_does_not_take_is_made_up_for(topics: Topics) -> None:
    topics.list_channel("twitch:one")
    async with processes(topics) as start:
        process = start("a")
        await until(lambda: process.followed)
        topics.down = True
        process.clock.seconds += BEAT_S
        await asyncio.sleep(0.01)
        topics.down = False
        process.clock.seconds += BEAT_S
        await until(lambda: last_word(topics, "a").sources)
        assert not process.task.done()
