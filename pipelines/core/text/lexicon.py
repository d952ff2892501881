"""Frequent words of Latin and Cyrillic script, with how often labelled texts use them.

The file is written by `python -m serving.training.lexicon`.
"""

import lzma
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.skeletons import LONGEST_KEY, of_cyrillic, of_latin

PATH: Final = Path(__file__).parent / "lexicon.txt.xz"
LEVELS_PER_NAT: Final = 2
"""Steps of a word's level for a factor e of its frequency."""
LONGEST_WORD: Final = 24
"""Letters of the longest word that the lexicon takes."""

EXACT, SQUEEZED, CYRILLIC_SOUND, LATIN_LETTERS, LATIN_SOUND = 0x1505, 0x2F0B, 0x3C6F, 0x4D25, 0x5E8D
"""What a key is made of: the word, the word without double letters, or one of its phonetic skeletons."""
_PRIME: Final = 0x100000001B3


class Lexicon(NamedTuple):
    """n words, the most frequent first; the letters of word i are `letters[ends[i]:ends[i + 1]]`."""

    letters: NDArray[np.uint32]
    ends: NDArray[np.int64]
    costs: NDArray[np.float32]
    """Minus the logarithm of a word's share among the words of its script."""
    word_keys: NDArray[np.uint64]
    word_values: NDArray[np.int32]
    """Open-addressing table of the words."""
    other_keys: NDArray[np.uint64]
    other_values: NDArray[np.int32]
    """The same of all other keys; of several words with one key it holds the most frequent."""


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon; read and indexed at the first call."""
    return lexicon_of(lzma.decompress(PATH.read_bytes()).decode())


def lexicon_of(text: str) -> Lexicon:
    """The lexicon of lines that hold a level and its words each, the highest level first."""
    words: list[str] = []
    levels: list[int] = []
    for line in text.splitlines():
        level, *of_level = line.split(" ")
        words += of_level
        levels += [int(level)] * len(of_level)
    counts = np.exp(np.array(levels, dtype=np.float64) / LEVELS_PER_NAT)
    cyrillic = np.array([word[0] >= "\u0400" for word in words], dtype=np.bool_)
    costs = np.zeros(len(words), dtype=np.float32)
    for script in filter(np.any, (cyrillic, ~cyrillic)):
        costs[script] = np.log(counts[script].sum()) - np.log(counts[script])
    letters = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
    ends = np.concatenate([[0], np.cumsum(np.fromiter(map(len, words), np.int64, len(words)))])
    return Lexicon(letters, ends, costs, *_indexed(letters, ends, cyrillic))


@numba.njit(cache=True)
def key_step(state, value):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One step of the 64-bit hash of a key (FNV-1a)."""
    return (state ^ np.uint64(value)) * np.uint64(_PRIME)


@numba.njit(cache=True)
def key_of(line, start, stop, kind):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Hash of the key `line[start:stop]` of some kind."""
    state = np.uint64(kind)
    for i in range(start, stop):
        state = key_step(state, line[i])
    return state


@numba.njit(cache=True)
def squeezed_key(line, start, stop):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Hash of a word whose runs of equal letters are cut to one."""
    state = np.uint64(SQUEEZED)
    for i in range(start, stop):
        if i == start or line[i] != line[i - 1]:
            state = key_step(state, line[i])
    return state


@numba.njit(cache=True)
def found(keys, values, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The word of a key, or −1."""
    mask = np.uint64(keys.shape[0] - 1)
    place = (key ^ (key >> np.uint64(29))) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return values[place]
        place = (place + np.uint64(1)) & mask
    return -1


@numba.njit(cache=True)
def _added(keys, values, key, value):  # type: ignore[no-untyped-def]  # pragma: no cover
    mask = np.uint64(keys.shape[0] - 1)
    place = (key ^ (key >> np.uint64(29))) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return
        place = (place + np.uint64(1)) & mask
    keys[place], values[place] = key, value


@numba.njit(cache=True)
def _indexed(letters, ends, cyrillic):  # type: ignore[no-untyped-def]  # pragma: no cover
    words = cyrillic.shape[0]
    size = 16
    while size < 2 * words:
        size *= 2
    keys, values = np.zeros(size, dtype=np.uint64), np.zeros(size, dtype=np.int32)
    others, other_values = np.zeros(2 * size, dtype=np.uint64), np.zeros(2 * size, dtype=np.int32)
    buffer = np.zeros(LONGEST_KEY, dtype=np.uint8)
    for word in range(words):
        start, stop = ends[word], ends[word + 1]
        _added(keys, values, key_of(letters, start, stop, EXACT), word)
        _added(others, other_values, squeezed_key(letters, start, stop), word)
        if cyrillic[word]:
            length = of_cyrillic(letters, start, stop, buffer)
            _added(others, other_values, key_of(buffer, 0, length, CYRILLIC_SOUND), word)
        else:
            length = of_latin(letters, start, stop, False, buffer)
            _added(others, other_values, key_of(buffer, 0, length, LATIN_LETTERS), word)
            length = of_latin(letters, start, stop, True, buffer)
            _added(others, other_values, key_of(buffer, 0, length, LATIN_SOUND), word)
    return keys, values, others, other_values
