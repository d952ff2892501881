"""Which words of chat are emotes: marked ones, listed ones, and words spelled as only emotes are."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pipelines.core.text.emotes import MEANINGS
from pipelines.core.text.normalise import normalise
from serving.training.emotes.logs import Line

# BTTV, FFZ and 7TV emotes are plain words in Twitch's logs. Most are in CamelCase, a channel's prefix and a
# name ("nepuLul", "PepeHands"); pseudonyms of the recordings are hexadecimal.
_CAMEL: Final = re.compile(r"[A-Za-z0-9]*[a-z][A-Z0-9][A-Za-z0-9]*")
_PSEUDONYM: Final = re.compile(r"@?u[0-9a-f]{12}\W?")
_NAME: Final = re.compile(r"[A-Za-z0-9]{3,30}")
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")
# Emotes written in capitals alone (KEKW, NODDERS) are hardly ever written otherwise; shouted words are.
_SHOUTED_SHARE: Final = 0.97
_SHOUTED_COUNT: Final = 40


def canonical_name(name: str) -> str:
    """An emote's name as it stands in a canonical text."""
    return normalise(name)


def name_parts(name: str) -> list[str]:
    """Parts of a CamelCase name in lower case: "arypieMonkaS" → arypie, monka, s."""
    return [part.lower() for part in _PART.findall(name)]


def listed_names(file: Path) -> frozenset[str]:
    """Names in the shared list of emotes (tab-separated, the name first); none where it is missing."""
    if not file.is_file():
        return frozenset()
    lines = file.read_text("utf-8").splitlines()[1:]
    return frozenset(line.split("\t", 1)[0] for line in lines)


def emote_names(lines: Iterable[Line], listed: frozenset[str] = frozenset()) -> frozenset[str]:
    """Exact spellings that are emotes in these lines."""
    words: Counter[str] = Counter()
    marked: set[str] = set()
    for line in lines:
        words.update(line.text.split())
        marked.update(line.emotes)
    any_case: Counter[str] = Counter()
    for word, count in words.items():
        any_case[word.lower()] += count
    names = marked & words.keys()
    for word, count in words.items():
        if _PSEUDONYM.fullmatch(word) or not _NAME.fullmatch(word):
            continue
        shouted = word.isupper() and count >= _SHOUTED_COUNT
        if (
            _CAMEL.fullmatch(word)
            or (word in listed and not word.islower())
            or (word != word.lower() and word.lower() in MEANINGS)
            or (shouted and count >= _SHOUTED_SHARE * any_case[word.lower()])
        ):
            names.add(word)
    return frozenset(names)
