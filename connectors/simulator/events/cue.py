"""What a player of an event gets: the stages, its own generator, its start, and a note of what was drawn."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.simulator.draws import draw_count, draw_span
from connectors.simulator.people import Viewer
from connectors.simulator.stage import Slot, Stage


@dataclass
class Cue:
    """One event about to be played."""

    number: int
    start_s: float
    stages: list[Stage]
    rng: random.Random
    parameters: dict[str, float | str | bool] = field(default_factory=dict)

    def count(self, name: str, span: float | tuple[float, float]) -> int:
        """Draw a whole number and note it."""
        self.parameters[name] = count = draw_count(self.rng, span)
        return count

    def span(self, name: str, span: float | tuple[float, float]) -> float:
        """Draw a number and note it."""
        self.parameters[name] = value = round(draw_span(self.rng, span), 3)
        return value

    def choice(self, name: str, options: str | Sequence[str]) -> str:
        """Draw one option (a single string is that option) and note it."""
        self.parameters[name] = option = options if isinstance(options, str) else self.rng.choice(options)
        return option

    def line(
        self, stage: Stage, delay_s: float, text: str | None, viewer: Viewer | None = None, mood: str = ""
    ) -> None:
        """Plan a line of the event itself, `delay_s` after its start."""
        stage.slots.append(Slot(self.start_s + delay_s, mood, viewer, text, self.number))

    def answer(self, stage: Stage, delay_s: float, mood: str, viewer: Viewer | None = None) -> None:
        """Plan a line that follows from the event without being part of it."""
        stage.slots.append(Slot(self.start_s + delay_s, mood, viewer))
