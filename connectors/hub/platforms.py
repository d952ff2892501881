"""The platforms that channels may be on: one entry each, and what the hub asks of their sources."""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from connectors.core.clock import Clock
from connectors.core.live import OnState, State, Unheard
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.core.source import Source
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.source import TelegramBotSource, chat_name
from connectors.twitch.settings import TwitchSettings
from connectors.twitch.source import TwitchSource, channel_name
from connectors.youtube.broadcasts import target_name
from schemas.endpoints import Endpoints
from schemas.retention import Retention

_CHAT_NAME: Final = re.compile(r"[a-z]\w{3,31}", re.ASCII)
"""core.telegram.org/method/account.checkUsername: 5 to 32; names sold at auction may have 4."""
_CHAT_NUMBER: Final = re.compile(r"-\d{1,18}", re.ASCII)


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
    on_state: OnState | None = None
    """Told of each change of a channel: name, state, reason."""


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


def twitch_source(around: Surroundings, settings: TwitchSettings | None = None) -> ChannelSource:
    """A source for Twitch's channels; without settings those of the environment."""
    return TwitchSource(
        (),
        pseudonyms=around.pseudonyms,
        retention=around.retention,
        sealer=around.sealer,
        clock=around.clock,
        settings=settings or TwitchSettings(),
        workspace=around.workspace,
        on_state=around.on_state,
    )


def _telegram_name(chat: str) -> str:
    name = chat_name(chat.removeprefix("https://t.me/"))
    if not (_CHAT_NAME.fullmatch(name) or _CHAT_NUMBER.fullmatch(name)):
        raise ValueError(f"`{chat}` is neither the @NAME of a chat nor its number (-100…)")
    return name


def _telegram(around: Surroundings) -> ChannelSource:
    from connectors.telegram.bot_http import HttpBotApi

    settings = TelegramSettings()
    if settings.bot_token is None:
        raise ValueError("PULSE_TELEGRAM_BOT_TOKEN is not set; @BotFather gives tokens")
    return TelegramBotSource(
        (),
        pseudonyms=around.pseudonyms,
        retention=around.retention,
        sealer=around.sealer,
        clock=around.clock,
        settings=settings,
        api=HttpBotApi(settings.bot_token, settings.url),
        workspace=around.workspace,
        on_state=around.on_state,
    )


def _youtube(around: Surroundings) -> ChannelSource:
    from connectors.youtube.api import DataApi
    from connectors.youtube.credentials import load_credentials
    from connectors.youtube.quota import Quota
    from connectors.youtube.settings import YouTubeSettings
    from connectors.youtube.source import YouTubeSource
    from connectors.youtube.stream import ChatStreams

    settings = YouTubeSettings()
    credentials = load_credentials(settings)
    quota = Quota(settings.daily_units, Endpoints().pulse_home / f"youtube-quota-{credentials.name}.json")
    return YouTubeSource(
        (),
        pseudonyms=around.pseudonyms,
        retention=around.retention,
        sealer=around.sealer,
        clock=around.clock,
        settings=settings,
        api=DataApi(settings.url, credentials, quota, around.clock),
        quota=quota,
        streams=ChatStreams(settings.stream_address, credentials, quota, around.clock)
        if settings.stream_address
        else None,
        workspace=around.workspace,
        on_state=around.on_state,
    )


PLATFORMS: Final[Mapping[str, Platform]] = {
    "twitch": Platform(_twitch_name, twitch_source),
    "telegram": Platform(_telegram_name, _telegram),
    "youtube": Platform(target_name, _youtube),
}
