"""Where the emotes of Twitch chat come from: each provider's addresses and the shape of its answers.

Sources: dev.twitch.tv/docs/api/reference (Get Global Emotes, Get Channel Emotes), api.frankerfacez.com/docs,
betterttv.com/developers/api, 7tv.io/docs. A channel that a provider does not know is answered with 404.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

Public = Literal["bttv", "ffz", "7tv"]
"""Who answers anybody."""
Provider = Literal["twitch"] | Public


class Endpoint(NamedTuple):
    """How to ask one provider."""

    everywhere: str
    """Path of the emotes that work in all channels."""
    channel: str
    """Path of a channel's own, with `{}` for its number."""
    names: Callable[[Any], list[str]]
    """The names in an answer of either; KeyError, TypeError or AttributeError where it has another shape."""


def _of_twitch(answer: Any) -> list[str]:
    return [str(emote["name"]) for emote in answer["data"]]


def _of_bttv(answer: Any) -> list[str]:
    emotes = answer if isinstance(answer, list) else answer["channelEmotes"] + answer["sharedEmotes"]
    return [str(emote["code"]) for emote in emotes]


def _of_ffz(answer: Any) -> list[str]:
    return [str(emote["name"]) for group in answer["sets"].values() for emote in group["emoticons"]]


def _of_7tv(answer: Any) -> list[str]:
    group = answer.get("emote_set", answer)
    # a set that never had an emote has no list
    return [str(emote["name"]) for emote in (group or {}).get("emotes") or ()]


ENDPOINTS: Final[Mapping[Provider, Endpoint]] = {
    "twitch": Endpoint("/chat/emotes/global", "/chat/emotes?broadcaster_id={}", _of_twitch),
    "bttv": Endpoint("/cached/emotes/global", "/cached/users/twitch/{}", _of_bttv),
    "ffz": Endpoint("/set/global", "/room/id/{}", _of_ffz),
    "7tv": Endpoint("/emote-sets/global", "/users/twitch/{}", _of_7tv),
}
