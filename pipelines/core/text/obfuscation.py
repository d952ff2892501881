"""Undo what people do to words to slip past a filter: stretched, spaced and leet letters, in linear time."""

import re
from typing import Final

_STRETCHED: Final = re.compile(r"([^\d])\1{2,}")
_SYLLABLES: Final = re.compile(r"([^\W\d_]{2,3}?)\1{2,}")
_SPACED: Final = re.compile(r"(?<![^\W_])[^\W\d_](?:(\s|[._\-*/|,])[^\W\d_])(?:\1[^\W\d_])+(?![^\W_])")
# Five neighbours or more: one such run always leaves three letters that `join_spaced` joins.
_SPACED_OUT: Final = re.compile(r"(?<!\w)[A-Za-z\u0410-\u044f](?: [A-Za-z\u0410-\u044f]){5,}(?!\w)")
_SEPARATORS: Final = re.compile(r"[\s._\-*/|,]+")
_LEET_INSIDE: Final = re.compile(r"[a-z\u0430-\u0456][0-9@$!€]{1,3}[a-z\u0430-\u0456]|(?<!\w)\$[a-z]{2}")
_LEET_WORD: Final = re.compile(r"(?<![\w@$!€])(?:[\w$€]|[@!](?=[\w$€]))+")

# Digits and signs by the letter whose shape they have; which script, the word's own letters decide.
_LATIN_LEET: Final = str.maketrans("0134567890@$!€", "oieasgtbgoasie")
_CYRILLIC_LEET: Final = str.maketrans("013468@$!", "оизчбвас" + "и")


def shorten_stretched(text: str) -> str:
    """Runs of one character (but digits) and of syllables cut to two: "soooo hahahaha" → "soo haha"."""
    return _SYLLABLES.sub(r"\1\1", _STRETCHED.sub(r"\1\1", text))


def join_spaced(text: str) -> str:
    """Three and more single letters with one kind of separator between them become a word: "i d i o t"."""
    return _SPACED.sub(lambda match: _SEPARATORS.sub("", match.group()), text)


def merges_words(text: str) -> bool:
    """Whether letters of a text as written are spaced so that `join_spaced` may merge words."""
    return _SPACED_OUT.search(text) is not None


def undo_leet(text: str) -> str:
    """Digits and signs inside words become letters: "1d10t" → "idiot"; "gr8", "win10" and "mp3" stay.

    A word is rewritten when at least one such character stands between two letters (or the word begins with
    a dollar sign), so that counts and names with a number at either end survive.
    """
    if not _LEET_INSIDE.search(text):
        return text
    return _LEET_WORD.sub(_letters, text)


def _letters(match: re.Match[str]) -> str:
    word = match.group()
    if word.isalpha() or not _LEET_INSIDE.search(word):
        return word
    cyrillic = sum("\u0430" <= letter <= "\u0456" for letter in word)
    latin = sum("a" <= letter <= "z" for letter in word)
    return word.translate(_CYRILLIC_LEET if cyrillic > latin else _LATIN_LEET)
