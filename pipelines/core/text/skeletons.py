"""Phonetic skeletons: one key for the ways in which people write a word in the letters of the other script.

Russian in Latin letters: `of_cyrillic` of the word meets `of_romanised` of what was written ("shas", "wcas",
"yobanyj"). Words of Latin script in Cyrillic letters: `of_latin` meets `of_cyrillised`, letter by letter
("фуцк") or by sound ("шит"). A key is a row of phonemes in a buffer of LONGEST_KEY; the compiled functions
return its length. Where a letter is ambiguous, each bit of `variant` chooses one reading, in order; the
second number returned tells how many such letters there were.
"""

# mypy: disable-error-code="assignment"
# Numba has one type of integer where mypy sees those of Python and NumPy.

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

LONGEST_KEY: Final = 64
_SH, _CH, _ZH = 1, 2, 3
_A, _C, _E, _F, _H, _I, _J, _K, _O, _P, _Q, _S, _T, _U, _V, _W, _X, _Y, _Z = map(ord, "acefhijkopqstuvwxyz")
_END: Final = 0x530

_SOUNDS: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "\3", "з": "z", "и": "i",
    "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "\2", "ш": "\1", "щ": "\1", "ъ": "", "ы": "i", "ь": "",
    "э": "e", "ю": "iu", "я": "ia", "і": "i", "ї": "i", "є": "e", "ґ": "g", "ў": "u",
}  # fmt: skip
# Letter for letter as people type Latin words on a Cyrillic keyboard; c = q = k, w = v, x = h, y = u, j = i.
_LETTERS: Final = _SOUNDS | {
    "ж": "i", "ц": "k", "ч": "kh", "ш": "sh", "щ": "sh", "ы": "u", "ю": "iu", "я": "ia",
}  # fmt: skip
_BY_LETTER: Final = dict(zip("abcdefghijklmnopqrstuvwxyz", "abkdefghiiklmnopkrstuvvhuz", strict=True))


def _table(sounds: dict[str, str]) -> NDArray[np.uint8]:
    """Up to two phonemes of each letter; 0: none."""
    table = np.zeros((_END, 2), dtype=np.uint8)
    for letter, phonemes in sounds.items():
        table[ord(letter), : len(phonemes)] = list(map(ord, phonemes))
    return table


_CYRILLIC_SOUNDS: Final = _table(_SOUNDS)
_CYRILLIC_LETTERS: Final = _table({chr(code): chr(code) for code in range(97, 123)} | _LETTERS | _BY_LETTER)
_AS_SOUND: Final = _table({chr(code): chr(code) for code in range(97, 123)} | _SOUNDS | {"ц": "ts", "y": "i"})


@numba.njit(cache=True)
def _pushed(key, length, sound):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add a phoneme of Russian: one key for е, ье, ye, je; ц, ts; щ, сч, shch; double letters."""
    if sound == 0 or length >= LONGEST_KEY:
        return length
    last = key[length - 1] if length else 0
    if sound == _E and last == _I:
        sound, length = _E, length - 1
    elif sound == _S and last == _T:
        sound, length = _C, length - 1
    elif sound == _CH and last in (_S, _SH):
        sound, length = _SH, length - 1
    if length and key[length - 1] == sound:
        return length
    key[length] = sound
    return length + 1


@numba.njit(cache=True)
def _appended(key, length, sound):  # type: ignore[no-untyped-def]  # pragma: no cover
    if sound == 0 or length >= LONGEST_KEY or (length and key[length - 1] == sound):
        return length
    key[length] = sound
    return length + 1


@numba.njit(cache=True)
def of_cyrillic(line, start, stop, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Skeleton of a Cyrillic word."""
    length = 0
    for i in range(start, stop):
        if line[i] < _END:
            length = _pushed(key, length, _CYRILLIC_SOUNDS[line[i], 0])
            length = _pushed(key, length, _CYRILLIC_SOUNDS[line[i], 1])
    return length


@numba.njit(cache=True)
def of_romanised(line, start, stop, variant, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Skeleton of the Cyrillic word that a word in Latin letters may stand for; ambiguous letters."""
    length, ambiguous, i = 0, 0, start
    while i < stop:
        code = np.int64(line[i])
        following = np.int64(line[i + 1]) if i + 1 < stop else 0
        size, second = 1, 0
        sound = code if _A <= code <= _Z else 0
        choice = (variant >> ambiguous) & 1
        if code == _S and following == _C and i + 2 < stop and line[i + 2] == _H:
            sound, size = _SH, 3
        elif code == _S and following == _H:
            sound, size = _SH, 2
        elif code == _C and following == _H:
            sound, size = _CH, 2
        elif code == _Z and following == _H:
            sound, size = _ZH, 2
        elif code == _K and following == _H:
            sound, size = _H, 2
        elif code in (_Y, _J) and following == _O:
            sound, size = _E, 2
        elif code == _J:
            vowel = following in (_A, _E, _U)
            sound = _I if vowel == (choice == 0) else _ZH
            ambiguous += 1
        elif code == _W:
            sound = _SH if choice else _V
            ambiguous += 1
        elif code == _X:
            sound, second = (_K, _S) if choice else (_H, 0)
            ambiguous += 1
        elif code == _C:
            sound = _K if choice else _C
            ambiguous += 1
        elif code == _Y:
            sound = _I
        elif code == _Q:
            sound = _K
        length = _pushed(key, length, sound)
        length = _pushed(key, length, second)
        i += size
    return length, ambiguous


@numba.njit(cache=True)
def of_latin(line, start, stop, by_sound, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Skeleton of a word in Latin letters, letter by letter or, with `by_sound`, as it may be spoken."""
    length, i = 0, start
    while i < stop:
        code = np.int64(line[i])
        following = np.int64(line[i + 1]) if i + 1 < stop else 0
        third = np.int64(line[i + 2]) if i + 2 < stop else 0
        size, second = 1, 0
        if not by_sound:
            sound = np.int64(_CYRILLIC_LETTERS[code, 0])
        else:
            sound = code if _A <= code <= _Z else 0
            if code == _S and following == _C and third == _H:
                sound, size = _SH, 3
            elif code == _S and following == _H:
                sound, size = _SH, 2
            elif code == _T and following == _C and third == _H:
                sound, size = _CH, 3
            elif code == _C and following == _H:
                sound, size = _CH, 2
            elif code == _P and following == _H:
                sound, size = _F, 2
            elif code == _T and following == _H:
                sound, size = _T, 2
            elif code == _C:
                sound = _S if following in (_E, _I, _Y) else _K
            elif code == _Q:
                sound, second, size = _K, _V, 2 if following == _U else 1
            elif code == _X:
                sound, second = _K, _S
            elif code == _O and following == _O:
                sound, size = _U, 2
            elif code == _E and following == _E:
                sound, size = _I, 2
            elif code == _Y:
                sound = _I
            elif code == _J:
                sound = _ZH
            elif code == _W:
                sound = _V
        length = _appended(key, length, sound)
        length = _appended(key, length, second)
        i += size
    return length


@numba.njit(cache=True)
def of_cyrillised(line, start, stop, by_sound, variant, key):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Skeleton of the Latin word that a word with Cyrillic letters may stand for; ambiguous letters.

    Ambiguous are и and с: `undo_confusables` makes them of u and c in words that mix scripts.
    """
    length, ambiguous = 0, 0
    for i in range(start, stop):
        code = np.int64(line[i])
        if code >= _END:
            continue
        if by_sound:
            sound, second = np.int64(_AS_SOUND[code, 0]), np.int64(_AS_SOUND[code, 1])
        else:
            sound, second = np.int64(_CYRILLIC_LETTERS[code, 0]), np.int64(_CYRILLIC_LETTERS[code, 1])
            if code == 0x438 or code == 0x441:
                if (variant >> ambiguous) & 1:
                    sound = _U if code == 0x438 else _K
                ambiguous += 1
        length = _appended(key, length, sound)
        length = _appended(key, length, second)
    return length, ambiguous
