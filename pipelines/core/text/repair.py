"""Undo in canonical text what only a vocabulary can undo: stretched, split and merged words, transliteration.

A line is read as words drawn from the lexicon by their frequency (a unigram model, Norvig 2009, "Natural
language corpus data"); an unknown word costs by its letters. Another reading of a stretch of words replaces
the written one where it is likelier by more than a prior: people seldom split words or write in the other
script. Costs are minus the natural logarithm of a probability. All functions are compiled; time is linear in
the length of the line.
"""

from typing import Final

import numba
import numpy as np

from pipelines.core.text.lexicon import (
    CYRILLIC_SOUND,
    EXACT,
    LATIN_LETTERS,
    LATIN_SOUND,
    LONGEST_WORD,
    found,
    key_of,
    key_step,
    squeezed_key,
)
from pipelines.core.text.pieces import joining, pieces
from pipelines.core.text.skeletons import of_cyrillised, of_romanised

_UNKNOWN: Final = 3.5
_UNKNOWN_LETTER: Final = 2.6
"""Cost of a word that is not in the lexicon, and of each of its letters."""
_STRETCH: Final = 2.5
_JOIN: Final = 0.7
_SPLIT: Final = 0.5
_OTHER_READING: Final = 0.7
"""Cost of a doubled letter too many, a gap inside a word, a missing gap, an unusual reading of a letter."""
_PRIOR_STRETCH: Final = 6.0
_PRIOR_JOIN: Final = 7.0
_PRIOR_SPLIT: Final = 3.0
_PRIOR_SCRIPT: Final = 10.0
_PRIOR_FEW: Final = 6.0
"""What another reading must gain before it is believed."""
_WEAK: Final = 9.0
"""Cost from which a known word may be a piece of another one."""
_SPLIT_LETTERS: Final = 7
_RARE_STRETCH: Final = 5
_MOST_VARIANTS: Final = 4

_UNRESOLVED: Final = -1


@numba.njit(cache=True)
def _unknown(length):  # type: ignore[no-untyped-def]  # pragma: no cover
    return np.float32(_UNKNOWN + _UNKNOWN_LETTER * length)


@numba.njit(cache=True, inline="always")
def _copied(letters, start, stop, out, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Copy a stretch of code points behind `out[:at]`; the place behind it."""
    for j in range(start, stop):
        out[at + j - start] = letters[j]
    return at + stop - start


@numba.njit(cache=True)
def _shortens(body, start, stop, letters, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether the known word comes from the written one by shortening runs alone."""
    j = first
    i = start
    while i < stop:
        run = 1
        while i + run < stop and body[i + run] == body[i]:
            run += 1
        known = 0
        while j + known < last and letters[j + known] == body[i]:
            known += 1
        if known > run:
            return False
        j += known
        i += run
    return j == last


@numba.njit(cache=True)
def _unstretched(body, start, stop, known, lexicon):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The known word of which letters were doubled to get this one, or `known` (its own word or −1)."""
    doubled = False
    for i in range(start + 1, stop):
        doubled |= body[i] == body[i - 1]
    if not doubled:
        return known
    letters, ends, costs = lexicon.letters, lexicon.ends, lexicon.costs
    word = found(lexicon.other_keys, lexicon.other_values, squeezed_key(body, start, stop))
    if word < 0 or word == known or not _shortens(body, start, stop, letters, ends[word], ends[word + 1]):
        return known
    if known < 0:
        return word
    rare = stop - start >= _RARE_STRETCH and costs[known] - costs[word] > _PRIOR_STRETCH
    return word if rare else known


@numba.njit(cache=True)
def _in_other_script(body, start, stop, lexicon, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The likeliest word of the other script that this one may stand for (−1: none), and its cost."""
    best, best_cost = -1, np.float32(1e9)
    latin = True
    for i in range(start, stop):
        latin &= body[i] < 128
    kinds = 1 if latin else 2
    for kind in range(kinds):
        variant, variants = 0, 1
        while variant < variants:
            if latin:
                length, ambiguous = of_romanised(body, start, stop, variant, key)
                state = key_of(key, 0, length, CYRILLIC_SOUND)
            elif kind == 0:
                length, ambiguous = of_cyrillised(body, start, stop, False, variant, key)
                state = key_of(key, 0, length, LATIN_LETTERS)
            else:
                length, ambiguous = of_cyrillised(body, start, stop, True, variant, key)
                state = key_of(key, 0, length, LATIN_SOUND)
            variants = 1 << min(ambiguous, _MOST_VARIANTS)
            word = found(lexicon.other_keys, lexicon.other_values, state) if length else -1
            if word >= 0 and lexicon.ends[word + 1] - lexicon.ends[word] <= 2 * (stop - start) + 1:
                cost = lexicon.costs[word]
                bits = variant
                while bits:
                    cost += np.float32(_OTHER_READING)
                    bits &= bits - 1
                if cost < best_cost:
                    best, best_cost = word, cost
            variant += 1
    return best, best_cost


@numba.njit(cache=True)
def repaired_words(body, length, merged, classes, lexicon, room, out, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write `body[:length]`, one canonical line, with its words repaired; where the output ends."""
    starts, stops, words, costs = room.starts, room.stops, room.words, room.costs
    count = pieces(body, length, classes, starts, stops)
    weak, letters = False, 0
    for i in range(count):
        start, stop = starts[i], stops[i]
        letters = letters + 1 if stop - start == 1 else 0
        word = -1
        if stop - start <= LONGEST_WORD:
            word = found(lexicon.word_keys, lexicon.word_values, key_of(body, start, stop, EXACT))
        resolved = word
        if word < 0 or lexicon.costs[word] > _WEAK:
            resolved = _unstretched(body, start, stop, word, lexicon)
        cost = _unknown(stop - start)
        if resolved >= 0:
            cost = lexicon.costs[resolved]
            if resolved != word:
                cost = min(cost + np.float32(_STRETCH), _unknown(stop - start))
        words[i] = resolved if resolved != word else _UNRESOLVED
        costs[i] = cost
        room.known[i] = resolved >= 0
        weak |= cost > _WEAK or letters == 3
    if not weak:
        return _written(body, length, count, merged, lexicon, room, out, at)
    gain, first, last = _best_stretch(body, count, lexicon, room)
    joined = _joined(body, count, lexicon, room, False)
    if joined > _PRIOR_JOIN and _mostly_joined(count, room):
        joined = _joined(body, count, lexicon, room, True)
    if gain > _PRIOR_SCRIPT and gain > joined:
        for i in range(first, last):
            if room.others[i] >= 0:
                words[i] = room.others[i]
        for i in range(count + 1):
            room.back[i] = i - 1
    elif joined <= _PRIOR_JOIN:
        for i in range(count + 1):
            room.back[i] = i - 1
    else:
        return _written_joined(body, length, count, lexicon, room, out, at)
    return _written(body, length, count, merged, lexicon, room, out, at)


@numba.njit(cache=True)
def _best_stretch(body, count, lexicon, room):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The neighbouring words that gain most by being read in the other script (Kadane's algorithm)."""
    possible = np.float32(0)
    for i in range(count):
        room.gains[i] = 0
        room.others[i] = -1
        if room.costs[i] > _WEAK:
            possible += _gain(body, i, lexicon, room)
    if possible <= _PRIOR_SCRIPT / 2:
        return np.float32(0), 0, 0
    best, first, last = np.float32(0), 0, 0
    total, begin = np.float32(0), 0
    letters = 0
    for i in range(count):
        if room.costs[i] <= _WEAK:
            _gain(body, i, lexicon, room)
        letters += room.stops[i] - room.starts[i]
        total += room.gains[i]
        if total > best:
            best, first, last = total, begin, i + 1
        if total <= 0:
            total, begin = np.float32(0), i + 1
    for i in range(first, last):
        letters -= 2 * (room.stops[i] - room.starts[i])
    return best - np.float32(_PRIOR_FEW if letters > 0 else 0), first, last


@numba.njit(cache=True)
def _gain(body, i, lexicon, room):  # type: ignore[no-untyped-def]  # pragma: no cover
    """What one word gains by being read in the other script; at least 0 for the sum of possible gains."""
    word, cost = _in_other_script(body, room.starts[i], room.stops[i], lexicon, room.key)
    room.others[i] = word
    room.gains[i] = room.costs[i] - min(cost, _unknown(room.stops[i] - room.starts[i]))
    return max(room.gains[i], np.float32(0))


@numba.njit(cache=True)
def _mostly_joined(count, room):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether at least half of the pieces were joined with another one."""
    joined, i = 0, count
    while i > 0:
        joined += i - room.back[i] if i - room.back[i] > 1 else 0
        i = room.back[i]
    return 2 * joined >= count


@numba.njit(cache=True)
def _joined(body, count, lexicon, room, unknown_too):  # type: ignore[no-untyped-def]  # pragma: no cover
    """What the best joins of neighbouring pieces gain; `room.back` tells where each word then begins."""
    best, back = room.best, room.back
    starts, stops, costs = room.starts, room.stops, room.costs
    written = np.float32(0)
    best[0] = 0
    for i in range(1, count + 1):
        best[i] = np.float32(1e9)
    next_weak = -1
    for i in range(count):
        written += costs[i]
        if best[i] + costs[i] < best[i + 1]:
            best[i + 1], back[i + 1] = best[i] + costs[i], i
        if next_weak < i:
            next_weak = i
            while next_weak < count and costs[next_weak] <= _WEAK:
                next_weak += 1
        # Frequent words stay apart unless a piece that is none stands among them.
        far = next_weak == count or starts[next_weak] - starts[i] > 2 * LONGEST_WORD
        if far and not unknown_too and stops[i] - starts[i] > 1:
            continue
        state = np.uint64(EXACT)
        size, gaps, spaces, single = 0, np.float32(0), True, True
        for k in range(i, count):
            if k > i:
                gap = starts[k] - stops[k - 1]
                short = stops[k] - starts[k] <= 2 and stops[k - 1] - starts[k - 1] <= 2
                if gap != 1 and not (gap <= 3 and short):
                    break
                joins = True
                for j in range(stops[k - 1], starts[k]):
                    joins &= joining(body[j])
                    spaces &= body[j] == 32
                if not joins:
                    break
                gaps += np.float32(_JOIN)
            size += stops[k] - starts[k]
            single &= stops[k] - starts[k] == 1
            if size > LONGEST_WORD:
                break
            for j in range(starts[k], stops[k]):
                state = key_step(state, body[j])
            if k == i or (single and k == i + 1):  # two letters: an abbreviation
                continue
            word = found(lexicon.word_keys, lexicon.word_values, state)
            if word >= 0:
                cost = lexicon.costs[word] + gaps + np.float32(0 if spaces or single else _JOIN)
            elif unknown_too and k == i + 1 and not (room.known[i] and room.known[k]):
                cost = _unknown(size) + gaps
            else:
                continue
            if best[i] + cost < best[k + 1]:
                best[k + 1], back[k + 1] = best[i] + cost, i
    return written - best[count]


@numba.njit(cache=True)
def _written(body, length, count, merged, lexicon, room, out, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the body with the words that were found for its pieces; merged words are taken apart."""
    done = 0
    for i in range(count):
        at = _copied(body, done, room.starts[i], out, at)
        done = room.stops[i]
        word = room.words[i]
        if word >= 0:
            at = _copied(lexicon.letters, lexicon.ends[word], lexicon.ends[word + 1], out, at)
        elif (
            not room.known[i]
            and done - room.starts[i] >= _SPLIT_LETTERS
            and (merged or (room.starts[i] and body[room.starts[i] - 1] == 35))
        ):
            at = _taken_apart(body, room.starts[i], done, lexicon, room, out, at)
        else:
            at = _copied(body, room.starts[i], done, out, at)
    return _copied(body, done, length, out, at)


@numba.njit(cache=True)
def _written_joined(body, length, count, lexicon, room, out, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the body with its pieces joined as `_joined` found."""
    begins = room.others  # 1 where a word begins with the piece
    for i in range(count):
        begins[i] = 0
    i = count
    while i > 0:
        i = room.back[i]
        begins[i] = 1
    done = 0
    for i in range(count):
        if begins[i]:
            at = _copied(body, done, room.starts[i], out, at)
        done = room.stops[i]
        alone = begins[i] and (i + 1 == count or begins[i + 1])
        word = room.words[i] if alone else -1
        if word >= 0:
            at = _copied(lexicon.letters, lexicon.ends[word], lexicon.ends[word + 1], out, at)
        else:
            at = _copied(body, room.starts[i], done, out, at)
    return _copied(body, done, length, out, at)


@numba.njit(cache=True)
def _taken_apart(body, start, stop, lexicon, room, out, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write an unknown word as the known ones that stand in it without a gap, if that is likelier by far."""
    size = stop - start
    best, back = room.best, room.back
    best[0] = 0
    for i in range(1, size + 1):
        best[i] = np.float32(1e9)
    for i in range(size):
        if best[i] >= 1e9:
            continue
        state = np.uint64(EXACT)
        for k in range(i, min(size, i + LONGEST_WORD)):
            state = key_step(state, body[start + k])
            word = found(lexicon.word_keys, lexicon.word_values, state)
            if word < 0:
                continue
            letters = k + 1 - i
            cost = lexicon.costs[word] + np.float32(_SPLIT)
            if (letters == 1 and lexicon.costs[word] > 5.5) or (letters == 2 and lexicon.costs[word] > 8):
                continue
            if best[i] + cost < best[k + 1]:
                best[k + 1], back[k + 1] = best[i] + cost, i
    if _unknown(size) - best[size] <= _PRIOR_SPLIT:
        return _copied(body, start, stop, out, at)
    marks = room.marks
    for i in range(size):
        marks[i] = False
    i = size
    while i > 0:
        i = back[i]
        marks[i] = True
    for i in range(size):
        if marks[i] and i:
            out[at] = 32
            at += 1
        out[at] = body[start + i]
        at += 1
    return at
