"""Characters that canonical text treats one by one: tables for the compiled form of `normalise`.

A character is plain when what `normalise` does to it depends on no neighbour: NFKC makes one starter of it
that composes with nothing before it (UAX #15, https://www.unicode.org/reports/tr15/), and lower case and
folding keep it one character. All others (and Σ, whose lower case depends on its place) send their line to
`normalise`.
"""

import unicodedata
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.characters import FOLDS, MARKS, REMOVED
from pipelines.core.text.confusables import FOREIGN, PROPER_CYRILLIC, PROPER_LATIN, TWINS
from pipelines.core.text.scripts import KANA, READ

CODES: Final = 0x20000
"""Planes 0 and 1; lines with rarer characters are not plain."""

UNPLAIN: Final = -1
DROPPED: Final = -2

# Flags of a character as written.
NON_ASCII, NON_STARTER = 1, 2
# Flags of a canonical character.
WORD, LETTER, SPACE, DIGIT, LATIN, LEET_LETTER, LEET, SEPARATOR, IS_FOREIGN, ALPHA, IS_KANA, IS_READ = (
    1 << bit for bit in range(12)
)
IS_TWIN, IS_PROPER_LATIN, IS_PROPER_CYRILLIC = (1 << bit for bit in range(12, 15))


def _composing() -> frozenset[str]:
    """Characters that NFC may join to the one before: the later parts of canonical decompositions."""
    decomposed = (unicodedata.normalize("NFD", chr(code)) for code in range(CODES))
    return frozenset(part for parts in decomposed if len(parts) > 1 for part in parts[1:])


def _canonical(character: str, composing: frozenset[str]) -> tuple[int, int]:
    """What becomes of one character: its canonical code, UNPLAIN or DROPPED; and its flags as written."""
    if REMOVED.fullmatch(character):
        return DROPPED, 0
    compatible = unicodedata.normalize("NFKC", character)
    lower = compatible.lower()
    if len(compatible) != 1 or len(lower) != 1 or compatible in composing or compatible == "Σ":
        return UNPLAIN, 0
    flags = 0 if lower.isascii() else NON_ASCII
    if unicodedata.combining(compatible):
        flags |= NON_STARTER
    if MARKS.fullmatch(lower):
        return (UNPLAIN if flags & NON_STARTER else DROPPED), flags
    # A backtick is folded in lines with other scripts only; the compiled pass watches for it.
    folded = lower if lower.isascii() else lower.translate(FOLDS)
    return (ord(folded), flags) if len(folded) == 1 and ord(folded) < CODES else (UNPLAIN, 0)


def _tables() -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    composing = _composing()
    codes = np.full(CODES, UNPLAIN, dtype=np.int32)
    flags = np.zeros(CODES, dtype=np.uint8)
    for code in range(CODES):
        character = chr(code)
        if unicodedata.category(character) not in ("Cn", "Cs"):
            codes[code], flags[code] = _canonical(character, composing)
    return codes, flags


def _kinds() -> NDArray[np.uint16]:
    kinds = np.zeros(CODES, dtype=np.uint16)
    for code in set(CANONICAL[CANONICAL >= 0].tolist()):
        c = chr(code)
        tests = (
            c.isalnum() or c == "_", c.isalnum() and not c.isdecimal(), c.isspace(), c.isdecimal(),
            "a" <= c <= "z", "a" <= c <= "z" or "\u0430" <= c <= "\u0456", c in "0123456789@$!€",
            c.isspace() or c in "._-*/|,", FOREIGN.match(c), c.isalpha(), KANA.match(c), READ.match(c),
            c in TWINS, PROPER_LATIN.match(c), PROPER_CYRILLIC.match(c),
        )  # fmt: skip
        kinds[code] = sum(1 << bit for bit, holds in enumerate(tests) if holds)
    return kinds


CANONICAL, WRITTEN = _tables()
"""Canonical code (or UNPLAIN, DROPPED) and flags as written of each code point."""
KINDS: Final = _kinds()
"""Flags of each canonical character."""
