"""The platforms that channels may be on: one entry each, and what the hub asks of their sources."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from connectors.core.clock import Clock
from connectors.core.live import State, Unheard
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Source
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource, channel_name
from schemas.retention import Retention


class ChannelSource(Source, Protocol):
    """A source whose channels come and go while it runs; their names are normalised already."""

    @property
    def states(self) -> Mapping[str, tuple[State, str]]:
        """Each channel's state and its reason."""

    def heard_at(self, channel: str) -> int | None:
        """Up to when (ms) the channel was surely heard; None where it never was."""

    def follow(self, channel: str, *, unheard: Unheard | None = None) -> None:
        """Listen to one more channel; what nobody heard since `unheard` is a gap, once it is heard."""

    async def unfollow(self, channel: str, *, handed_over: bool = False) -> None:
        """Listen to a channel no more; its stream ends, unless another process took it over."""


class Surroundings(NamedTuple):
    """What every source is made with."""

    workspace: str
    pseudonyms: Pseudonyms
    retention: Retention
    sealer: Sealer
    clock: Clock


class Platform(NamedTuple):
    """One platform."""

    channel_name: Callable[[str], str]
    """A channel's name as people write it to the one by which it is known; ValueError says what is wrong."""
    open: Callable[[Surroundings], ChannelSource]
    """A source without channels yet; nothing is connected."""


def platform(name: str) -> Platform:
    """The platform of that name.

    Raises:
        ValueError: none is called so; the message names those that there are.
    """
    if name not in PLATFORMS:
        raise ValueError(f"`{name}` is no platform to listen to; there are {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def _twitch_name(channel: str) -> str:
    name = channel_name(channel)
    if not (name.isascii() and name.replace("_", "").isalnum() and len(name) <= 25):
        raise ValueError(f"`{channel}` is no Twitch name: letters, digits and _, at most 25")
    return name


def _twitch(around: Surroundings) -> ChannelSource:
    return TwitchSource(
        (),
        pseudonyms=around.pseudonyms,
        retention=around.retention,
        sealer=around.sealer,
        clock=around.clock,
        settings=TwitchSettings(),
        workspace=around.workspace,
    )


PLATFORMS: Final[Mapping[str, Platform]] = {
    "twitch": Platform(_twitch_name, _twitch),
}
