"""Real chat texts for the load generator: as many distinct ones as asked for."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from infra.local.acceptance.recording import numbered_lines

_WORD = re.compile(r"[^\W\d_]{2,}")
_LONGEST = 200
"""Code points of a chat line that are kept; Twitch allows 500, the median of real lines is below 40."""


class NoTextsError(ValueError):
    """The input files hold no line with at least two words."""


def real_texts(paths: Iterable[Path]) -> list[str]:
    """The distinct texts of recordings that hold two words or more, in the files' order.

    Lines of one word, of emotes or of signs alone are left out: the model rightly abstains on some of them,
    and the load is there to measure scoring.

    Raises:
        NoTextsError: where no such line is found.
    """
    found: dict[str, None] = {}
    for path in paths:
        for _, line in numbered_lines(path):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            text = value.get("text") if isinstance(value, dict) else None
            if isinstance(text, str) and len(_WORD.findall(text)) > 1:
                found[text[:_LONGEST]] = None
    if not found:
        raise NoTextsError("the input holds no chat line of two words or more; give --input FILE.jsonl")
    return list(found)


def distinct_texts(texts: list[str]) -> Iterator[str]:
    """Endless texts, none twice before texts x words of them: first each as it is, then with a word more.

    Each later pass appends to every text one word of the collection, another one each pass.
    """
    yield from texts
    words = sorted({word for text in texts for word in _WORD.findall(text)})
    for turn in count():
        for index, text in enumerate(texts):
            yield f"{text} {words[(index + turn) % len(words)]}"
