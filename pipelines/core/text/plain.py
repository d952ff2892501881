"""`prepare` for whole Arrow batches: one compiled pass over the UTF-8 of lines that hold nothing unusual.

The pass gives up a line as soon as it sees what one of the steps of `normalise` could change in a way that it
does not know (addresses, named emotes, leet and spaced letters, words that mix scripts, unusual characters);
then `normalise` prepares that line. A property test holds both ways equal.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.emotes import EMOTES
from pipelines.core.text.model_text import model_lines
from pipelines.core.text.ngrams import code_points
from pipelines.core.text.normalise import normalise
from pipelines.core.text.obfuscation import merges_words
from pipelines.core.text.plain_characters import CANONICAL, KINDS, WRITTEN
from pipelines.core.text.plain_lines import UNREAD, merged, plain_lines
from pipelines.core.text.prepare import MAX_CODE_POINTS
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
        data, starts, named, CANONICAL, WRITTEN, KINDS, *EMOTES, MAX_CODE_POINTS
    )
    merged_words = np.zeros(rows, np.bool_)
    unread = np.flatnonzero(readings == UNREAD)
    if not len(unread):
        return PreparedLines(model_lines(codes[: ends[rows]], merged_words), readings)
    indices = pa.array(unread)
    names: list[list[str] | None] = emotes.take(indices).to_pylist()
    written = [text[:MAX_CODE_POINTS] for text in texts.take(indices).to_pylist()]
    canonical = [
        normalise(text, filter(None, of_line or ())) for text, of_line in zip(written, names, strict=True)
    ]
    merged_words[unread] = [merges_words(text) for text in written]
    readings[unread] = [reading_of(text) for text in canonical]
    lines = merged(codes, ends, unread, code_points(canonical))
    return PreparedLines(model_lines(lines, merged_words), readings)


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
