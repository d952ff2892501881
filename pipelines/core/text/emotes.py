"""Well-known emotes and what they say: tables for plain Python and for compiled passes."""

import re
from pathlib import Path
from typing import Final

import numba
import numpy as np
import yaml
from numpy.typing import NDArray

# FNV-1a of 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
FNV_BASIS: Final = 0x811C9DC5
FNV_PRIME: Final = 0x01000193

EmoteTable = tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]


def without_tokens(canonical: str) -> str:
    """The words of a canonical text that a language can be read from: no links, mentions, emotes."""
    words = _TOKEN.sub(" ", canonical).split()
    return " ".join(word for word in words if word not in MEANINGS)


_TOKEN: Final = re.compile(r"<url>|@user|:[^\s:]+:")


def _meanings() -> dict[str, str]:
    names = _by_member("names")
    return names | {f":{name}:": meaning for name, meaning in names.items()}


def _by_member(section: str) -> dict[str, str]:
    groups = yaml.safe_load((Path(__file__).parent / "emotes.yaml").read_text("utf-8"))[section]
    return {str(member): meaning for meaning, members in groups.items() for member in members}


def _table(meanings: dict[str, str]) -> EmoteTable:
    """Names as an open-addressing table: slots, texts, where a name ends, where its meaning ends.

    Entry i is `texts[meaning_ends[i]:name_ends[i]]` and, behind it, its meaning up to `meaning_ends[i + 1]`.
    """
    slots = np.full(1 << (4 * len(meanings)).bit_length(), -1, dtype=np.int32)
    texts: list[int] = []
    name_ends, meaning_ends = [], [0]
    for index, (name, meaning) in enumerate(meanings.items()):
        place = FNV_BASIS
        for character in name:
            place = ((place ^ ord(character)) * FNV_PRIME) & 0xFFFFFFFF
        while slots[place % len(slots)] >= 0:
            place += 1
        slots[place % len(slots)] = index
        texts += map(ord, name)
        name_ends.append(len(texts))
        texts += map(ord, meaning)
        meaning_ends.append(len(texts))
    return slots, np.array(texts, np.uint32), np.array(name_ends), np.array(meaning_ends)


@numba.njit(cache=True)
def emote_index(line, start, stop, word_hash, slots, texts, name_ends, meaning_ends):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Index in an emote table of the word `line[start:stop]`, whose FNV-1a hash is given, or −1."""
    mask = slots.shape[0] - 1
    place = np.int64(word_hash) & mask
    while slots[place] >= 0:
        index = slots[place]
        name = meaning_ends[index]
        if name_ends[index] - name == stop - start:
            same = True
            for j in range(stop - start):
                same &= texts[name + j] == np.uint32(line[start + j])
            if same:
                return index
        place = (place + 1) & mask
    return -1


MEANINGS: Final = _meanings()
"""Emote (canonical word or token) → emoji and words that labelled text uses for the same."""
PARTS: Final = _by_member("endings")
"""Ending of a channel emote's name → the same."""
LONGEST_PART: Final = max(map(len, PARTS))
LONGEST_MEANING: Final = max(map(len, [*MEANINGS.values(), *PARTS.values()]))
EMOTES: Final = _table(MEANINGS)
"""MEANINGS for compiled passes."""
ENDINGS: Final = _table(PARTS)
"""PARTS for compiled passes."""
