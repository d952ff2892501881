"""Lines of chat taken apart into emotes, members of known groups, and the text that remains."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from pipelines.core.text.batch import normalise_all
from pipelines.core.text.emotes import MEANINGS, PARTS
from schemas.labels import BASIC
from serving.scorer.backend import ChatModel
from serving.training.emotes.evidence import MarkedLine, Scores
from serving.training.emotes.logs import Line
from serving.training.emotes.names import canonical_name

SCORES: Final = (*BASIC, "sentiment")
"""Columns of `scored`; sentiment from −1 to 1, the others probabilities."""
_FEWEST_LETTERS: Final = 3
_CHUNK: Final = 20_000


def group_of(name: str) -> str | None:
    """Group of a canonical emote's name by the lexicon: by the name, else by its longest known ending."""
    endings = (PARTS.get(name[at:]) for at in range(len(name) - 1))
    return MEANINGS.get(name) or next(filter(None, endings), None)


def mark(lines: Iterable[Line], names: frozenset[str]) -> list[MarkedLine]:
    """Take lines apart; `names` are the exact spellings that are emotes."""
    canonical = {name: canonical_name(name) for name in names}
    groups = {name: group_of(canonical[name]) for name in names}
    said = _said_by_one_group()
    emoji = re.compile("|".join(re.escape(word) for word in said if not word.isascii()))
    marked = []
    for line in lines:
        words = line.text.split()
        emotes = {word for word in words if word in names}
        rest = " ".join(word for word in words if word not in emotes) if emotes else line.text
        members = {canonical[name]: group for name in emotes if (group := groups[name])}
        for word in rest.lower().split():
            if group := MEANINGS.get(word) or said.get(word):
                members[word] = group
        if not rest.isascii():
            members |= {found: said[found] for found in emoji.findall(rest)}
        marked.append(
            MarkedLine(
                line.stream, line.offset_ms, frozenset(canonical[name] for name in emotes), members, rest
            )
        )
    return marked


def scored(scorer: ChatModel, lines: Sequence[MarkedLine]) -> Scores:
    """SCORES of each line's `rest` without words of the lexicon; NaN where under three letters are left."""
    texts = sorted({line.rest for line in lines if sum(map(str.isalpha, line.rest)) >= _FEWEST_LETTERS})
    rows = {text: row for row, text in enumerate(texts)}
    scores = np.full((len(texts) + 1, len(SCORES)), np.nan, dtype=np.float32)
    for start in range(0, len(texts), _CHUNK):
        canonical = normalise_all(texts[start : start + _CHUNK]).texts
        heads = scorer.forward(
            [" ".join(word for word in text.split() if word not in MEANINGS) for text in canonical]
        )
        sentiment = heads["sentiment"][:, 2:] - heads["sentiment"][:, :1]
        scores[start : start + _CHUNK][: len(sentiment)] = np.concatenate([heads["basic"], sentiment], axis=1)
    found: Scores = scores[[rows.get(line.rest, -1) for line in lines]]
    return found


def _said_by_one_group() -> dict[str, str]:
    """Words and emoji of what a group says → the group, if no other group says them."""
    groups = {*MEANINGS.values(), *PARTS.values()}
    said = [(word, group) for group in groups for word in group.split()]
    counts = Counter(word for word, _ in said)
    return {word: group for word, group in said if counts[word] == 1}
