"""The 100 most frequent emotes of the recordings, checked by hand, and how the learner agrees with that."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from serving.training.emotes.proposals import Proposal

CHECKED: Final = Path(__file__).parent / "checked.tsv"


class Agreement(StrEnum):
    """A proposal beside the judgement by hand."""

    SAME = "same"
    """The same group, or no group both times."""
    MISSED = "missed"
    """A group by hand, none learned."""
    INVENTED = "invented"
    """None by hand, a group learned."""
    DIFFERENT = "different"
    """Two groups."""


@dataclass(frozen=True)
class Checked:
    """One emote: what was learned when it was checked, and what its use in recordings says to a reader."""

    name: str
    lines: int
    learned: str | None
    by_hand: str | None

    @property
    def agreement(self) -> Agreement:
        """How both agree."""
        if self.learned == self.by_hand:
            return Agreement.SAME
        if self.learned is None:
            return Agreement.MISSED
        return Agreement.INVENTED if self.by_hand is None else Agreement.DIFFERENT


def read_checked() -> list[Checked]:
    """The committed list, most frequent first."""
    with CHECKED.open(encoding="utf-8", newline="") as file:
        return [
            Checked(row["name"], int(row["lines"]), row["learned"] or None, row["by hand"] or None)
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


def with_learned(checked: Iterable[Checked], proposals: Iterable[Proposal]) -> list[Checked]:
    """The judgements by hand beside new proposals; an emote without one is left out."""
    by_name = {proposal.unit: proposal for proposal in proposals}
    return [
        Checked(entry.name, found.lines, found.group, entry.by_hand)
        for entry in checked
        if (found := by_name.get(entry.name))
    ]


def agreements(checked: Iterable[Checked]) -> Counter[Agreement]:
    """How often which."""
    return Counter(entry.agreement for entry in checked)
