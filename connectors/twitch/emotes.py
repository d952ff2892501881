"""Emotes by name, and where they stand in a text; pure."""

import re
from collections.abc import Mapping
from typing import Final

from schemas.records import Emote

_WORD: Final = re.compile(r"\S+")


class EmoteCatalogue:
    """The emotes of a channel: which provider shows a picture for a word, in exactly that spelling."""

    def __init__(self, providers: Mapping[str, str]) -> None:
        """Take the provider of each name."""
        self._providers = dict(providers)

    def __len__(self) -> int:
        return len(self._providers)

    def found_in(self, text: str, known: tuple[Emote, ...]) -> tuple[Emote, ...]:
        """The emotes of the text by their places in code points, in order.

        Args:
            text: a chat line.
            known: emotes whose places the platform told already; what lies over one of them is left out.
        """
        if self._providers.keys().isdisjoint(text.split()):
            return known
        taken = {place for emote in known for place in range(emote.start or 0, emote.end or 0)}
        found = list(known)
        for word in _WORD.finditer(text):
            provider = self._providers.get(word[0])
            if provider and taken.isdisjoint(range(word.start(), word.end())):
                found.append(Emote(word[0], provider, word.start(), word.end()))
        return tuple(sorted(found, key=lambda emote: emote.start or 0))


NO_EMOTES: Final = EmoteCatalogue({})
