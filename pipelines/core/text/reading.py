"""What a canonical text lets one say about its language before any model is asked."""

import re
from enum import IntEnum
from typing import Final

from pipelines.core.text.emotes import without_tokens
from pipelines.core.text.scripts import Script, script_of

SHORT_LETTERS: Final = 12
"""Below this many letters a line names no language surely (Baldwin & Lui 2010: short texts are hard)."""

# Links and mentions alone say nothing that could be scored.
_NOTHING_ELSE: Final = re.compile(r"(?:<url>|@user| )*")


class Reading(IntEnum):
    """How a line can be read."""

    NOTHING = 0
    """Empty, or links and mentions alone."""
    NO_LETTERS = 1
    """Emoji, emotes, digits, marks."""
    SHORT = 2
    """Few ASCII letters, of a script that the model reads."""
    LONG = 3
    """Enough letters of such a script."""
    JAPANESE = 4
    """Kana among the letters."""
    OTHER = 5
    """Mostly letters of a script that the model does not read."""


_BY_SCRIPT: Final = {
    Script.NONE: Reading.NO_LETTERS, Script.JAPANESE: Reading.JAPANESE, Script.OTHER: Reading.OTHER,
}  # fmt: skip


def reading_of(canonical: str) -> Reading:
    """The reading of one canonical text; tokens and well-known emotes do not count as words."""
    words = without_tokens(canonical)
    if not words and _NOTHING_ELSE.fullmatch(canonical):
        return Reading.NOTHING
    script = script_of(words)
    if script in _BY_SCRIPT:
        return _BY_SCRIPT[script]
    short = words.isascii() and sum(map(str.isalpha, words)) < SHORT_LETTERS
    return Reading.SHORT if short else Reading.LONG
