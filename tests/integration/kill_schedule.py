"""What is killed when: a seeded list of victims, each at a share of the replay's way."""

import random
from dataclasses import dataclass

VICTIMS = (
    "taskmanager",
    "jobmanager",
    "replica",
    "kafka",
    "store",
    "connector",
    "store.between_insert_and_commit",
    "taskmanager.during_checkpoint",
)


@dataclass(frozen=True)
class Kill:
    """One SIGKILL: whom, and after which share (0..1) of the lines is in the store."""

    victim: str
    at: float


def schedule(kills: int, seed: int) -> list[Kill]:
    """Kills in the order of their moments; with eight or more, every victim is among them."""
    random_ = random.Random(seed)
    victims: list[str] = []
    while len(victims) < kills:
        victims += random_.sample(VICTIMS, len(VICTIMS))
    # apart by a share each, so that a kill meets a stack that moves again, not one that is down already
    moments = [(number + random_.random()) / (kills + 1) for number in range(kills)]
    return [Kill(victim, moment) for victim, moment in zip(victims, moments, strict=False)]
