"""The kinds of events that a scenario may hold, with their defaults.

Where a value is a `Span`, a pair `[low, high]` is drawn uniformly by the seed; where it is a `Choice`, one
of a list is drawn. So another seed gives another attack of the same description.
"""

from typing import Annotated, Literal, TypeVar, Union

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Mood = Literal["joy", "amusement", "surprise", "sadness", "anger", "neutral"]
TextSource = Literal["fixed", "templated", "paraphrased", "labelled", "offers"]
Obfuscation = Literal["none", "leet", "homoglyph", "zero_width", "spacing", "suffix", "case", "mixed"]

T = TypeVar("T")
Options = Annotated[list[T], Field(min_length=1)]
Choice = Union[T, Options[T]]  # noqa: UP007 (with | there is no generic alias at run time)


def _ordered(value: float | tuple[float, float]) -> float | tuple[float, float]:
    low, high = value if isinstance(value, tuple) else (value, value)
    if not 0 <= low <= high:
        raise ValueError("must be a number ≥ 0 or a pair [low, high] with 0 ≤ low ≤ high")
    return value


Span = Annotated[float | tuple[float, float], AfterValidator(_ordered)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of a scenario; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EventBase(Part):
    """What all events have in common."""

    name: str | None = Field(default=None, description="For `after` of other events.")
    channels: list[str] = Field(min_length=1, description="Where it happens.")
    start_s: Span = Field(
        description="Seconds from the beginning, or from the start of the event in `after`."
    )
    after: str | None = Field(default=None, description="Name of an event listed earlier.")
    family: str | None = Field(default=None, description="In the truth; default: made of what is drawn.")


class Hype(EventBase):
    """Something great happens: viewers shout for a while."""

    kind: Literal["hype"]
    intensity: Span = Field(default=(4, 8), description="Peak rate as a multiple of the ordinary rate.")
    length_s: Span = (15, 35)
    mood: Choice[Mood] = ["joy", "amusement", "surprise"]


class MoodTurn(EventBase):
    """The audience is let down (a lost match, a cancelled show): mostly negative lines for a while."""

    kind: Literal["mood_turn"]
    intensity: Span = Field(default=(1.5, 3), description="Rate as a multiple of the ordinary rate.")
    length_s: Span = (60, 120)


class FriendlyRaid(EventBase):
    """Another channel sends its viewers: newcomers greet, viewers welcome them."""

    kind: Literal["friendly_raid"]
    accounts: Span = Field(default=(15, 60), description="Newcomers who write.")
    ramp_s: Span = (15, 60)
    age_days: Span = (60, 3000)
    announcement: Choice[Literal["bot", "none"]] = "bot"
    chant: Share = Field(default=0.0, description="Share of guests who paste their channel's raid line.")


class HostileEvent(EventBase):
    """What hostile crowds have in common."""

    accounts: Span = Field(default=(20, 60), description="Hostile accounts; in each channel of a wave.")
    ramp_s: Span = Field(default=(3, 30), description="Seconds within which the accounts turn up.")
    messages_each: Span = (1, 3)
    pause_s: Span = Field(default=(2, 8), description="Between two lines of one account.")
    age_days: Span = Field(default=(0, 5), description="Age of the accounts.")
    first_message: Share = Field(default=1.0, description="Share of accounts that never wrote here before.")
    reuse: Share = Field(default=0.5, description="Share of accounts that a wave uses in several channels.")
    texts: Choice[TextSource] = ["fixed", "templated", "paraphrased", "labelled"]
    obfuscation: Choice[Obfuscation] = [
        "none",
        "leet",
        "homoglyph",
        "zero_width",
        "spacing",
        "suffix",
        "mixed",
    ]
    emotes: Share = Field(default=0.1, description="Share of lines with an emote added.")
    language: Literal["own", "other"] = Field(
        default="own", description="Whether the attackers write the channel's language."
    )


class HateRaid(HostileEvent):
    """Many accounts insult at once."""

    kind: Literal["hate_raid"]


class SlowDrip(HostileEvent):
    """Ever new accounts post one hostile line every few seconds."""

    kind: Literal["slow_drip"]
    accounts: Span = (20, 40)
    ramp_s: Span = (150, 300)
    messages_each: Span = 1


class Wave(HostileEvent):
    """One campaign over several channels, weak in each."""

    kind: Literal["wave"]
    channels: list[str] = Field(min_length=2)
    accounts: Span = (6, 12)
    ramp_s: Span = (10, 40)


class LinkSpam(EventBase):
    """Accounts post links (always to reserved `.example` names)."""

    kind: Literal["link_spam"]
    accounts: Span = (3, 12)
    ramp_s: Span = (5, 40)
    messages_each: Span = (2, 4)
    pause_s: Span = (4, 15)
    age_days: Span = (0, 30)
    obfuscation: Choice[Obfuscation] = ["none", "suffix", "homoglyph", "zero_width"]
    link_style: Choice[Literal["scheme", "bare", "spelled"]] = ["scheme", "bare", "spelled"]


class Discovery(EventBase):
    """A front page or a search shows the stream: newcomers drop in and chat like anybody."""

    kind: Literal["discovery"]
    accounts: Span = (20, 60)
    ramp_s: Span = (20, 90)
    age_days: Span = (1, 3000)


class ClipSharing(EventBase):
    """After a great moment regulars post links to clips of it."""

    kind: Literal["clip_sharing"]
    accounts: Span = (3, 9)
    ramp_s: Span = (15, 60)


class AccountFlood(EventBase):
    """One account floods the chat."""

    kind: Literal["account_flood"]
    messages: Span = (20, 60)
    pause_s: Span = Field(default=(0.4, 1.5), description="Between two lines.")
    style: Choice[Literal["same", "varied", "wall", "emotes"]] = ["same", "varied", "wall", "emotes"]
    regular: Choice[bool] = Field(
        default=[True, False], description="Whether a regular or a new account does it."
    )


class Copypasta(EventBase):
    """Regulars repeat one text for fun."""

    kind: Literal["copypasta"]
    accounts: Span = (8, 30)
    ramp_s: Span = (10, 40)


class Giveaway(EventBase):
    """A bot opens a giveaway: everybody types the keyword."""

    kind: Literal["giveaway"]
    accounts: Span = (20, 80)
    ramp_s: Span = (15, 50)


class Poll(EventBase):
    """Viewers vote by typing 1 or 2."""

    kind: Literal["poll"]
    accounts: Span = (20, 80)
    ramp_s: Span = (10, 40)


class BotCommands(EventBase):
    """Viewers play with a bot's command, the bot answers."""

    kind: Literal["bot_commands"]
    accounts: Span = (6, 20)
    ramp_s: Span = (10, 40)


class SubTrain(EventBase):
    """Subscriptions follow one another, the chat cheers."""

    kind: Literal["sub_train"]
    subs: Span = (5, 20)
    ramp_s: Span = (20, 60)


class Quarrel(EventBase):
    """A few regulars insult one another."""

    kind: Literal["quarrel"]
    people: Span = (2, 4)
    messages: Span = (14, 40)
    length_s: Span = (60, 120)


Event = Annotated[
    Hype
    | MoodTurn
    | FriendlyRaid
    | HateRaid
    | SlowDrip
    | Wave
    | LinkSpam
    | Discovery
    | ClipSharing
    | AccountFlood
    | Copypasta
    | Giveaway
    | Poll
    | BotCommands
    | SubTrain
    | Quarrel,
    Field(discriminator="kind"),
]
