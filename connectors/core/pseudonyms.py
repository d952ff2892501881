"""Pseudonyms of authors: names never leave a connector."""

import hmac
import re
from collections.abc import Container
from functools import lru_cache
from typing import Final

AUTHOR_HEX: Final = 32
"""128 bits of the HMAC: RFC 2104, section 5 permits truncation to half of the hash."""
MENTION_HEX: Final = 12
"""A mention is the first part of the author's pseudonym; 48 bits keep 10,000 chatters apart in a text."""
MIN_BARE_LETTERS: Final = 5
"""A bare word (no @) of letters only is taken for a name from this length on: shorter ones are words."""

_MENTION: Final = re.compile(r"(?<![\w@])@(\w[\w.\-]*)")
_WORD: Final = re.compile(r"(?<![\w@.])\w{3,}")
_CACHED_NAMES: Final = 65_536


class Pseudonyms:
    """Turns the names of one platform into `kid.hmac` (HMAC-SHA256), in author fields and in texts.

    One instance serves one workspace, platform and key, for a whole broadcast. Equal names (whatever their
    case) give equal pseudonyms; the same name on another platform gives another one. Calls are pure and safe
    from several threads.
    """

    def __init__(self, kid: str, key: bytes, platform: str) -> None:
        if len(key) < 16:
            raise ValueError("a pseudonym key needs at least 16 bytes")
        self.kid: Final = kid
        self._key: Final = key
        self._platform: Final = platform
        self._digest = lru_cache(maxsize=_CACHED_NAMES)(self._uncached_digest)

    def __repr__(self) -> str:
        return f"Pseudonyms(kid={self.kid!r}, platform={self._platform!r})"

    def author(self, name: str) -> str:
        """The pseudonym of a name; empty for an empty name."""
        return f"{self.kid}.{self._digest(name.casefold())}" if name else ""

    def mention(self, name: str) -> str:
        """How a text names that author: `@kid_` and the first MENTION_HEX digits of the pseudonym's HMAC.

        An underscore, because every reader of mentions (`@` and word characters) then sees one word.
        """
        return f"@{self.kid}_{self._digest(name.casefold())[:MENTION_HEX]}"

    def text(self, text: str, known: Container[str] = (), keep: Container[str] = ()) -> str:
        """The text with every `@name` and every bare name of a known author replaced.

        Args:
            text: a chat line.
            known: casefolded names of authors. Bare words of letters only are replaced from
                MIN_BARE_LETTERS on, so that an account called "lol" does not blank a word for everyone.
            keep: tokens that stand for something else (emote names) and stay.
        """
        if "@" in text:
            text = _MENTION.sub(lambda match: self._replace_mention(match, keep), text)
        if known:
            text = _WORD.sub(lambda match: self._replace_word(match, known, keep), text)
        return text

    def _replace_mention(self, match: re.Match[str], keep: Container[str]) -> str:
        name = match[1].rstrip(".-")
        return match[0] if match[0] in keep else self.mention(name) + match[1][len(name) :]

    def _replace_word(self, match: re.Match[str], known: Container[str], keep: Container[str]) -> str:
        word = match[0]
        if word.casefold() not in known or word in keep:
            return word
        return word if word.isalpha() and len(word) < MIN_BARE_LETTERS else self.mention(word)

    def _uncached_digest(self, name: str) -> str:
        return hmac.digest(self._key, f"{self._platform}:{name}".encode(), "sha256").hex()[:AUTHOR_HEX]
