"""How attackers hide a text from filters: well-known substitutes of letters, and what is put between them."""

import random
from typing import Final

LEET: Final = {
    "a": "4",
    "e": "3",
    "i": "1",
    "o": "0",
    "s": "5",
    "t": "7",
    "а": "@",
    "о": "0",
    "з": "3",
    "е": "3",
    "ч": "4",
}
HOMOGLYPHS: Final = {
    "a": "а", "c": "с", "e": "е", "i": "і", "o": "о", "p": "р", "x": "х", "y": "у",
    "а": "a", "с": "c", "е": "e", "о": "o", "р": "p", "х": "x", "у": "y", "к": "k",
}  # fmt: skip
ZERO_WIDTH: Final = ("\u200b", "\u200c", "\u2060")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
PLAIN_KINDS: Final = ("leet", "homoglyph", "zero_width", "spacing", "suffix", "case")


def obfuscate(text: str, kind: str, rng: random.Random) -> str:
    """The text hidden in that way; `mixed` draws a way for each line, `none` returns it as it is."""
    if kind == "mixed":
        kind = rng.choice(PLAIN_KINDS)
    if kind == "leet":
        return "".join(LEET[c] if c in LEET and rng.random() < 0.5 else c for c in text)
    if kind == "homoglyph":
        return "".join(HOMOGLYPHS[c] if c in HOMOGLYPHS and rng.random() < 0.5 else c for c in text)
    if kind == "zero_width":
        return "".join(c + rng.choice(ZERO_WIDTH) if c.isalpha() and rng.random() < 0.25 else c for c in text)
    if kind == "spacing":
        return " ".join(
            rng.choice((" ", ".", "-")).join(word) if rng.random() < 0.4 else word for word in text.split()
        )
    if kind == "suffix":
        return f"{text} {''.join(rng.choices(_ALPHABET, k=rng.randint(3, 7)))}"
    if kind == "case":
        return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text)
    return text
