"""The canonical form of many texts at once: `normalise`, with the steps that can change nothing left out.

Most lines of chat are plain ASCII with little to undo. One compiled pass over the code points finds out which
those are; a test holds the result against `normalise` for any text.
"""

import re
from collections.abc import Sequence
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.normalise import normalise
from pipelines.core.text.obfuscation import shorten_stretched, undo_leet
from pipelines.core.text.tokens import MENTION

PLAIN, STRETCHED, LEET, ANY = range(4)
"""The first step of `normalise` that could change a text beyond case and spaces; all later ones may too."""
MENTIONS: Final = 4
"""Added where there are mentions, but no other address."""

_MENTION: Final = re.compile(r"(?<![\w@])@\w+")
"""As in `tokens`."""
_SEPARATORS: Final = "\t\n\v\f\r\x1c\x1d\x1e\x1f ._-*/|,"


def normalise_all(texts: Sequence[str]) -> list[str]:
    """`normalise` of each text, without emotes; any text, linear time."""
    if not texts:
        return []
    return [
        _finish(text, work)
        for text, work in zip(texts, _work(*code_points(texts), _SIGNS).tolist(), strict=True)
    ]


def code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All code points of some texts in a row, and where each text ends."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return codes, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def _finish(text: str, work: int) -> str:
    if work == PLAIN:
        return " ".join(text.lower().split())
    if work == ANY:
        return normalise(text)
    text = text.lower()
    if work & MENTIONS:
        text = _MENTION.sub(MENTION, text)
        work -= MENTIONS
    if work == LEET:
        text = undo_leet(text)
    if work == PLAIN:
        return " ".join(text.split())
    return " ".join(shorten_stretched(text).split())


_LETTER, _DIGIT, _LEET_SIGN, _SEPARATOR, _SPACE, _ODD = 1, 2, 4, 8, 16, 32


def _signs() -> NDArray[np.uint8]:
    """What each ASCII character is to the steps of `normalise`."""
    signs = np.zeros(128, dtype=np.uint8)
    for code in range(128):
        sign = chr(code)
        signs[code] = (
            _LETTER * sign.isalpha()
            | _DIGIT * sign.isdigit()
            | _LEET_SIGN * (sign in "0123456789@$!")
            | _SEPARATOR * (sign in _SEPARATORS)
            | _SPACE * sign.isspace()
            | _ODD * (not sign.isprintable())
        )
    return signs


_SIGNS: Final = _signs()


@numba.njit(cache=True)
def _work(codes, ends, signs):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Compiled body of `normalise_all`: the kind of work of each text, never less than it needs."""
    found = np.zeros(ends.shape[0], dtype=np.uint8)
    start = 0
    for text in range(ends.shape[0]):
        end = ends[text]
        work = 0
        same = twos = threes = 0
        signs_run = -1  # leet characters since the last letter; -1 where there was none
        mentions = 0
        beyond = start  # where the last mention ends
        for i in range(start, end):
            if i < beyond:
                continue
            code = codes[i]
            if code >= 128:
                work = 3
                break
            kind = signs[code]
            # odd characters are taken out; a dollar sign may begin a leet word
            if kind & 32 or code == 36:
                work = 3
                break
            if code == 64:
                before = codes[i - 1] if i > start else 32
                if signs[before & 127] & 7 or before == 95:
                    work = 3
                    break
                beyond = i + 1
                while beyond < end and (
                    codes[beyond] >= 128 or signs[codes[beyond]] & 3 or codes[beyond] == 95
                ):
                    if codes[beyond] >= 128:
                        work = 3
                        break
                    beyond += 1
                if work == 3 or beyond == i + 1:
                    work = 3
                    break
                mentions = 4
                same = twos = threes = 0
                signs_run = 0  # the token that takes its place ends in a letter
                continue
            if code == 46 and start < i < end - 1 and not signs[codes[i + 1] & 127] & 16:
                before = codes[i - 1]
                if signs[before & 127] & 3 or before == 95 or before == 45:
                    work = 3
                    break
            if code == 58 and i + 2 < end and codes[i + 1] == 47 and codes[i + 2] == 47:
                work = 3
                break
            letter = kind & 1
            if (
                letter
                and i - 4 >= start
                and signs[codes[i - 1] & 127] & 8
                and codes[i - 1] == codes[i - 3]
                and signs[codes[i - 2] & 127] & 1
                and signs[codes[i - 4] & 127] & 1
                and (i - 5 < start or not signs[codes[i - 5] & 127] & 3)
                and (i + 1 == end or codes[i + 1] >= 128 or not signs[codes[i + 1]] & 3)
            ):
                work = 3
                break
            if letter:
                if 1 <= signs_run <= 3:
                    work = max(work, 2)
                signs_run = 0
            elif kind & 4:
                if signs_run >= 0:
                    signs_run += 1
            else:
                signs_run = -1
            low = code | 32 if letter else code
            if i > start and low == (codes[i - 1] | 32 if letter else codes[i - 1]) and not kind & 2:
                same += 1
            else:
                same = 0
            twos = twos + 1 if letter and i - 2 >= start and low == codes[i - 2] | 32 else 0
            threes = threes + 1 if letter and i - 3 >= start and low == codes[i - 3] | 32 else 0
            if same >= 2 or twos >= 4 or threes >= 6:
                work = max(work, 1)
        found[text] = work if work == 3 else work + mentions
        start = end
    return found
