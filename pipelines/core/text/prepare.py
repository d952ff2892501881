"""What the model reads: canonical text of bounded length, repaired, with the meaning of well-known emotes."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from pipelines.core.text.model_text import model_lines
from pipelines.core.text.ngrams import code_points
from pipelines.core.text.normalise import normalise
from pipelines.core.text.obfuscation import merges_words

MAX_CODE_POINTS: Final = 2_000
"""Characters of a message that are read; platforms allow 500 (Twitch) to 4,096 (Telegram) of them."""


def prepare(text: str, emotes: Iterable[str] = ()) -> str:
    """The first MAX_CODE_POINTS characters in canonical form, then as `model_text` has it."""
    text = text[:MAX_CODE_POINTS]
    return model_text(normalise(text, emotes), merged=merges_words(text))


def model_text(canonical: str, *, merged: bool = False) -> str:
    """`model_lines` of one canonical text."""
    return model_lines(code_points([canonical]), np.array([merged])).tobytes().decode("utf-32-le")[:-1]
