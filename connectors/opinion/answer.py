"""Strict reading of a language model's answer: what it may say, of whom, and what is held against it."""

import re
from collections import Counter
from collections.abc import Collection
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from connectors.opinion.figures import Figures

Fault = Literal["unknown_id", "repeated_id", "extra_field", "invalid", "missing"]
SUSPECT: Final[frozenset[Fault]] = frozenset({"unknown_id", "repeated_id", "extra_field"})
"""Faults that a text may have talked the model into: no figure of such an answer is trusted."""

_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_EXTRA: Final = "unknown field"


class MalformedAnswerError(ValueError):
    """The answer is no JSON of the right form; holds nothing of its content."""


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    opinions: list[msgspec.Raw]


class _Named(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(max_length=64)]


class _Entry(Figures, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str


class Reading(NamedTuple):
    """The figures by id of what was asked and answered validly, and how often each fault was found."""

    figures: dict[str, Figures]
    faults: Counter[Fault]

    @property
    def suspect(self) -> bool:
        """Whether some text may have changed more than its own figures."""
        return not SUSPECT.isdisjoint(self.faults)


def read(content: str, asked: Collection[str]) -> Reading:
    """The opinions in an answer about these ids.

    An entry that is invalid, or whose id was not asked for or comes twice, counts as a fault and gives no
    figures; the other entries stand. Text around the JSON is not accepted, a code fence is.

    Raises:
        MalformedAnswerError: The answer as a whole is not of the form that was asked for.
    """
    fenced = _FENCED.fullmatch(content)
    try:
        body = msgspec.json.decode(fenced[1] if fenced else content, type=_Body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise MalformedAnswerError(type(error).__name__) from None
    figures: dict[str, Figures] = {}
    faults: Counter[Fault] = Counter()
    named: Counter[str] = Counter()
    for raw in body.opinions:
        try:
            id_ = msgspec.json.decode(raw, type=_Named).id
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            faults["invalid"] += 1
            continue
        if id_ not in asked:
            faults["unknown_id"] += 1
            continue
        named[id_] += 1
        try:
            entry = msgspec.json.decode(raw, type=_Entry)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            faults["extra_field" if _EXTRA in str(error) else "invalid"] += 1
            continue
        figures[id_] = Figures(entry.sarcasm, entry.sentiment, entry.toxicity)
    for id_, times in named.items():
        if times > 1:
            faults["repeated_id"] += 1
            figures.pop(id_, None)
    if unnamed := len(asked) - len(named):
        faults["missing"] += unnamed
    return Reading(figures, faults)
