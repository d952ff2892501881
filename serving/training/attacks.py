"""Attacks on a text classifier: what people do to a line so that a filter does not read it and people do.

Gröndahl et al. 2018 (https://arxiv.org/abs/1808.09115) and Boucher et al. 2022
(https://arxiv.org/abs/2106.09898) describe them. Each attack is a pure
function of the text and a random generator, so that a seed gives the same lines again.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final

Attack = Callable[[str, Random], str]

_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_LATIN_TWINS: Final = str.maketrans("aceopxyiABEKMHOPCTX", "асеорхуіАВЕКМНОРСТХ")
_CYRILLIC_TWINS: Final = str.maketrans("асеорхуіАВЕКМНОРСТХ", "aceopxyiABEKMHOPCTX")
_LEET: Final = {**str.maketrans("oieasg", "013459"), **str.maketrans("оизчбв", "013468")}
_MARKS: Final = "\u0301\u0308\u0323\u0332\u0336"
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\u00ad"
# Letter-shaped emoji and enclosed letters.
_ENCLOSED: Final = {code: chr(0x1F150 + code - ord("A")) for code in range(ord("A"), ord("Z") + 1)} | {
    code: chr(0x1F170 + code - ord("a")) for code in range(ord("a"), ord("z") + 1)
}
_TO_LATIN: Final = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i",
        "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
        "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "",
        "э": "e", "ю": "yu", "я": "ya",
    }
)  # fmt: skip
_TO_CYRILLIC: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдефгхийклмнопкрстуввхуз")
_EMOTES: Final = ("Kappa", "LUL", "PogChamp", "😂", "🔥", "KEKW")


def homoglyph(text: str, random: Random) -> str:
    """Half of the letters that have a twin in the other script (Latin, Cyrillic) become it."""
    return "".join(_twin(letter) if random.random() < 0.5 else letter for letter in text)


def leet(text: str, random: Random) -> str:
    """Letters inside words become digits of the same shape, four in five of those that have one."""
    return _inside(text, lambda letter: letter.translate(_LEET) if random.random() < 0.8 else letter)


def zero_width(text: str, random: Random) -> str:
    """Invisible characters between letters."""
    return _inside(text, lambda letter: letter + random.choice(_INVISIBLE))


def spaced(text: str, random: Random) -> str:
    """Each letter of a word on its own, with one separator."""
    separator = random.choice(" .-_*")
    return _WORD.sub(lambda word: separator.join(word.group()), text)


def stretched(text: str, random: Random) -> str:
    """One letter of each word three to seven times."""

    def stretch(word: re.Match[str]) -> str:
        letters = word.group()
        at = random.randrange(len(letters))
        return letters[:at] + letters[at] * random.randint(3, 7) + letters[at + 1 :]

    return _WORD.sub(stretch, text)


def diacritics(text: str, random: Random) -> str:
    """Combining marks on half of the letters."""
    return _inside(text, lambda letter: letter + random.choice(_MARKS) if random.random() < 0.5 else letter)


def letter_for_emote(text: str, random: Random) -> str:
    """Latin letters inside words become emoji of letters, one in three."""
    return _inside(text, lambda letter: letter.translate(_ENCLOSED) if random.random() < 0.33 else letter)


def transliteration(text: str, random: Random) -> str:
    """Cyrillic words in Latin letters and the other way round."""
    cyrillic = any("а" <= letter <= "я" for letter in text.lower())
    return text.lower().translate(_TO_LATIN if cyrillic else _TO_CYRILLIC)


def mixed_script(text: str, random: Random) -> str:
    """In every word one letter that has a twin in the other script becomes it."""

    def mix(word: re.Match[str]) -> str:
        letters = word.group()
        places = [at for at, letter in enumerate(letters) if _twin(letter) != letter]
        if not places:
            return letters
        at = random.choice(places)
        return letters[:at] + _twin(letters[at]) + letters[at + 1 :]

    return _WORD.sub(mix, text)


def word_splitting(text: str, random: Random) -> str:
    """A space inside every word."""

    def split(word: re.Match[str]) -> str:
        at = random.randrange(1, len(word.group()))
        return f"{word.group()[:at]} {word.group()[at:]}"

    return _WORD.sub(split, text)


def emote_padding(text: str, random: Random) -> str:
    """As many emotes and emoji as words, before, between and behind them."""
    words = [f"{random.choice(_EMOTES)} {word}" for word in text.split()]
    return " ".join([*words, random.choice(_EMOTES)])


ATTACKS: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        homoglyph, leet, zero_width, spaced, stretched, diacritics, letter_for_emote, transliteration,
        mixed_script, word_splitting, emote_padding,
    )
}  # fmt: skip
"""The suite by name."""


def _inside(text: str, change: Callable[[str], str]) -> str:
    """Change the letters of words but for the first and the last one."""

    def word(match: re.Match[str]) -> str:
        letters = match.group()
        return letters[0] + "".join(map(change, letters[1:-1])) + letters[-1]

    return _WORD.sub(word, text)


def _twin(letter: str) -> str:
    return letter.translate(_LATIN_TWINS if letter.isascii() else _CYRILLIC_TWINS)
