"""Characters: what is removed, what is folded onto a plainer letter. Pure tables, built once at import."""

import re
import unicodedata
from pathlib import Path
from typing import Final

# Planes 0 and 1; those above hold Han letters, tags (plane 14) and private use (15 and 16).
_CODES: Final = range(0x20000)

# Non-starters of Latin, Cyrillic and symbols: nothing in normal (NFKC-composed) writing needs them.
STACKING_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"

# Arabic and Hebrew vowel points, Quranic signs and the tatweel: left out in everyday writing.
POINTS: Final = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
)

# Letters whose base NFKD does not reveal, small capitals and phonetic lookalikes.
_LATIN: Final = {
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ĸ": "k", "ŀ": "l", "æ": "ae", "œ": "oe",
    "ß": "ss", "þ": "th", "ð": "d", "ə": "e", "ɛ": "e", "ɔ": "o", "ɑ": "a", "ɡ": "g", "ɪ": "i", "ʀ": "r",
    "ʙ": "b", "ɢ": "g", "ʜ": "h", "ɴ": "n", "ʟ": "l", "ʏ": "y", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e",
    "ᴊ": "j", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o", "ᴘ": "p", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z",
    "ꜰ": "f", "ꜱ": "s", "ɨ": "i", "ʉ": "u", "ɯ": "m", "ɐ": "a", "ǝ": "e", "ɹ": "r", "ʇ": "t", "ʌ": "v",
    "ʍ": "w", "ʎ": "y", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ɠ": "g", "ƙ": "k", "ɱ": "m", "ɲ": "n", "ŋ": "n",
    "ʂ": "s", "ƭ": "t", "ʋ": "v", "ɦ": "h", "ɩ": "i", "ȷ": "j", "ɭ": "l", "ɳ": "n", "ɾ": "r", "ʈ": "t",
    "ƈ": "c", "ƥ": "p", "ƴ": "y", "ɮ": "l", "ʐ": "z", "ʑ": "z", "ɕ": "c", "ꞓ": "c", "ɇ": "e", "ɉ": "j",
}  # fmt: skip


def _removed() -> set[int]:
    """Format, control, private-use and surrogate characters, variation selectors, invisible fillers."""
    invisible = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x2800, 0x3164, 0xFFA0}
    specials = set(range(0xFE00, 0xFE10)) | set(range(0xE0000, 0xE1000)) | set(range(0xF0000, 0x110000))
    formats = {code for code in _CODES if unicodedata.category(chr(code)) in ("Cf", "Cc", "Cs", "Co")}
    return (formats | specials | invisible) - {ord(c) for c in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"}


def _range_class(codes: set[int]) -> str:
    """A regular-expression character class of these code points."""
    spans: list[list[int]] = []
    for code in sorted(codes):
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in spans) + "]"


def _han_variants() -> list[str]:
    """Pairs of a traditional Han character and its simplified form: one vocabulary for both."""
    lines = (Path(__file__).parent / "han_variants.txt").read_text("utf-8").splitlines()
    return [pair for line in lines if not line.startswith("#") for pair in line.split()]


def _folds() -> dict[int, str | None]:
    """Latin letters with diacritics onto the bare letter, ё onto е, traditional Han onto simplified, quotes.

    Chat leaves diacritics out as often as not, and an attacker adds them at will: one form for both.
    """
    folds: dict[int, str | None] = {ord(letter): base for letter, base in _LATIN.items()}
    latin = [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)]
    for code in latin:
        base = unicodedata.normalize("NFKD", chr(code).lower())[0]
        if base.isascii() and base.isalpha():
            folds[code] = base
    for start in (0x1F150, 0x1F170):  # negative circled and negative squared capitals; 🄰 and ⓐ are NFKC's
        folds |= {start + offset: chr(ord("a") + offset) for offset in range(26)}
    folds[ord("ё")] = "е"
    folds |= {ord(pair[0]): pair[1] for pair in _han_variants()}
    # Curly quotes and dashes onto ASCII, so that "don’t" is "don't".
    folds |= {ord(c): "'" for c in "‘’‛ʼ´`′＇"} | {ord(c): '"' for c in "“”„«»″"}
    folds |= {ord(c): "-" for c in "‐‑‒–—―−"} | {ord("…"): "..."}
    return folds


REMOVED: Final = re.compile(_range_class(_removed()) + "+")
FOLDS: Final = _folds()
MARKS: Final = re.compile(f"[{STACKING_MARKS}{POINTS}]+")
# Canonical ordering inside NFKC takes time quadratic in the length of a run of non-starters (200,000 of them:
# 41 s), so cut the runs first. UAX #15 (stream-safe text) allows 30; no orthography stacks more than a few.
_NON_STARTER: Final = _range_class({code for code in _CODES if unicodedata.combining(chr(code))})
MARK_RUNS: Final = re.compile(f"({_NON_STARTER}{{8}}){_NON_STARTER}+")
