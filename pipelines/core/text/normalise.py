"""The canonical text: what fingerprints compare and what the model reads."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pipelines.core.text.characters import FOLDS, MARK_RUNS, MARKS, REMOVED
from pipelines.core.text.confusables import undo_confusables
from pipelines.core.text.obfuscation import join_spaced, shorten_stretched, undo_leet
from pipelines.core.text.tokens import mark_addresses, mark_emotes

# What any of the later steps could change in an ASCII line; most lines hold none of it.
_WORK: Final = re.compile(
    r"[@$.]|://|([^\d])\1\1|([a-z]{2,3}?)\2\2|[a-z][0-9!]|(?:^|\W)[a-z][\s_\-*/|,][a-z](?:\W|$)"
)
_ASCII_CONTROLS: Final = dict.fromkeys([*range(9), *range(14, 28), 127])


def normalise(text: str, emotes: Iterable[str] = ()) -> str:
    """The canonical form of one message; empty where nothing readable is left.

    Unicode NFKC, invisible characters removed, lower case, marks and Latin diacritics folded, traditional Han
    simplified, lookalike letters of other scripts undone, links → `<url>`, mentions → `@user`, named emotes →
    `:name:`,
    spaced and leet letters undone, runs of more than two equal characters cut to two, single spaces.
    Emoji stay. No line break is left in the result. Time is linear in the length of the text.

    Args:
        text: The message as written, any length.
        emotes: Names of the platform's emotes that stand in it, exact spelling.
    """
    text = _visible(text)
    text = mark_emotes(text, emotes).lower()
    if not text.isascii():
        text = undo_confusables(MARKS.sub("", text.translate(FOLDS)))
    elif not _WORK.search(text):
        return " ".join(text.split())
    text = mark_addresses(text)
    text = undo_leet(join_spaced(text))
    return " ".join(shorten_stretched(text).split())


def _visible(text: str) -> str:
    """NFKC without invisible characters."""
    if text.isascii():
        return text if text.isprintable() else text.translate(_ASCII_CONTROLS)
    text = MARK_RUNS.sub(r"\1", REMOVED.sub("", text))
    return unicodedata.normalize("NFKC", text)
