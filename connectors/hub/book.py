"""The list of channels as people change and read it: the command line, the API, a channels file."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from connectors.core.channels import Channels
from connectors.core.journal import Journal
from connectors.hub.platforms import platform
from connectors.hub.roster import Key, Roster
from schemas.codecs import encode
from schemas.records import FollowedChannel, SourceState
from schemas.topics import CHANNELS

AddedBy = Literal["file", "cli", "api"]
_RECORDED: Final = ("replay", "simulator")


class UnknownChannelError(LookupError):
    """The channel is not on the list."""


class Listed(NamedTuple):
    """A channel on the list; without a listener no process hears it now."""

    workspace: str
    channel: str
    added_by: AddedBy
    added_at: int
    listener: str | None
    state: SourceState | None
    reason: str
    heard_at: int | None


class ChannelBook:
    """Reads and changes the list in Kafka; any number of threads, which take turns."""

    def __init__(self, journal: Journal, now_ms: Callable[[], int]) -> None:
        self._journal, self._now_ms = journal, now_ms
        self._roster = Roster()
        self._turn = threading.Lock()

    def channels(self, workspace: str | None = None) -> list[Listed]:
        """The channels of a workspace (of all without one), in order of their names.

        Raises:
            JournalError: Kafka does not answer.
        """
        with self._turn:
            self._refresh()
            return [
                self._listed(key, channel)
                for key, channel in sorted(self._roster.channels.items())
                if workspace in (None, key.workspace)
            ]

    def add(self, workspace: str, platform_name: str, channel: str, by: AddedBy) -> Key:
        """Put a channel on the list; one that stands there stays as it is.

        Raises:
            ValueError: the platform or the channel cannot be; the message says why.
            JournalError: Kafka does not answer.
        """
        key = key_of(workspace, platform_name, channel)
        with self._turn:
            self._refresh()
            if key not in self._roster.channels:
                self._write(key, by)
        return key

    def remove(self, workspace: str, platform_name: str, channel: str) -> Key:
        """Take a channel off the list.

        Raises:
            ValueError: the platform or the channel cannot be.
            UnknownChannelError: it is not on the list.
            JournalError: Kafka does not answer.
        """
        key = key_of(workspace, platform_name, channel)
        with self._turn:
            self._refresh()
            if key not in self._roster.channels:
                raise UnknownChannelError(f"{key.channel} is not on the list of workspace {workspace}")
            self._journal.write(CHANNELS, key.raw, None)
        return key

    def apply(self, wanted: Channels) -> tuple[list[Key], list[Key]]:
        """Make the list hold a file's channels and no others that a file added; returns what came and went.

        Raises:
            ValueError: a platform or a channel cannot be; nothing is changed.
            JournalError: Kafka does not answer.
        """
        keys = set(keys_of(wanted))
        with self._turn:
            self._refresh()
            there: Mapping[Key, FollowedChannel] = self._roster.channels
            came = sorted(keys - there.keys())
            went = sorted(k for k, channel in there.items() if channel.added_by == "file" and k not in keys)
            for key in came:
                self._write(key, "file")
            for key in went:
                self._journal.write(CHANNELS, key.raw, None)
        return came, went

    def _refresh(self) -> None:
        for entry in self._journal.read_to_end():
            try:
                self._roster.take(*entry)
            except msgspec.MsgspecError:
                continue  # the listening processes say so; a reader goes on with what it knows

    def _write(self, key: Key, by: AddedBy) -> None:
        record = FollowedChannel(
            workspace=key.workspace, channel=key.channel, added_at=self._now_ms(), added_by=by
        )
        self._journal.write(CHANNELS, key.raw, encode(record))

    def _listed(self, key: Key, channel: FollowedChannel) -> Listed:
        listener, status = self._roster.status(key) or (None, None)
        return Listed(
            key.workspace,
            key.channel,
            channel.added_by,
            channel.added_at,
            listener,
            status.state if status else None,
            status.reason if status else "",
            status.heard_at if status else None,
        )


def key_of(workspace: str, platform_name: str, channel: str) -> Key:
    """The key of a channel as people write it.

    Raises:
        ValueError: the platform or the channel cannot be; the message says why.
    """
    name = platform(platform_name).channel_name(channel)
    return Key(workspace, f"{platform_name}:{name}")


def keys_of(wanted: Channels) -> Sequence[Key]:
    """The channels of a file's live sources that are switched on; recordings belong to `pulse replay`.

    Raises:
        ValueError: a platform or a channel cannot be.
    """
    return tuple(_keys(wanted))


def _keys(wanted: Channels) -> Iterator[Key]:
    for source in wanted.sources:
        if source.enabled and source.platform not in _RECORDED:
            for channel in source.channels:
                yield key_of(source.workspace, source.platform, channel)
