"""What the two topics say: the channels to listen to, and the processes that do; pure.

Time here is the broker's append time, the same for every process, whatever its own clock shows.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from connectors.core.live import Unheard
from connectors.hub.assignment import owner_of
from schemas.codecs import record_key
from schemas.records import FollowedChannel, Listener, SourceStatus
from schemas.topics import CHANNELS, LISTENERS

TOPICS: Final = (CHANNELS, LISTENERS)
DEAD_AFTER_MS: Final = 10_000
"""A process that gave no sign for so long is dead: five of its beats."""


class Key(NamedTuple):
    """A channel of a workspace."""

    workspace: str
    channel: str
    """`platform:name`."""

    @property
    def raw(self) -> bytes:
        """The key of its record in Kafka."""
        return record_key(self.workspace, self.channel)

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.channel.partition(":")[0]

    @property
    def name(self) -> str:
        """The channel as its platform names it."""
        return self.channel.partition(":")[2]


class _Seen(NamedTuple):
    listener: Listener
    appended_at: int


class Roster:
    """The newest record of every key, and what follows from them."""

    def __init__(self) -> None:
        self._channels: dict[Key, FollowedChannel] = {}
        self._listeners: dict[str, _Seen] = {}
        self._now_ms = 0
        self._channel_decoder = msgspec.json.Decoder(FollowedChannel)
        self._listener_decoder = msgspec.json.Decoder(Listener)

    @property
    def channels(self) -> Mapping[Key, FollowedChannel]:
        """The channels to listen to."""
        return self._channels

    def take(self, topic: str, key: bytes, value: bytes | None, appended_at: int) -> None:
        """Take in one record, in the order of the topic.

        Raises:
            msgspec.DecodeError: it cannot be read; what was known stays.
        """
        self._now_ms = max(self._now_ms, appended_at)
        if topic == CHANNELS:
            self._take_channel(key, value)
        elif value is None:
            self._listeners.pop(key.decode(errors="replace"), None)
        else:
            listener = self._listener_decoder.decode(value)
            self._listeners[listener.listener] = _Seen(listener, appended_at)

    def alive(self) -> list[str]:
        """The processes that channels may belong to, by name."""
        return sorted(
            name
            for name, seen in self._listeners.items()
            if seen.listener.phase == "listening" and self._is_alive(seen)
        )

    def owned_by(self, listener: str) -> dict[Key, FollowedChannel]:
        """The channels that the process has to listen to."""
        alive = self.alive()
        return {
            key: channel
            for key, channel in self._channels.items()
            if owner_of("|".join(key), alive) == listener
        }

    def status(self, key: Key) -> tuple[str, SourceStatus] | None:
        """The living process that listens to the channel (its owner first), and how it stands there."""
        owner = owner_of("|".join(key), self.alive())
        hearing = [name for name, seen in self._listeners.items() if self._is_alive(seen)]
        for name in sorted(hearing, key=lambda name: (name != owner, name)):
            for status in self._listeners[name].listener.sources:
                if (status.workspace, status.channel) == key:
                    return name, status
        return None

    def unheard(self, key: Key, *, besides: str) -> Unheard | None:
        """Since when nobody hears the channel, by the last word of the process that did.

        None where another living process still hears it, where none ever did, or where it was taken off the
        list in between.
        """
        newest: Unheard | None = None
        added_at = self._channels[key].added_at
        for name, seen in self._listeners.items():
            if name == besides:
                continue
            for status in seen.listener.sources:
                if (status.workspace, status.channel) != key:
                    continue
                if self._is_alive(seen):
                    return None
                cause = "process_lost" if seen.listener.phase == "listening" else "process_restarted"
                if status.heard_at and status.heard_at >= max(added_at, newest.since_ms if newest else 0):
                    newest = Unheard(status.heard_at, cause)
        return newest

    def is_heard_by_owner(self, key: Key) -> bool:
        """Whether the process that the channel belongs to reports it live."""
        owner = owner_of("|".join(key), self.alive())
        found = self.status(key)
        return found is not None and found[0] == owner and found[1].state == "live"

    def _is_alive(self, seen: _Seen) -> bool:
        return seen.listener.phase != "left" and self._now_ms - seen.appended_at < DEAD_AFTER_MS

    def _take_channel(self, raw: bytes, value: bytes | None) -> None:
        workspace, _, channel = raw.decode(errors="replace").partition("|")
        key = Key(workspace, channel)
        if value is None:
            self._channels.pop(key, None)
        else:
            self._channels[key] = self._channel_decoder.decode(value)
