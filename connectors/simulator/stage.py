"""One channel while a scenario is played: its people, its words and the lines planned so far."""

import random
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET

from connectors.simulator.arrivals import background, reaction
from connectors.simulator.draws import generator, mostly, poisson
from connectors.simulator.people import Audience, Viewer, busy_for, newcomer
from connectors.simulator.recording import Line
from connectors.simulator.scenario import Channel
from connectors.simulator.speech import Speech, own_emotes

MOMENT_EVERY_S: Final = 75.0
"""Mean time between the small moments of any broadcast that several viewers react to."""
MENTIONS: Final = 0.2
"""Share of replies that name the person answered."""


@dataclass(frozen=True)
class Slot:
    """A planned line; who writes and the words are open until it is spoken, unless they are set here."""

    at_s: float
    mood: str = "neutral"
    viewer: Viewer | None = None
    text: str | None = None
    event: int | None = None
    """Number of the event that the line belongs to."""
    reply: bool = False


@dataclass(frozen=True)
class Spoken:
    """A line and the event that it belongs to."""

    line: Line
    event: int | None


@dataclass
class Stage:
    """Plan, people and words of one channel."""

    channel: Channel
    stream: str
    length_s: float
    audience: Audience
    speech: Speech
    rng: random.Random
    resolution_ms: int = 1
    slots: list[Slot] = field(default_factory=list)

    @classmethod
    def simulated(cls, channel: Channel, stream: str, length_s: float, key: tuple[object, ...]) -> "Stage":
        """A channel with simulated people; `key` seeds them."""
        people, words, rng = (generator(*key, channel.name, part) for part in ("people", "words", "lines"))
        audience = Audience.simulated(channel, length_s, people)
        speech = Speech(channel.language, own_emotes(channel.name.split("_")[0], words), words)
        return cls(channel, stream, length_s, audience, speech, rng)

    def plan_ordinary(self) -> None:
        """Background chat and small moments."""
        rng = self.rng
        for at, reply in background(rng, self.channel.rate_per_s, self.length_s):
            mood = mostly(
                rng, ("neutral", "joy", "amusement", "surprise", "sadness", "anger"), (62, 13, 12, 6, 4, 3)
            )
            viewer = newcomer(rng, (1, 3000)) if rng.random() < self.channel.newcomers else None
            self.slots.append(Slot(at, mood, viewer, reply=reply))
        for _ in range(poisson(rng, self.length_s / MOMENT_EVERY_S)):
            at, mood = (
                rng.random() * self.length_s,
                mostly(rng, ("joy", "amusement", "surprise", "sadness"), (4, 4, 2, 1)),
            )
            count = poisson(rng, self.channel.rate_per_s * rng.uniform(1, 5))
            self.slots.extend(Slot(at + delay, mood) for delay in reaction(rng, count, 8))

    def speak(self) -> list[Spoken]:
        """All planned lines within the broadcast, in time order."""
        spoken: list[Spoken] = []
        for slot in sorted(self.slots, key=lambda slot: slot.at_s):
            if slot.at_s < self.length_s:
                spoken.append(Spoken(self._line(slot, spoken), slot.event))
        return spoken

    def _line(self, slot: Slot, before: list[Spoken]) -> Line:
        viewer = slot.viewer or self.audience.pick(slot.at_s)
        text = slot.text if slot.text is not None else self.speech.say(slot.mood, viewer)
        if slot.reply and before and self.rng.random() < MENTIONS and before[-1].line.author != viewer.id:
            text = f"@{before[-1].line.author} {text}"
        viewer.free_at_s = slot.at_s + busy_for(text)
        known = self.channel.accounts_known
        line = Line(
            stream=self.stream,
            offset_ms=int(slot.at_s * 1000) // self.resolution_ms * self.resolution_ms,
            author=viewer.id,
            text=text,
            emotes=self.speech.emotes_in(text),
            badges=viewer.badges,
            first_message=viewer.new if known else UNSET,
            account_age_s=viewer.age_s + round(slot.at_s) if known else UNSET,
        )
        viewer.new = False
        return line
