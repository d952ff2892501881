"""`prepare` for whole Arrow batches: one compiled pass over the UTF-8 of lines that hold nothing unusual.

The pass gives up a line as soon as it sees what one of the steps of `normalise` could change in a way that it
does not know (addresses, named emotes, leet and spaced letters, words that mix scripts, unusual characters);
then `normalise` prepares that line. A property test holds both ways equal.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.ngrams import code_points
from pipelines.core.text.normalise import normalise
from pipelines.core.text.plain_characters import CANONICAL, KINDS, WRITTEN
from pipelines.core.text.plain_lines import FNV_BASIS, FNV_PRIME, UNREAD, merged, plain_lines
from pipelines.core.text.prepare import MAX_CODE_POINTS, MEANINGS, explain_emotes
from pipelines.core.text.reading import reading_of


class PreparedLines(NamedTuple):
    """n prepared lines: their code points, each line ended by a line break, and how each can be read."""

    codes: NDArray[np.uint32]
    readings: NDArray[np.uint8]
    """A `Reading` a line."""


def prepare_lines(texts: pa.StringArray, emotes: pa.ListArray) -> PreparedLines:
    """Prepare a column of messages; `emotes` holds the names that stand in each one, or null.

    The same as `prepare` and `reading_of` line by line, an order of magnitude sooner.
    """
    rows = len(texts)
    starts, data = _buffers(texts)
    named = _named(emotes)
    codes, ends, readings = plain_lines(
        data, starts, named, CANONICAL, WRITTEN, KINDS, *_EMOTES, _LONGEST_MEANING, MAX_CODE_POINTS
    )
    unread = np.flatnonzero(readings == UNREAD)
    if not len(unread):
        return PreparedLines(codes[: ends[rows]], readings)
    indices = pa.array(unread)
    names: list[list[str] | None] = emotes.take(indices).to_pylist()
    canonical = [
        normalise(text[:MAX_CODE_POINTS], filter(None, of_line or ()))
        for text, of_line in zip(texts.take(indices).to_pylist(), names, strict=True)
    ]
    readings[unread] = [reading_of(text) for text in canonical]
    others = code_points(explain_emotes(text) for text in canonical)
    return PreparedLines(merged(codes, ends, unread, others), readings)


def prepare_texts(texts: Sequence[str]) -> list[str]:
    """`prepare` of each text, without emotes.

    Raises:
        UnicodeEncodeError: If a text holds a lone surrogate.
    """
    column = pa.array(texts, pa.string())
    prepared = prepare_lines(column, pa.nulls(len(column), pa.list_(pa.string())))
    return prepared.codes.tobytes().decode("utf-32-le").split("\n")[:-1]


def _buffers(texts: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of a string column without nulls."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset)
    return starts, np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)


def _named(emotes: pa.ListArray) -> NDArray[np.bool_]:
    """Which lines come with emotes."""
    lengths = emotes.value_lengths()
    if lengths.null_count:
        lengths = lengths.fill_null(0)
    named: NDArray[np.bool_] = lengths.to_numpy(zero_copy_only=False) > 0
    return named


def _emote_table() -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Well-known emotes as an open-addressing table: slots, texts, where a name ends, where its meaning ends.

    Entry i is `texts[meaning_ends[i]:name_ends[i]]` and, behind it, its meaning up to `meaning_ends[i + 1]`.
    """
    slots = np.full(1 << (4 * len(MEANINGS)).bit_length(), -1, dtype=np.int32)
    texts: list[int] = []
    name_ends, meaning_ends = [], [0]
    for index, (name, meaning) in enumerate(MEANINGS.items()):
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


_EMOTES: Final = _emote_table()
_LONGEST_MEANING: Final = max(map(len, MEANINGS.values()))
