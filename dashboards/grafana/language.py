"""English or Russian by one flag: texts stand side by side where they are used."""

from collections.abc import Callable
from typing import Final, Literal

Language = Literal["en", "ru"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ru")

Say = Callable[[str, str], str]
"""`say(english, russian)` gives the one that is built."""


def speaker(language: Language) -> Say:
    """The `say` of a language."""
    return (lambda english, _russian: english) if language == "en" else (lambda _english, russian: russian)
