"""What people found when they read the chat around a hostile alert on recorded, untouched chat."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

LIST: Final = Path(__file__).parent / "adjudicated.yaml"
NEAR_MS: Final = 60_000
"""By how much an alert of another release may begin earlier or later and still be the same one."""


class Verdict(BaseModel):
    """One alert that somebody looked at; the chat's text never stands here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: str
    kind: str
    started_ms: int = Field(description="Begin of the alert, as offset in the recording.")
    right: bool
    note: str


@cache
def verdicts() -> tuple[Verdict, ...]:
    """The committed list."""
    return tuple(Verdict.model_validate(entry) for entry in yaml.safe_load(LIST.read_text("utf-8")))


def verdict(stream: str, kind: str, started_ms: int) -> Verdict | None:
    """The verdict on such an alert; None where nobody has looked at it."""
    for known in verdicts():
        if (known.stream, known.kind) == (stream, kind) and abs(known.started_ms - started_ms) <= NEAR_MS:
            return known
    return None
