"""The families of the detection benchmark: from a split and a seed to a scenario that plays each of them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml
from pydantic import Field

from connectors.simulator.draws import generator
from connectors.simulator.event_kinds import Part
from connectors.simulator.scenario import Channel, Scenario

SUITE: Final = Path(__file__).parent / "benchmark.yaml"
JITTER_S: Final = 10.0
"""By how much the drawn begin of an event may lie off its place in the slot."""

Split = Literal["train", "dev", "test"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)


class Family(Part):
    """One make of events; its last event is what it is about, the others are its disguise."""

    name: str
    splits: tuple[Split, ...] = SPLITS
    channels: int = Field(default=1, ge=1, description="How many channels it happens on at once.")
    events: list[dict[str, Any]] = Field(min_length=1)


class Suite(Part):
    """Channels by split, and the families."""

    warm_up_s: float = Field(gt=0, description="Ordinary chat before the first event.")
    slot_s: float = Field(gt=0, description="From the begin of an event to that of the next on its channel.")
    channels: dict[Split, list[Channel]]
    families: list[Family]


@cache
def suite() -> Suite:
    """The bundled suite."""
    return Suite.model_validate(yaml.safe_load(SUITE.read_text("utf-8")))


def scenario_of(split: Split, seed: int) -> Scenario:
    """Every family of the split once, spread over its channels and the time in an order that the seed draws.

    A family that needs several channels has a slot to itself, so that nothing else can be taken for it.
    """
    whole = suite()
    channels, rng = whole.channels[split], generator("suite", split, seed)
    families = [family for family in whole.families if split in family.splits]
    alone = [family for family in families if family.channels == 1]
    rng.shuffle(alone)
    events: list[dict[str, Any]] = []
    at = whole.warm_up_s
    for start in range(0, len(alone), len(channels)):
        names = [channel.name for channel in channels]
        rng.shuffle(names)
        for place, (family, name) in enumerate(zip(alone[start:], names, strict=False)):
            begin = at + place * whole.slot_s / len(channels)
            events += _events(family, [name], begin + rng.uniform(0, JITTER_S))
        at += whole.slot_s
    at += whole.slot_s
    for family in families:
        if family.channels > 1:
            names = rng.sample([channel.name for channel in channels], family.channels)
            events += _events(family, names, at)
            at += whole.slot_s
    return Scenario.model_validate(
        {"name": f"suite-{split}", "length_s": at + whole.slot_s, "channels": channels, "events": events}
    )


def _events(family: Family, channels: Sequence[str], at: float) -> list[dict[str, Any]]:
    cover, last = f"{family.name}:{channels[0]}", len(family.events) - 1
    return [
        {
            **event,
            "channels": list(channels),
            "family": family.name if number == last else f"cover.{event['kind']}",
            **({"name": cover, "start_s": at} if number == 0 else {"after": cover}),
        }
        for number, event in enumerate(family.events)
    ]
