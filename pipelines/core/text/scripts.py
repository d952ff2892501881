"""Scripts of a text: which letters a language model may be asked about."""

import re
from enum import Enum
from typing import Final


class Script(Enum):
    """What the letters of a line are, as far as the choice of its language needs to know."""

    NONE = "none"
    """No letters at all."""
    READ = "read"
    """Mostly Latin, Cyrillic, Arabic, Devanagari, Han, or Hangul letters."""
    JAPANESE = "ja"
    """Kana among the letters."""
    OTHER = "other"
    """Mostly letters of any other script."""


_LETTER: Final = re.compile(r"[^\W\d_]")
KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff]")
READ: Final = re.compile(
    "[a-zA-Z\u00aa-\u024f\u1e00-\u1eff\u0400-\u052f\u0620-\u077f\u0900-\u097f\u4e00-\u9fff\u3400-\u4dbf"
    "\U00020000-\U0003ffff\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]"
)
# One kana in ten letters: particles alone make up more of any Japanese sentence.
_KANA_SHARE: Final = 0.1


def script_of(text: str) -> Script:
    """The script class of a canonical text."""
    if text.isascii():
        return Script.READ if any(map(str.isalpha, text)) else Script.NONE
    letters = len(_LETTER.findall(text))
    if not letters:
        return Script.NONE
    if len(KANA.findall(text)) > _KANA_SHARE * letters:
        return Script.JAPANESE
    return Script.READ if 2 * len(READ.findall(text)) >= letters else Script.OTHER
