"""What the model reads: canonical text of bounded length, with the meaning of well-known emotes added."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

from pipelines.core.text.normalise import normalise

MAX_CODE_POINTS: Final = 2_000
"""Characters of a message that are read; platforms allow 500 (Twitch) to 4,096 (Telegram) of them."""


def prepare(text: str, emotes: Iterable[str] = ()) -> str:
    """Canonical form of the first MAX_CODE_POINTS characters; after a known emote stands what it says."""
    return explain_emotes(normalise(text[:MAX_CODE_POINTS], emotes))


def explain_emotes(canonical: str) -> str:
    """The canonical text with the meaning of each well-known emote behind it."""
    words = canonical.split(" ")
    if MEANINGS.keys().isdisjoint(words) and ":" not in canonical:
        return canonical
    return " ".join(f"{word} {meaning}" if (meaning := _meaning(word)) else word for word in words)


def without_tokens(canonical: str) -> str:
    """The words of a canonical text that a language can be read from: no links, mentions, emotes."""
    words = _TOKEN.sub(" ", canonical).split()
    return " ".join(word for word in words if word not in MEANINGS)


_TOKEN: Final = re.compile(r"<url>|@user|:[^\s:]+:")


def _meaning(word: str) -> str | None:
    """What a word says if it is an emote: by its name, else by the ending of a channel's own ("nepuLul")."""
    known = MEANINGS.get(word)
    if known or not _TOKEN.fullmatch(word):
        return known
    name = word[1:-1]
    endings = (PARTS.get(name[-length:]) for length in range(min(_LONGEST_PART, len(name)), 1, -1))
    return next(filter(None, endings), None)


def _meanings() -> dict[str, str]:
    names = _by_member("names")
    return names | {f":{name}:": meaning for name, meaning in names.items()}


def _by_member(section: str) -> dict[str, str]:
    groups = yaml.safe_load((Path(__file__).parent / "emotes.yaml").read_text("utf-8"))[section]
    return {str(member): meaning for meaning, members in groups.items() for member in members}


MEANINGS: Final = _meanings()
"""Emote (canonical word or token) → emoji and words that labelled text uses for the same."""
PARTS: Final = _by_member("endings")
"""Ending of a channel emote's name → the same."""
_LONGEST_PART: Final = max(map(len, PARTS))
