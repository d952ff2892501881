"""Play a scenario: the same scenario and seed always give the same lines."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from connectors.simulator.draws import draw_span, generator
from connectors.simulator.event_kinds import Event
from connectors.simulator.events import crowds, hostile, rituals
from connectors.simulator.events.cue import Cue
from connectors.simulator.recording import Line, Truth
from connectors.simulator.scenario import Scenario
from connectors.simulator.stage import Spoken, Stage

PLAYERS: Final[dict[str, Callable[[Any, Cue], None]]] = {
    "hype": crowds.play_hype,
    "mood_turn": crowds.play_mood_turn,
    "friendly_raid": crowds.play_friendly_raid,
    "quarrel": crowds.play_quarrel,
    "discovery": crowds.play_discovery,
    "clip_sharing": rituals.play_clip_sharing,
    "copypasta": rituals.play_copypasta,
    "giveaway": rituals.play_giveaway,
    "poll": rituals.play_poll,
    "bot_commands": rituals.play_bot_commands,
    "sub_train": rituals.play_sub_train,
    "hate_raid": hostile.play_crowd,
    "slow_drip": hostile.play_crowd,
    "wave": hostile.play_crowd,
    "link_spam": hostile.play_link_spam,
    "account_flood": hostile.play_flood,
}
ALERTS: Final[dict[str, str | None]] = {
    "hype": "hype",
    "mood_turn": "mood.negative",
    "friendly_raid": "raid.friendly",
    "quarrel": "mood.toxic",
    "discovery": None,
    "clip_sharing": None,
    "copypasta": "copypasta",
    "giveaway": None,
    "poll": None,
    "bot_commands": None,
    "sub_train": None,
    "hate_raid": "attack.raid",
    "slow_drip": "attack.raid",
    "wave": "attack.wave",
    "link_spam": "spam.links",
    "account_flood": "flood.account",
}
HOSTILE: Final = frozenset({"hate_raid", "slow_drip", "wave", "link_spam", "account_flood"})
_FAMILY: Final = ("texts", "obfuscation", "age", "link_style", "style", "announcement", "mood")
"""Drawn parameters that name the family of an event."""


@dataclass(frozen=True)
class Simulation:
    """What a scenario gave: lines in time order, each with its event, and the truth of each event."""

    spoken: list[Spoken]
    truth: list[Truth]

    @property
    def lines(self) -> list[Line]:
        """The recorded-chat lines."""
        return [spoken.line for spoken in self.spoken]


def simulate(scenario: Scenario, seed: int) -> Simulation:
    """Play the scenario; `stream` of a channel is `channel/scenario-seed`."""
    stages = {
        channel.name: Stage.simulated(
            channel, f"{channel.name}/{scenario.name}-{seed}", scenario.length_s, (scenario.name, seed)
        )
        for channel in scenario.channels
    }
    for stage in stages.values():
        stage.plan_ordinary()
    return play(scenario, seed, stages)


def play(scenario: Scenario, seed: int, stages: dict[str, Stage], *, shift_s: float = 0.0) -> Simulation:
    """Add the scenario's events, `shift_s` later, to what the stages plan; let all speak; note the truth."""
    cues: list[Cue] = []
    starts: dict[str, float] = {}
    for number, event in enumerate(scenario.events):
        rng = generator(scenario.name, seed, "event", number)
        start_s = starts.get(event.after or "", shift_s) + draw_span(rng, event.start_s)
        cue = Cue(number, start_s, [stages[name] for name in event.channels], rng)
        PLAYERS[event.kind](event, cue)
        starts[event.name or f"#{number}"] = start_s
        cues.append(cue)
    spoken = list(
        heapq.merge(*(stage.speak() for stage in stages.values()), key=lambda said: said.line.offset_ms)
    )
    by_event: dict[int, list[Line]] = {}
    for said in spoken:
        if said.event is not None:
            by_event.setdefault(said.event, []).append(said.line)
    truth = [_truth(scenario.events[number], cues[number], lines) for number, lines in by_event.items()]
    return Simulation(spoken, sorted(truth, key=lambda event: (event.started_at_ms, event.stream)))


def _truth(event: Event, cue: Cue, lines: list[Line]) -> Truth:
    first_of: dict[str, int] = {}
    for line in lines:
        first_of.setdefault(line.author, line.offset_ms)
    hostile_event = event.kind in HOSTILE
    firsts = list(first_of.values())
    streams = tuple(stage.stream for stage in cue.stages)
    return Truth(
        stream=lines[0].stream if len(streams) == 1 else streams[0],
        kind=event.kind,
        alert=ALERTS[event.kind],
        hostile=hostile_event,
        family=event.family
        or "/".join([event.kind, *(str(cue.parameters[key]) for key in _FAMILY if key in cue.parameters)]),
        started_at_ms=lines[0].offset_ms,
        ended_at_ms=lines[-1].offset_ms,
        first_hostile_ms=lines[0].offset_ms if hostile_event else None,
        fifth_account_ms=firsts[4] if hostile_event and len(firsts) >= 5 else None,
        accounts=len(first_of),
        messages=len(lines),
        channels=streams,
        parameters=cue.parameters,
    )
