"""Hashed features of canonical text: a bag of words with word pairs, and a bag of character n-grams.

Bojanowski et al. 2017 (https://arxiv.org/abs/1607.04606): character n-grams of words with boundary marks;
Weinberger et al. 2009 (https://arxiv.org/abs/0902.2206): features hashed into a table of fixed size.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

SPACE, WORD, HANGUL, IDEOGRAPH, SYMBOL = range(5)

_HANGUL: Final = ((0x1100, 0x1200), (0x3130, 0x3190), (0xA960, 0xA980), (0xAC00, 0xD7FC))
# Scripts written without spaces: every character counts as a word.
_UNSPACED: Final = (
    (0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3005, 0x3008), (0x3040, 0x3130),
    (0x31A0, 0x3200), (0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x40000),
)  # fmt: skip


class Bags(NamedTuple):
    """Features of n texts: the ids of text i are `words[word_ends[i]:word_ends[i + 1]]`; likewise `chars`."""

    words: NDArray[np.int32]
    word_ends: NDArray[np.int64]
    chars: NDArray[np.int32]
    char_ends: NDArray[np.int64]


def hashed_bags(texts: Sequence[str], bits: int) -> Bags:
    """Feature ids below 2 ** bits of canonical texts (see `normalise`; none may hold a line break).

    Words and single symbols with their pairs go to one bag; character 3- to 5-grams of words with boundary
    marks, 1- to 3-grams of Hangul and of scripts without spaces, to the other.
    """
    return hashed_lines(code_points(texts), len(texts), bits)


def hashed_lines(codes: NDArray[np.uint32], lines: int, bits: int) -> Bags:
    """`hashed_bags` of texts given as the code points of their lines, each ended by a line break."""
    return Bags(*_hash_lines(codes, CLASSES, lines, bits))


def code_points(texts: Iterable[str]) -> NDArray[np.uint32]:
    """Code points of texts, each ended by a line break."""
    return np.frombuffer("".join(f"{text}\n" for text in texts).encode("utf-32-le"), dtype=np.uint32)


def _character_classes() -> NDArray[np.uint8]:
    """Class of each code point."""
    classes = np.full(0x110000, SYMBOL, dtype=np.uint8)
    for code in range(0x20000):
        if unicodedata.category(chr(code))[0] in "LNM":
            classes[code] = WORD
    for low, high in _HANGUL:
        classes[low:high] = HANGUL
    for low, high in _UNSPACED:
        classes[low:high] = IDEOGRAPH
    classes[[0x0A, 0x20]] = SPACE
    return classes


CLASSES: Final = _character_classes()


@numba.njit(cache=True, inline="always")
def _mixed(state, value):  # type: ignore[no-untyped-def]
    """One round of a multiplicative hash (Fibonacci constant of Knuth, xor-shift as in splitmix64)."""
    state = (state ^ np.uint64(value)) * np.uint64(0x9E3779B97F4A7C15)
    return state ^ (state >> np.uint64(29))


@numba.njit(cache=True)
def _hash_lines(codes, classes, lines, bits):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Compiled body of `hashed_bags`: one pass over the code points of all lines."""
    size = codes.shape[0]
    shift = np.uint64(64 - bits)
    words = np.empty(2 * size + 8, dtype=np.int32)
    chars = np.empty(4 * size + 8, dtype=np.int32)
    word_ends = np.zeros(lines + 1, dtype=np.int64)
    char_ends = np.zeros(lines + 1, dtype=np.int64)
    word_seed, pair_seed = np.uint64(0x1F3D5B79), np.uint64(0x2E4C6A81)
    begin, end = np.uint64(1), np.uint64(2)
    n_words, n_chars, line, i = 0, 0, 0, 0
    previous = np.uint64(0)
    while i < size and line < lines:
        code = codes[i]
        kind = classes[code]
        if code == 10:
            line += 1
            word_ends[line], char_ends[line] = n_words, n_chars
            previous = np.uint64(0)
            i += 1
            continue
        if kind == 0:
            i += 1
            continue
        start = i
        i += 1
        if kind == 1 or kind == 2:
            while True:
                following = classes[codes[i]]
                if following == kind:
                    i += 1
                elif (
                    kind == 1
                    and (codes[i] == 39 or codes[i] == 42)  # an apostrophe or an asterisk inside a word
                    and classes[codes[i + 1]] == 1
                ):
                    i += 2
                else:
                    break
        elif kind == 3:
            while classes[codes[i]] == 3:
                i += 1
        # Words and pairs: a run is one word, except that each character of an unspaced script is one.
        step = 1 if kind == 3 else i - start
        for at in range(start, i, step):
            word = word_seed
            for j in range(at, at + step):
                word = _mixed(word, codes[j])
            word = _mixed(word, end)
            words[n_words] = np.int32(word >> shift)
            n_words += 1
            if previous != np.uint64(0):
                words[n_words] = np.int32(_mixed(_mixed(pair_seed, previous), word) >> shift)
                n_words += 1
            previous = word
        if kind == 4:
            continue
        low, high = (3, 5) if kind == 1 else (1, 3)
        first, last = (start - 1, i + 1) if kind != 3 else (start, i)
        for at in range(first, last):
            gram = np.uint64(0x6B8B4567)
            for length in range(1, high + 1):
                j = at + length - 1
                if j >= last:
                    break
                gram = _mixed(gram, begin if j < start else (end if j >= i else np.uint64(codes[j])))
                if length < low or (length == 1 and (j < start or j >= i)):
                    continue
                chars[n_chars] = np.int32(_mixed(gram, np.uint64(length)) >> shift)
                n_chars += 1
    return words[:n_words].copy(), word_ends, chars[:n_chars].copy(), char_ends
