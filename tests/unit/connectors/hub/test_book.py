"""The list as people and files change it."""

from pathlib import Path

import pytest

from connectors.core.journal import JournalError
from connectors.hub.book import ChannelBook, UnknownChannelError
from connectors.hub.channels_file import ChannelsFile
from connectors.hub.roster import Key
from schemas.records import SourceStatus
from tests.unit.connectors.hub.fakes import NOW, MemoryJournal, Topics


@pytest.fixture
def topics() -> Topics:
    return Topics()


def book(topics: Topics) -> ChannelBook:
    return ChannelBook(MemoryJournal(topics), lambda: NOW)


def on_the_list(topics: Topics) -> dict[str, str]:
    return {listed.channel: listed.added_by for listed in book(topics).channels()}


def test_a_channel_comes_and_goes_under_its_normalised_name(topics: Topics) -> None:
    one = book(topics)
    assert one.add("default", "twitch", "#SomeChannel", "cli") == Key("default", "twitch:somechannel")
    one.add("default", "twitch", "somechannel", "api")  # stands there already
    assert on_the_list(topics) == {"twitch:somechannel": "cli"}
    assert len(topics.entries) == 1
    one.remove("default", "twitch", "SOMECHANNEL")
    assert on_the_list(topics) == {}


def test_workspaces_are_told_apart(topics: Topics) -> None:
    one = book(topics)
    one.add("a", "twitch", "room", "cli")
    one.add("b", "twitch", "room", "cli")
    one.remove("a", "twitch", "room")
    assert [listed.workspace for listed in one.channels()] == ["b"]
    assert one.channels("a") == []


@pytest.mark.parametrize(
    ("platform", "name", "told"),
    [
        ("mars", "x", "no platform"),
        ("twitch", "bad name", "no Twitch name"),
        ("twitch", "", "no Twitch name"),
    ],
)
def test_what_cannot_be_a_channel_is_refused(topics: Topics, platform: str, name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        book(topics).add("default", platform, name, "cli")
    assert not topics.entries


def test_a_channel_that_is_not_there_cannot_be_taken_off(topics: Topics) -> None:
    with pytest.raises(UnknownChannelError, match="twitch:room is not on the list"):
        book(topics).remove("default", "twitch", "room")


def test_the_list_tells_who_listens_and_how_it_stands(topics: Topics) -> None:
    topics.list_channel("twitch:room")
    topics.beat(
        "a", SourceStatus(channel="twitch:room", state="degraded", reason="no PONG", heard_at=NOW - 9)
    )
    (listed,) = book(topics).channels()
    assert (listed.listener, listed.state, listed.reason, listed.heard_at) == (
        "a",
        "degraded",
        "no PONG",
        NOW - 9,
    )


class File:
    """A channels file that a test writes."""

    def __init__(self, folder: Path, topics: Topics) -> None:
        self.path = folder / "channels.yaml"
        self.look = ChannelsFile(self.path, book(topics)).look

    def write(self, *channels: str, platform: str = "twitch") -> None:
        names = ", ".join(channels)
        self.path.write_text(
            f"version: 1\nsources: [{{name: a, platform: {platform}, channels: [{names}]}}]\n"
        )
        self.look()


def test_a_file_s_channels_follow_the_file_and_others_stay(topics: Topics, tmp_path: Path) -> None:
    topics.list_channel("twitch:by_hand")
    file = File(tmp_path, topics)
    file.write("One", "two", "by_hand")
    assert on_the_list(topics) == {"twitch:by_hand": "cli", "twitch:one": "file", "twitch:two": "file"}
    written = len(topics.entries)
    file.look()
    assert len(topics.entries) == written
    file.write("two")
    assert on_the_list(topics) == {"twitch:by_hand": "cli", "twitch:two": "file"}


def test_a_file_that_cannot_be_used_changes_nothing(topics: Topics, tmp_path: Path) -> None:
    file = File(tmp_path, topics)
    file.write("one")
    for text in ("sources: [", "version: 1\nsources: [{name: a, platform: twitch, channels: ['a b']}]\n"):
        file.path.write_text(text)
        file.look()
        assert on_the_list(topics) == {"twitch:one": "file"}
    file.path.unlink()
    file.look()
    assert on_the_list(topics) == {"twitch:one": "file"}


def test_sources_that_are_off_or_recorded_are_left_out(topics: Topics, tmp_path: Path) -> None:
    file = File(tmp_path, topics)
    file.path.write_text(
        "version: 1\nsources: [{name: a, platform: twitch, channels: [not_now], enabled: false}, "
        "{name: b, platform: replay}, {name: c, platform: twitch, channels: [on_air]}]\n"
    )
    file.look()
    assert on_the_list(topics) == {"twitch:on_air": "file"}


def test_a_file_is_applied_later_where_kafka_did_not_answer(topics: Topics, tmp_path: Path) -> None:
    file = File(tmp_path, topics)
    topics.down = True
    file.write("one")
    topics.down = False
    with pytest.raises(JournalError):
        topics.down = True
        book(topics).channels()
    topics.down = False
    file.look()
    assert on_the_list(topics) == {"twitch:one": "file"}
