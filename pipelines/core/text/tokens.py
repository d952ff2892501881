"""Mentions, addresses and emotes become tokens, so that neither names nor links count as words."""

import re
from collections.abc import Iterable
from typing import Final

MENTION: Final = "@user"
URL: Final = "<url>"

# Bare domains by the endings seen in chat; any "word.word" would swallow missing spaces after a full stop.
_ENDINGS: Final = (
    "com|net|org|info|biz|tv|gg|ly|me|io|co|app|dev|xyz|"
    "shop|store|site|online|live|link|club|top|pro|fun|win|bet|"
    "ru|su|ua|by|kz|de|fr|es|it|pt|br|pl|tr|kr|jp|cn|tw|uk|us|eu|ca|au|in|be|cc|to|gl|рф"
)
_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.\-]{1,15}://\S+|(?<![\w.@-])www\.\S+"
    r"|(?<![\w.@+-])(?:[\w.+-]+@)?(?:[\w-]+\.)+(?:" + _ENDINGS + r")(?![\w.-])(?:[/:?#]\S*)?",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"\S+")
_MENTION: Final = re.compile(r"(?<![\w@])@\w+")


def mark_emotes(text: str, emotes: Iterable[str]) -> str:
    """Words that are one of `emotes` (exact spelling) as `:name:`."""
    names = frozenset(emotes)
    if not names:
        return text
    return _WORD.sub(lambda word: f":{word[0]}:" if word[0] in names else word[0], text)


def mark_addresses(text: str) -> str:
    """Links, bare domains and e-mail addresses as `<url>`, mentions as `@user`."""
    if "." in text or "://" in text:
        text = _ADDRESS.sub(URL, text)
    if "@" in text:
        text = _MENTION.sub(MENTION, text)
    return text
