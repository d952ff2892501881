"""Lookalike letters of other scripts, undone by script: Cyrillic inside Latin words and the other way round.

Pairs: Unicode Technical Standard #39, confusables.txt (https://www.unicode.org/reports/tr39/), lower case.
"""

import re
from typing import Final

CYRILLIC_TO_LATIN: Final = {
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "һ": "h", "н": "h", "і": "i", "ї": "i", "ј": "j",
    "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t",
    "и": "u", "ѵ": "v", "ԝ": "w", "х": "x", "у": "y", "ү": "y", "ҽ": "e", "є": "e", "ь": "b", "з": "3",
}  # fmt: skip
LATIN_TO_CYRILLIC: Final = {
    "a": "а", "b": "в", "c": "с", "e": "е", "h": "н", "k": "к", "m": "м", "n": "п", "o": "о", "p": "р",
    "r": "г", "t": "т", "u": "и", "x": "х", "y": "у", "i": "і",
}  # fmt: skip
# Letters of scripts that chat uses as Latin only (Greek words of their own hold no Latin letter).
OTHER_TO_LATIN: Final = {
    "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "σ": "o",
    "τ": "t", "υ": "u", "χ": "x", "ω": "w", "γ": "y", "μ": "u", "π": "n", "ζ": "z", "δ": "d", "θ": "o",
    "ϲ": "c", "ϳ": "j", "ϱ": "p", "ς": "s", "օ": "o", "ո": "n", "ս": "u", "հ": "h", "ց": "g", "զ": "q",
    "ք": "p", "ա": "w", "ⲟ": "o", "ⲥ": "c", "ꓲ": "i", "ꓳ": "o", "ꓐ": "b", "ꓑ": "p", "ꓒ": "d", "ꓓ": "d",
    "ꓔ": "t", "ꓖ": "g", "ꓗ": "k", "ꓙ": "j", "ꓚ": "c", "ꓜ": "z", "ꓝ": "f", "ꓟ": "m", "ꓠ": "n", "ꓡ": "l",
    "ꓢ": "s", "ꓣ": "r", "ꓦ": "v", "ꓧ": "h", "ꓪ": "w", "ꓫ": "x", "ꓬ": "y", "ꓮ": "a", "ꓰ": "e", "ꓴ": "u",
    "ꭺ": "a", "ꭼ": "e", "ꮋ": "h", "ꮖ": "i", "ꮤ": "w", "ꮷ": "d", "ꮮ": "l", "ꮪ": "s", "ꮇ": "m", "ꮁ": "r",
}  # fmt: skip

CYRILLIC: Final = "\u0400-\u052f"
_OTHER: Final = "".join(OTHER_TO_LATIN)
FOREIGN: Final = re.compile(f"[{CYRILLIC}{_OTHER}]")
_WORD: Final = re.compile(f"[a-z{CYRILLIC}{_OTHER}]+")
_LATIN_LETTER: Final = re.compile("[a-z]")
_CYRILLIC_ONLY: Final = re.compile(f"[{CYRILLIC}]")
PROPER_CYRILLIC: Final = re.compile("[бгджзийлпфцчшщъыьэюя]")
PROPER_LATIN: Final = re.compile("[dfgijlqrsuvwz]")
_LATIN_TABLE: Final = str.maketrans(CYRILLIC_TO_LATIN | OTHER_TO_LATIN)
_CYRILLIC_TABLE: Final = str.maketrans(LATIN_TO_CYRILLIC)
# Letters that look the same in lower case; only these turn a word that is Cyrillic throughout.
TWINS: Final = frozenset("асеорхуіјѕһԁѵԛԝӏ")


def undo_confusables(text: str) -> str:
    """The text (lower case) with each mixed-script word written in the one script that it imitates.

    A word that mixes scripts goes to the script of the letters that have no twin in the other one; where it
    has none, and where a word is Cyrillic throughout but made of twins alone, to the script of the message.
    Words of one script with letters of their own, and messages without Latin letters, stay as they are.
    """
    if not FOREIGN.search(text) or not _LATIN_LETTER.search(text):
        return text
    latin_message = len(PROPER_LATIN.findall(text)) > len(PROPER_CYRILLIC.findall(text))
    return _WORD.sub(lambda match: _word_in_one_script(match.group(), latin_message), text)


def _word_in_one_script(word: str, latin_message: bool) -> str:
    latin = len(_LATIN_LETTER.findall(word))
    if latin == len(word):
        return word
    if latin == 0:
        return word.translate(_LATIN_TABLE) if latin_message and TWINS.issuperset(word) else word
    cyrillic = len(_CYRILLIC_ONLY.findall(word))
    if cyrillic == 0:
        return word.translate(_LATIN_TABLE)
    proper_latin, proper_cyrillic = len(PROPER_LATIN.findall(word)), len(PROPER_CYRILLIC.findall(word))
    to_latin = proper_latin > proper_cyrillic if proper_latin != proper_cyrillic else latin_message
    return word.translate(_LATIN_TABLE) if to_latin else word.translate(_CYRILLIC_TABLE)
