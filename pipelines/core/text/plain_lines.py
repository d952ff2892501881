"""The compiled passes of `plain`: UTF-8 in, canonical code points out, and a `Reading` a line."""

from typing import Final

import numba
import numpy as np

from pipelines.core.text.emotes import FNV_BASIS, FNV_PRIME, emote_index
from pipelines.core.text.plain_characters import (
    ALPHA,
    DIGIT,
    DROPPED,
    IS_FOREIGN,
    IS_KANA,
    IS_PROPER_CYRILLIC,
    IS_PROPER_LATIN,
    IS_READ,
    IS_TWIN,
    LATIN,
    LEET,
    LEET_LETTER,
    LETTER,
    NON_ASCII,
    NON_STARTER,
    SEPARATOR,
    SPACE,
    UNPLAIN,
    WORD,
)
from pipelines.core.text.reading import SHORT_LETTERS, Reading
from pipelines.core.text.tokens import MENTION

UNREAD: Final = 255
"""Stands for the reading of a line that is not plain."""

_USER: Final = tuple(map(ord, MENTION[1:]))
_NOTHING, _NO_LETTERS, _SHORT, _LONG, _JAPANESE, _OTHER = map(int, Reading)


@numba.njit(cache=True)
def plain_lines(  # type: ignore[no-untyped-def]  # pragma: no cover
    data, starts, named, canonical, written, kinds, slots, texts, name_ends, meaning_ends, most
):
    """Canonical code points of the plain lines, where each line ends, and its reading (UNREAD: not plain)."""
    rows = starts.shape[0] - 1
    out = np.empty(2 * (starts[rows] - starts[0]) + rows, dtype=np.uint32)
    ends = np.zeros(rows + 1, dtype=np.int64)
    readings = np.full(rows, UNREAD, dtype=np.uint8)
    room = 3 * most + 8
    line, cut = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    for row in range(rows):
        ends[row + 1] = ends[row]
        if named[row]:
            continue
        length, ascii_only = _decoded(data, starts[row], starts[row + 1], canonical, written, most, line)
        if length < 0:
            continue
        if not ascii_only and not _keeps_scripts(line, length, kinds):
            continue
        length = _marked(line, length, kinds, cut)
        if length < 0 or not _is_plain(line, length, kinds):
            continue
        length = _shortened(line, length, kinds, cut)
        at, reading = _words(
            line, length, kinds, slots, texts, name_ends, meaning_ends, out, ends[row], rows - row - 1,
        )  # fmt: skip
        if at >= 0:
            ends[row + 1], readings[row] = at, reading
    return out, ends, readings


@numba.njit(cache=True)
def _decoded(data, start, stop, canonical, written, most, line):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the canonical characters of a UTF-8 line; their number (−1: not plain), and whether all ASCII."""
    length, points, at = 0, 0, start
    flags, was_non_starter, backtick = 0, False, False
    while at < stop and points < most:
        code = np.int32(data[at])
        if code < 0x80:
            size = 1
        elif code < 0xC2:
            return -1, False
        elif code < 0xE0:
            size, code = 2, code & 0x1F
        elif code < 0xF0:
            size, code = 3, code & 0x0F
        else:
            size, code = 4, code & 0x07
        if at + size > stop:
            return -1, False
        for place in range(at + 1, at + size):
            code = (code << 6) | (np.int32(data[place]) & 0x3F)
        at += size
        points += 1
        if 0xE0000 <= code < 0xE1000:  # tags: invisible, appended by chat clients to repeat a line
            continue
        if code >= canonical.shape[0]:
            return -1, False
        to = canonical[code]
        if code == 0x2026:  # an ellipsis is three full stops to NFKC
            line[length : length + 2] = 46
            length, to = length + 2, 46
        if to == UNPLAIN:
            return -1, False
        flags |= written[code] & NON_ASCII
        if to == DROPPED:
            continue
        non_starter = written[code] & NON_STARTER != 0
        if non_starter and was_non_starter:
            return -1, False
        was_non_starter = non_starter
        backtick |= to == 96
        line[length] = to
        length += 1
    if backtick and flags:
        return -1, False
    return length, flags == 0


@numba.njit(cache=True)
def _keeps_scripts(line, length, kinds):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether `undo_confusables` has nothing to do; errs towards no."""
    latin, foreign, twins, twin_word = False, False, True, False
    proper_latin, proper_cyrillic = 0, 0
    for i in range(length + 1):
        kind = kinds[line[i]] if i < length else 0
        if kind & (LATIN | IS_FOREIGN):
            latin |= kind & LATIN != 0
            foreign |= kind & IS_FOREIGN != 0
            twins &= kind & IS_TWIN != 0
            proper_latin += kind & IS_PROPER_LATIN != 0
            proper_cyrillic += kind & IS_PROPER_CYRILLIC != 0
            continue
        if latin and foreign:
            return False
        twin_word |= foreign and twins
        latin, foreign, twins = False, False, True
    return not twin_word or proper_latin <= proper_cyrillic


@numba.njit(cache=True)
def _marked(line, length, kinds, marked):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Mentions become `@user`, in place; the new length (−1: no room)."""
    at = 0
    while at < length and line[at] != 64:
        at += 1
    if at == length:
        return length
    line[length] = 32
    kept, previous, i = 0, 32, 0
    while i < length:
        code = line[i]
        if kept + 8 > marked.shape[0]:
            return -1
        marked[kept] = code
        kept += 1
        i += 1
        if code == 64 and not kinds[previous] & WORD and previous != 64 and kinds[line[i]] & WORD:
            for letter in _USER:
                marked[kept] = letter
                kept += 1
            while kinds[line[i]] & WORD:
                i += 1
        previous = line[i - 1]
    if kept + 8 > line.shape[0]:
        return -1
    line[:kept] = marked[:kept]
    return kept


@numba.njit(cache=True)
def _is_plain(line, length, kinds):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether no step of `normalise` but shortening has anything to do; errs towards no."""
    line[length : length + 5] = 32
    leet, colon, before = 0, -9, 0
    for i in range(length):
        code, kind = line[i], kinds[line[i]]
        following = line[i + 1]
        if code == 46 and i > 0:  # a full stop inside what may be an address
            previous = line[i - 1]
            if (kinds[previous] & WORD or previous == 45) and kinds[following] & WORD:
                return False
            if previous == 119 and i > 2 and line[i - 2] == 119 and not kinds[following] & SPACE:
                return False
        if code == 58:  # :// and :emote:
            if following == 47 or (i - colon > 1 and colon >= 0):
                return False
            colon = i
        elif kind & SPACE:
            colon = -9
        if code == 60 and following == 117:  # <url> as typed
            return False
        if code == 36 and kinds[following] & LATIN and kinds[line[i + 2]] & LATIN:  # $ for s
            return False
        if kind & LEET:
            leet += 1
        else:
            if 1 <= leet <= 3 and before & LEET_LETTER and kind & LEET_LETTER:
                return False
            leet, before = 0, kind
        if (  # three single letters with one kind of separator between them
            kind & LETTER and i >= 4 and line[i - 1] == line[i - 3] and kinds[line[i - 1]] & SEPARATOR
            and kinds[line[i - 2]] & LETTER and kinds[line[i - 4]] & LETTER
            and (not kinds[following] & WORD or following == 95)
            and (i == 4 or not kinds[line[i - 5]] & WORD or line[i - 5] == 95)
        ):  # fmt: skip
            return False
    return True


@numba.njit(cache=True)
def _shortened(line, length, kinds, cut):  # type: ignore[no-untyped-def]  # pragma: no cover
    """`shorten_stretched` in place; the new length."""
    kept = 0
    for i in range(length):
        code = line[i]
        stretched = kept >= 2 and cut[kept - 1] == code and cut[kept - 2] == code
        if not stretched or kinds[code] & DIGIT:
            cut[kept] = code
            kept += 1
    cut[kept : kept + 8] = 32
    length, i = 0, 0
    while i < kept:
        size = 0
        for unit in (2, 3):
            if i + 3 * unit <= kept and size == 0:
                size = unit
                for j in range(i, i + unit):
                    if not kinds[cut[j]] & LETTER or cut[j] != cut[j + unit] or cut[j] != cut[j + 2 * unit]:
                        size = 0
                        break
        if size == 0:
            line[length] = cut[i]
            length += 1
            i += 1
            continue
        for j in range(i, i + 2 * size):
            line[length] = cut[j]
            length += 1
        i += 3 * size
        while i + size <= kept:
            same = True
            for j in range(i, i + size):
                same &= cut[j] == cut[j - size]
            if not same:
                break
            i += size
    return length


@numba.njit(cache=True)
def _words(  # type: ignore[no-untyped-def]  # pragma: no cover
    line, length, kinds, slots, texts, name_ends, meaning_ends, out, begin, reserve
):
    """Write the words and a line break; where they end (−1: no room), reading."""
    at, i = begin, 0
    alpha, letters, kana, read, seen, ascii_only = 0, 0, 0, 0, False, True
    limit = out.shape[0] - reserve
    while i < length:
        if kinds[line[i]] & SPACE:
            i += 1
            continue
        start, word_hash = i, np.uint32(FNV_BASIS)
        while i < length and not kinds[line[i]] & SPACE:
            word_hash = np.uint32((word_hash ^ np.uint32(line[i])) * np.uint32(FNV_PRIME))
            i += 1
        if at + i - start + 3 > limit:
            return -1, 0
        if at > begin:
            out[at] = 32
            at += 1
        for j in range(start, i):
            out[at] = line[j]
            at += 1
        emote = emote_index(line, start, i, word_hash, slots, texts, name_ends, meaning_ends)
        mention = _mention(line, start, i)
        if mention < 0:
            return -1, 0
        start += mention
        seen |= i > start
        if emote >= 0:
            continue
        for j in range(start, i):
            kind = kinds[line[j]]
            alpha += kind & ALPHA != 0
            letters += kind & LETTER != 0
            kana += kind & IS_KANA != 0
            read += kind & IS_READ != 0
            ascii_only &= line[j] < 128
    if at >= limit:
        return -1, 0
    out[at] = 10
    if not seen:
        return at + 1, _NOTHING
    if ascii_only:
        return at + 1, _NO_LETTERS if alpha == 0 else (_SHORT if alpha < SHORT_LETTERS else _LONG)
    if letters == 0:
        return at + 1, _NO_LETTERS
    if kana > 0.1 * letters:
        return at + 1, _JAPANESE
    return at + 1, _LONG if 2 * read >= letters else _OTHER


@numba.njit(cache=True)
def _mention(line, start, stop):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Code points of the mention that a word begins with; −1: one stands inside the word."""
    for at in range(start, stop - 4):
        if line[at] == 64:
            if at > start or stop - start > 6:
                return -1
            for j in range(4):
                if line[start + 1 + j] != _USER[j]:
                    return -1
            return 5
    return 0


@numba.njit(cache=True)
def merged(codes, ends, unread, others):  # type: ignore[no-untyped-def]  # pragma: no cover
    """All lines in order: those of `codes`, and in the places of `unread` the lines of `others`."""
    rows = ends.shape[0] - 1
    out = np.empty(ends[rows] + others.shape[0], dtype=np.uint32)
    at, other, turn = 0, 0, 0
    for row in range(rows):
        if turn < unread.shape[0] and unread[turn] == row:
            turn += 1
            while others[other] != 10:
                out[at] = others[other]
                at += 1
                other += 1
            out[at] = 10
            at += 1
            other += 1
            continue
        for j in range(ends[row], ends[row + 1]):
            out[at] = codes[j]
            at += 1
    return out
