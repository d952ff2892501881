"""What the model reads of canonical text: repaired words, then the line's emotes and emoji, each once.

Emotes between words would break their pairs, and in a bag many of them outweigh the words.
"""

from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.emotes import (
    EMOTES,
    ENDINGS,
    FNV_BASIS,
    FNV_PRIME,
    LONGEST_MEANING,
    LONGEST_PART,
    emote_index,
)
from pipelines.core.text.lexicon import EXACT, found, key_of, lexicon
from pipelines.core.text.ngrams import CLASSES
from pipelines.core.text.repair import repaired_words
from pipelines.core.text.skeletons import LONGEST_KEY

_MOST_EMOTES: Final = 3
"""Different emotes and emoji that are read of a line without words."""
_FEW_EMOTES: Final = 2
"""Emotes and emoji among words that are all read; of more, the first: many of them would drown the words."""
_SLOTS: Final = 256
_FEWEST_PADDED: Final = 5
_PADDING: Final = 4
"""Words of a line from which repeated unknown names count as emotes, if they are one in so many."""
_SHORTEST_NAME: Final = 3
_RARE: Final = 12.0
"""Letters of the shortest name; cost (see `lexicon`) of a word above which it may be one."""


class _Room(NamedTuple):
    """Working space for one line."""

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    words: NDArray[np.int64]
    others: NDArray[np.int64]
    back: NDArray[np.int64]
    costs: NDArray[np.float32]
    gains: NDArray[np.float32]
    best: NDArray[np.float32]
    known: NDArray[np.bool_]
    marks: NDArray[np.bool_]
    key: NDArray[np.uint8]


def model_lines(codes: NDArray[np.uint32], merged: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Code points of canonical lines, each ended by a line break, as the model reads them.

    `merged` tells of each line whether words may stand in it without a gap (see `merges_words`).
    """
    lines = len(merged)
    if not lines:
        return codes
    breaks = np.flatnonzero(codes == 10)
    longest = int(np.diff(breaks, prepend=-1).max()) + 1
    size = longest + 1
    room = _Room(
        np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64),
        np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.float32),
        np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.bool_),
        np.zeros(size, np.bool_), np.zeros(LONGEST_KEY, np.uint8),
    )  # fmt: skip
    read: NDArray[np.uint32] = _model_lines(codes, merged, longest, CLASSES, EMOTES, ENDINGS, lexicon(), room)
    return read


@numba.njit(cache=True)
def is_emoji(code):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether a character is a pictograph, an arrow or a dingbat."""
    return 0x1F000 <= code < 0x1FB00 or (
        0x2190 <= code < 0x2C00
        and (code < 0x2200 or 0x2300 <= code < 0x2400 or 0x25A0 <= code < 0x2800 or code >= 0x2900)
    )


@numba.njit(cache=True)
def _model_lines(codes, merged, longest, classes, emotes, endings, lexicon, room):  # type: ignore[no-untyped-def]  # pragma: no cover
    extra = _MOST_EMOTES * (LONGEST_MEANING + 2) + 64
    out = np.empty(3 * codes.shape[0] + extra * merged.shape[0], dtype=np.uint32)
    body = np.empty(longest + 8, dtype=np.uint32)
    kept_starts, kept_stops = np.empty(_MOST_EMOTES, np.int64), np.empty(_MOST_EMOTES, np.int64)
    kept_emotes, kept_endings = np.empty(_MOST_EMOTES, np.int64), np.empty(_MOST_EMOTES, np.int64)
    hashes, counts = np.empty(_SLOTS, np.uint32), np.empty(_SLOTS, np.int64)
    at, i = 0, 0
    for row in range(merged.shape[0]):
        length, kept, emotes_seen = 0, 0, 0
        padded = _is_padded(codes, i, lexicon, hashes, counts)
        while codes[i] != 10:
            if codes[i] == 32:
                i += 1
                continue
            start, word_hash, emoji = i, np.uint32(FNV_BASIS), False
            while codes[i] != 10 and codes[i] != 32:
                word_hash = np.uint32((word_hash ^ codes[i]) * np.uint32(FNV_PRIME))
                emoji |= is_emoji(codes[i])
                i += 1
            emote = emote_index(codes, start, i, word_hash, *emotes)
            token = i - start > 2 and codes[start] == 58 and codes[i - 1] == 58
            for j in range(start + 1, i - 1):
                token &= codes[j] != 58
            if padded and emote < 0 and not token:
                slot = word_hash % _SLOTS
                repeated = counts[slot] > 1 and hashes[slot] == word_hash
                token = repeated and _is_unknown_name(codes, start, i, lexicon)
            if emote >= 0 or token:
                emotes_seen += 1
                marked = emote < 0 and codes[start] == 58
                ending = _ending(codes, start + 1, i - 1, endings) if marked else -1
                kept = _keep(
                    codes, start, i, emote, ending, kept_starts, kept_stops, kept_emotes, kept_endings, kept
                )
                continue
            if not emoji:
                if length:
                    body[length] = 32
                    length += 1
                for j in range(start, i):
                    body[length] = codes[j]
                    length += 1
                continue
            gap = True
            for j in range(start, i):
                if is_emoji(codes[j]):
                    emotes_seen += 1
                    kept = _keep(
                        codes, j, j + 1, -1, -1, kept_starts, kept_stops, kept_emotes, kept_endings, kept
                    )
                    gap = True
                else:
                    if gap and length:
                        body[length] = 32
                        length += 1
                    gap = False
                    body[length] = codes[j]
                    length += 1
        i += 1
        begin = at
        if length and emotes_seen > _FEW_EMOTES:
            kept = min(kept, 1)
        at = repaired_words(body, length, merged[row], classes, lexicon, room, out, at)
        for k in range(kept):
            if at > begin:
                out[at] = 32
                at += 1
            for j in range(kept_starts[k], kept_stops[k]):
                out[at] = codes[j]
                at += 1
            for index, table in ((kept_emotes[k], emotes), (kept_endings[k], endings)):
                if index >= 0:
                    out[at] = 32
                    at += 1
                    for j in range(table[2][index], table[3][index + 1]):
                        out[at] = table[1][j]
                        at += 1
        out[at] = 10
        at += 1
    return out[:at].copy()


@numba.njit(cache=True)
def _is_padded(codes, start, lexicon, hashes, counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether repeated unknown names make up a good part of a line: emotes of which nothing is known.

    `counts` holds afterwards how often the word stands in the line whose hash is at the same place.
    """
    words, i, repeats = 0, start, False
    counts[:] = 0
    while codes[i] != 10:
        word_hash = np.uint32(FNV_BASIS)
        begin = i
        while codes[i] != 10 and codes[i] != 32:
            word_hash = np.uint32((word_hash ^ codes[i]) * np.uint32(FNV_PRIME))
            i += 1
        if i > begin:
            words += 1
            slot = word_hash % _SLOTS
            if counts[slot] == 0:
                hashes[slot] = word_hash
            counts[slot] += hashes[slot] == word_hash
            repeats |= counts[slot] > 1
        i += codes[i] == 32
    if not repeats or words < _FEWEST_PADDED:
        return False
    padding, i = 0, start
    while codes[i] != 10:
        word_hash = np.uint32(FNV_BASIS)
        begin = i
        while codes[i] != 10 and codes[i] != 32:
            word_hash = np.uint32((word_hash ^ codes[i]) * np.uint32(FNV_PRIME))
            i += 1
        slot = word_hash % _SLOTS
        if i > begin and counts[slot] > 1 and hashes[slot] == word_hash:
            padding += _is_unknown_name(codes, begin, i, lexicon)
        i += codes[i] == 32
    return _PADDING * padding >= words


@numba.njit(cache=True)
def _is_unknown_name(codes, start, stop, lexicon):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether a word may be the name of an emote: ASCII letters and digits that no lexicon knows well."""
    if stop - start < _SHORTEST_NAME:
        return False
    for i in range(start, stop):
        if not (97 <= codes[i] <= 122 or 48 <= codes[i] <= 57 or codes[i] == 95):
            return False
    word = found(lexicon.word_keys, lexicon.word_values, key_of(codes, start, stop, EXACT))
    return word < 0 or lexicon.costs[word] > _RARE


@numba.njit(cache=True)
def _keep(codes, start, stop, emote, ending, starts, stops, emotes, endings, kept):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Keep an emote unless it is kept already or enough are; the number of those kept."""
    if kept == _MOST_EMOTES:
        return kept
    for k in range(kept):
        if stops[k] - starts[k] == stop - start:
            same = True
            for j in range(stop - start):
                same &= codes[starts[k] + j] == codes[start + j]
            if same:
                return kept
    starts[kept], stops[kept], emotes[kept], endings[kept] = start, stop, emote, ending
    return kept + 1


@numba.njit(cache=True)
def _ending(codes, start, stop, table):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Index of the longest known ending of the name of a channel's own emote, or −1."""
    for length in range(min(LONGEST_PART, stop - start), 1, -1):
        word_hash = np.uint32(FNV_BASIS)
        for j in range(stop - length, stop):
            word_hash = np.uint32((word_hash ^ codes[j]) * np.uint32(FNV_PRIME))
        index = emote_index(codes, stop - length, stop, word_hash, *table)
        if index >= 0:
            return index
    return -1
