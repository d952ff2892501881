"""One compiled pass over canonical texts: which known words stand in them, and whether they say anything."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

ANYWHERE, AT_WORD, WHOLE_WORD = range(3)
"""Where a pattern may begin: at any letter; where a word begins, punctuation counting as space; and the same
without that leniency, the word being the whole pattern."""

MIN_CONTENT_CHARS: Final = 12
"""Texts with fewer distinct letters, or fewer than three words outside CJK, say little by themselves."""
MIN_CONTENT_CHARS_CJK: Final = 7
MIN_CONTENT_WORDS: Final = 3

_PUNCTUATION: Final = ",.!?;:\"'()[]-*~"
_SPACE: Final = 32
_ASCII: Final = 128


class Trie(NamedTuple):
    """Patterns of all three kinds in one open-addressing table of transitions (node, code point) → node."""

    keys: NDArray[np.uint64]
    nodes: NDArray[np.int32]
    said: NDArray[np.int64]
    """Flags of the patterns that end at a node."""
    first: NDArray[np.bool_]
    """By kind and ASCII character: whether a pattern begins with it."""
    space: NDArray[np.bool_]
    """By ASCII character: whether it counts as a space."""


def build_trie(patterns: Mapping[int, Iterable[tuple[str, int]]]) -> Trie:
    """A trie of (pattern, flag) pairs by kind; the patterns of WHOLE_WORD end in a space."""
    edges: dict[tuple[int, int], int] = {}
    said = [0, 0, 0]
    first = np.zeros((3, _ASCII), dtype=np.bool_)
    for kind, entries in patterns.items():
        for pattern, flag in entries:
            if ord(pattern[0]) < _ASCII:
                first[kind, ord(pattern[0])] = True
            node = kind
            for letter in pattern:
                following = edges.setdefault((node, ord(letter)), len(said))
                if following == len(said):
                    said.append(0)
                node = following
            said[node] |= flag
    size = 1 << (4 * len(edges)).bit_length()
    keys = np.zeros(size, dtype=np.uint64)
    nodes = np.zeros(size, dtype=np.int32)
    for (node, code), following in edges.items():
        key = (node << 21 | code) + 1
        at = _slot(np.uint64(key), size)
        while keys[at]:
            at = (at + 1) & (size - 1)
        keys[at], nodes[at] = key, following
    space = np.zeros(_ASCII, dtype=np.bool_)
    space[[_SPACE, *map(ord, _PUNCTUATION)]] = True
    return Trie(keys, nodes, np.array(said, dtype=np.int64), first, space)


@numba.njit(cache=True)
def _slot(key, size):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fibonacci hashing: the high bits of a product."""
    return np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)


@numba.njit(cache=True)
def _walk(codes, at, end, kind, trie):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Flags of all patterns that begin here; a space follows the text."""
    size = trie.keys.shape[0]
    node, found = np.int64(kind), np.int64(0)
    while at <= end:
        code = np.int64(codes[at]) if at < end else np.int64(32)
        if kind == 1 and code < 128 and trie.space[code]:
            code = np.int64(32)
        key = np.uint64(((node << 21) | code) + 1)
        slot = _slot(key, size)
        while trie.keys[slot] != key:
            if trie.keys[slot] == 0:
                return found
            slot = (slot + 1) & (size - 1)
        node = np.int64(trie.nodes[slot])
        found |= trie.said[node]
        at += 1
    return found


@numba.njit(cache=True)
def scan(codes, ends, trie, low_content):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Flags of each text: those of the patterns in it, and `low_content` where it says little.

    Args:
        codes: code points of canonical texts in a row (single spaces, no line breaks).
        ends: where each text ends.
        trie: the patterns.
        low_content: flag for a text with few distinct letters or words.
    """
    flags = np.zeros(ends.shape[0], dtype=np.int64)
    words = np.empty(64, dtype=np.uint64)
    start = 0
    for text in range(ends.shape[0]):
        end = ends[text]
        found = np.int64(0)
        distinct = letters = length = 0
        cjk = np.bool_(False)
        word = np.uint64(0xCBF29CE484222325)
        fresh = lenient = np.bool_(True)
        for i in range(start, end + 1):
            code = np.int64(codes[i]) if i < end else np.int64(32)
            if code == 32:
                if length and (distinct < MIN_CONTENT_WORDS or letters < MIN_CONTENT_CHARS):
                    known = False
                    for j in range(distinct):
                        known |= words[j] == word
                    if not known:
                        words[distinct] = word
                        distinct += 1
                        letters += length
                length = 0
                word = np.uint64(0xCBF29CE484222325)
                fresh = lenient = np.bool_(True)
                continue
            length += 1
            word = (word ^ np.uint64(code)) * np.uint64(0x100000001B3)
            cjk |= 0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF
            if code >= 128 or trie.first[0, code]:
                found |= _walk(codes, i, end, 0, trie)
            if lenient and (code >= 128 or trie.first[1, code]):
                found |= _walk(codes, i, end, 1, trie)
            if fresh and (code >= 128 or trie.first[2, code]):
                found |= _walk(codes, i, end, 2, trie)
            fresh = np.bool_(False)
            lenient = code < 128 and trie.space[code]
        few = letters < MIN_CONTENT_CHARS_CJK
        if not cjk:
            few = letters < MIN_CONTENT_CHARS or distinct < MIN_CONTENT_WORDS
        flags[text] = found | (low_content if few else 0)
        start = end
    return flags
