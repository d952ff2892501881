"""Which language a line is in, and whether the model should keep quiet about it."""

import re
from typing import Final, NamedTuple

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.reading import Reading

UNDETERMINED: Final = "und"

# Odds that the stream's own language multiplies into the evidence of one line.
_HINT_ODDS: Final = 8.0
_SURE: Final = 0.7
# Answers that are no class of the model: none at all, undetermined, Japanese. The hints stand behind them.
_NONE, _UND, _JA, _HINTS = range(4)
_NOTHING, _NO_LETTERS, _SHORT, _LONG, _JAPANESE, _OTHER = map(int, Reading)


class Languages(NamedTuple):
    """The answers for a batch: a code or null a line, and whether the model abstains on it."""

    codes: pa.StringArray
    abstained: NDArray[np.bool_]


class LanguageDecision:
    """Turns the language head's probabilities, the reading and the stream's hint into one decision a line.

    Args:
        languages: Classes of the language head.
        supported: Those that the model is meant for.
    """

    def __init__(self, languages: tuple[str, ...], supported: frozenset[str]) -> None:
        self._languages = languages
        self._index = {code: index for index, code in enumerate(languages)}
        self._supported = supported
        self._is_supported = np.array([code in supported for code in languages])

    def decide(
        self, readings: NDArray[np.uint8], hints: pa.StringArray, probabilities: NDArray[np.float32]
    ) -> Languages:
        """Decide for a batch of lines: each one's `Reading`, hint or null, row of the language head.

        Abstains where nothing readable is left, and on scripts and languages that are not supported. A line
        without words (emoji, emotes, marks) belongs to no language: scored, in the stream's language if that
        is known, else `und`. So is a short line that could be of any language ("gg", "lol").
        """
        coded = hints.dictionary_encode()
        # Entry −1 (the last) stands for the missing hint.
        tags = [*map(_primary, coded.dictionary.to_pylist()), None]
        answers = pa.array([*self._languages, None, UNDETERMINED, "ja", *tags], pa.string())
        places = coded.indices.fill_null(len(tags) - 1).to_numpy(zero_copy_only=False)
        classes = np.array([self._index.get(tag, -1) if tag else -1 for tag in tags])
        known = np.array([tag is not None for tag in tags])
        supported = np.array([tag in self._supported for tag in tags])
        chosen, abstained = _decide(
            readings, places.astype(np.int64), probabilities, classes, known, supported,
            self._is_supported, "ja" in self._supported,
        )  # fmt: skip
        return Languages(answers.take(pa.array(chosen)), abstained)


def _primary(tag: str | None) -> str | None:
    """Primary subtag of a BCP 47 tag: "pt-BR" → "pt"; None where there is none."""
    return re.split("[-_]", tag.strip().lower())[0] or None if tag else None


@numba.njit(cache=True)
def _decide(  # type: ignore[no-untyped-def]  # pragma: no cover
    readings, hints, probabilities, hint_classes, hint_known, hint_supported, is_supported, japanese
):
    """Index of the answer of each line, and whether it abstains."""
    rows, languages = probabilities.shape
    chosen = np.empty(rows, dtype=np.int64)
    abstained = np.zeros(rows, dtype=np.bool_)
    for row in range(rows):
        hint, reading = hints[row], readings[row]
        own = languages + _HINTS + hint if hint_known[hint] else languages + _NONE
        own_or_und = own if hint_known[hint] else languages + _UND
        if reading == _NOTHING:
            chosen[row], abstained[row] = own, True
        elif reading == _NO_LETTERS:
            chosen[row] = own_or_und
        elif reading == _JAPANESE:
            chosen[row], abstained[row] = languages + _JA, not japanese
        elif reading == _OTHER:
            chosen[row] = languages + _NONE if hint_supported[hint] else own
            abstained[row] = True
        else:
            favoured = hint_classes[hint]
            total, best, most, unsupported = 0.0, 0, -1.0, 0.0
            for language in range(languages):
                value = probabilities[row, language] * (_HINT_ODDS if language == favoured else 1.0)
                total += value
                unsupported += 0.0 if is_supported[language] else value
                if value > most:
                    best, most = language, value
            if favoured < 0:
                total = 1.0
            if reading == _SHORT and most / total < _SURE:
                chosen[row] = own_or_und
            elif is_supported[best]:
                chosen[row] = best
            elif reading == _SHORT and not hint_known[hint]:
                chosen[row] = languages + _UND
            else:
                chosen[row], abstained[row] = best, unsupported / total > 0.5
    return chosen, abstained
