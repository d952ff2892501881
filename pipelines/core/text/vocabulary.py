"""Which hashed features a model knows: the frequent ones of its training text, each with a row of its own.

Without it rare n-grams, most of all there are, would share the rows of frequent ones; here they are left out,
as features that stand in a single text teach nothing that holds in another.
"""

from collections.abc import Sequence
from typing import Final, Self

import numba
import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.ngrams import Bags, hashed_bags, hashed_lines

FEATURE_BITS: Final = 31
"""Feature ids are this wide: two of a million features share an id once in some thousand pairs."""


class Vocabulary:
    """Feature ids ↔ rows of a table: `keys[row]` is the id of a row's feature; ids ascend."""

    def __init__(self, keys: NDArray[np.int32]) -> None:
        """Take the ids in ascending order.

        Raises:
            ValueError: If they do not ascend strictly or one is negative.
        """
        if keys.ndim != 1 or (len(keys) and keys[0] < 0) or (np.diff(keys.astype(np.int64)) <= 0).any():
            raise ValueError("feature ids must be one ascending list of numbers from 0 on")
        self.keys = keys.astype(np.int32, copy=False)
        self._slots = _slots(self.keys, _slot_count(len(keys)))

    @classmethod
    def most_frequent(cls, bags: Bags, size: int) -> Self:
        """The `size` features that occur most often in `bags` (of `hashed_bags` with FEATURE_BITS).

        Features that occur once are left out even if there is room.
        """
        ids, counts = np.unique(np.concatenate([bags.words, bags.chars]), return_counts=True)
        repeated = counts > 1
        ids, counts = ids[repeated], counts[repeated]
        chosen = np.argsort(-counts, kind="stable")[:size]
        return cls(np.sort(ids[chosen]))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.keys)

    def bags(self, texts: Sequence[str]) -> Bags:
        """Rows of the known features of canonical texts (see `hashed_bags`)."""
        return self.rows(hashed_bags(texts, FEATURE_BITS))

    def bags_of_lines(self, codes: NDArray[np.uint32], lines: int) -> Bags:
        """`bags` of texts given as the code points of their lines, each ended by a line break."""
        return self.rows(hashed_lines(codes, lines, FEATURE_BITS))

    def rows(self, bags: Bags) -> Bags:
        """The bags with rows for ids; unknown features are left out."""
        return Bags(
            *_look_up(bags.words, bags.word_ends, self._slots),
            *_look_up(bags.chars, bags.char_ends, self._slots),
        )


def _slot_count(keys: int) -> int:
    """A power of two, so that at least half of the slots stay empty."""
    return 1 << max(4, (2 * keys - 1).bit_length())


@numba.njit(cache=True, inline="always")
def _place(key, slots):  # type: ignore[no-untyped-def]  # pragma: no cover
    # Ids are the upper bits of a good hash already, and ascend with the rows: their upper bits spread evenly.
    return np.uint64(key) * np.uint64(slots) >> np.uint64(31)


@numba.njit(cache=True)
def _slots(keys, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Open addressing, linear probing: (slots, 2) of id and row; the last slots continue at the first."""
    slots = np.full((count, 2), -1, dtype=np.int32)
    for row in range(len(keys)):
        place = _place(keys[row], count)
        while slots[place, 0] >= 0:
            place = (place + np.uint64(1)) & np.uint64(count - 1)
        slots[place, 0] = keys[row]
        slots[place, 1] = row
    return slots


@numba.njit(cache=True)
def _look_up(ids, ends, slots):  # type: ignore[no-untyped-def]  # pragma: no cover
    count = slots.shape[0]
    found = np.empty(ids.shape[0], dtype=np.int32)
    found_ends = np.zeros(ends.shape[0], dtype=np.int64)
    known = 0
    for bag in range(ends.shape[0] - 1):
        for at in range(ends[bag], ends[bag + 1]):
            place = _place(ids[at], count)
            while True:
                key = slots[place, 0]
                if key == ids[at]:
                    found[known] = slots[place, 1]
                    known += 1
                    break
                if key < 0:
                    break
                place = (place + np.uint64(1)) & np.uint64(count - 1)
        found_ends[bag + 1] = known
    return found[:known].copy(), found_ends
