"""The key of a text by which a set without a test part is split: the same for ever."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import yaml

_MARKED: Final = re.compile(r":[^\s:]+:|<url>|@user")


def split_key(canonical: str) -> str:
    """The canonical text with what its emotes said when the splits were frozen, whatever they say today."""
    return " ".join(f"{word} {said}" if (said := _said(word)) else word for word in canonical.split(" "))


def _said(word: str) -> str | None:
    names, endings = _frozen()
    marked = _MARKED.fullmatch(word) is not None
    name = word[1:-1] if marked else word
    if name in names or not marked:
        return names.get(name)
    return next((endings[name[at:]] for at in range(len(name) - 1) if name[at:] in endings), None)


@cache
def _frozen() -> tuple[dict[str, str], dict[str, str]]:
    file = Path(__file__).parent / "split_key_emotes.yaml"
    sections = yaml.safe_load(file.read_text("utf-8"))
    names, endings = (
        {str(member): said for said, members in sections[section].items() for member in members}
        for section in ("names", "endings")
    )
    return names, endings
