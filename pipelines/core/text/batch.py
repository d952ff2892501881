"""The canonical form of many texts at once: `normalise`, most of it in one compiled pass.

Most lines of chat hold nothing that `normalise` must look at twice, in any script (see `plain_lines`); a test
holds the result against `normalise` for any text.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.normalise import normalise
from pipelines.core.text.plain_characters import CANONICAL, KINDS, WRITTEN
from pipelines.core.text.plain_lines import UNREAD, plain_lines

_MOST: Final = 2_000
"""Bytes of a text up to which the compiled pass takes it; longer ones are normalised by themselves."""
_NO_EMOTES: Final = (
    np.full(1, -1, np.int32),
    np.zeros(0, np.uint32),
    np.zeros(0, np.int64),
    np.zeros(1, np.int64),
)


class CanonicalTexts(NamedTuple):
    """n texts in their canonical form."""

    texts: list[str]
    plain: list[bool]
    """Where nothing was undone but case, marks, invisible characters, stretched letters and mentions."""


def normalise_all(texts: Sequence[str]) -> CanonicalTexts:
    """`normalise` of each text, without emotes; any text, linear time."""
    if not texts:
        return CanonicalTexts([], [])
    try:
        column = pa.array(texts, pa.string())
    except UnicodeEncodeError:  # a lone surrogate
        return CanonicalTexts([normalise(text) for text in texts], [False] * len(texts))
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int32, len(texts) + 1)
    size = int(starts[-1])
    written = np.frombuffer(data, np.uint8, size) if size else np.zeros(0, np.uint8)
    long = np.diff(starts) > _MOST
    codes, ends, readings = plain_lines(written, starts, long, CANONICAL, WRITTEN, KINDS, *_NO_EMOTES, _MOST)
    plain = (readings != UNREAD).tolist()
    found = iter(codes[: ends[-1]].tobytes().decode("utf-32-le").split("\n"))
    return CanonicalTexts(
        [next(found) if is_plain else normalise(text) for text, is_plain in zip(texts, plain, strict=True)],
        plain,
    )


def code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All code points of some texts in a row, and where each text ends."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return codes, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
