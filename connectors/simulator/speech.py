"""What people write: own phrases, lines of the text bank, emotes, and each viewer's way of typing."""

import gzip
import json
import random
from collections import defaultdict, deque
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from connectors.simulator.draws import mostly
from connectors.simulator.people import Viewer

TEXTS: Final = Path(__file__).parent / "texts"
REMEMBERED: Final = 150
"""Lines of a channel within which a longer phrase does not come again by chance."""
SHORT: Final = 10
"""Code points up to which repeated phrases are natural."""

# Shares of (own phrase, own grammar, bank line, emotes only, phrase and emote).
_MIX: Final[dict[str, tuple[float, float, float, float, float]]] = {
    "neutral": (0.2, 0.42, 0.2, 0.08, 0.1),
    "joy": (0.42, 0.08, 0.06, 0.22, 0.22),
    "amusement": (0.5, 0.08, 0.04, 0.22, 0.16),
    "surprise": (0.56, 0.08, 0.1, 0.14, 0.12),
    "sadness": (0.5, 0.0, 0.12, 0.2, 0.18),
    "anger": (0.6, 0.0, 0.15, 0.1, 0.15),
    "loss": (0.3, 0.5, 0.0, 0.08, 0.12),
}
_LAUGHTER: Final = 0.45
"""Share of amused phrases that are spelled-out laughter."""


@cache
def phrases() -> Any:
    """Our own phrases; all scalars are strings (in YAML a bare `no` would be false)."""
    return yaml.load((TEXTS / "phrases.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)


@cache
def grammar() -> Any:
    """Our own small grammars by language."""
    return yaml.load((TEXTS / "grammar.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)


@cache
def hostile_phrases() -> Any:
    """Our own hostile lines, slots and paraphrase columns by language."""
    return yaml.load((TEXTS / "hostile.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)


@cache
def bank() -> dict[tuple[str, str], tuple[str, ...]]:
    """Lines of the text bank by language and mood."""
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    with gzip.open(TEXTS / "bank.jsonl.gz", "rt", encoding="utf-8") as file:
        for raw in file:
            row = json.loads(raw)
            lines[row["lang"], row["mood"]].append(row["text"])
    return {key: tuple(texts) for key, texts in lines.items()}


def own_emotes(prefix: str, rng: random.Random) -> dict[str, list[str]]:
    """Emotes by mood: the generic ones and some of the channel's own, which carry its prefix."""
    own = phrases()["own_emotes"]
    return {
        mood: [*names, *(f"{prefix}{name}" for name in rng.sample(own, 4))]
        for mood, names in phrases()["emotes"].items()
    }


class Speech:
    """The words of one channel's audience."""

    def __init__(self, lang: str, emotes: dict[str, list[str]], rng: random.Random) -> None:
        self.lang = lang
        self.emotes = emotes
        self._rng = rng
        self._recent: deque[str] = deque(maxlen=REMEMBERED)
        self._known = {name for names in emotes.values() for name in names}

    def of(self, key: str) -> Any:
        """Phrases of this language by key (greet, welcome, loss, …)."""
        return phrases()["langs"][self.lang][key]

    def say(self, mood: str, viewer: Viewer) -> str:
        """A line in that mood as this viewer types it; an unknown mood is a key of the phrases."""
        rng = self._rng
        if mood not in _MIX:
            text = self._fresh(self.of(mood))
            text = f"{text} {self.emote('joy')}" if rng.random() < viewer.fond_of_emotes / 2 else text
            return self.typed(text, viewer)
        shape = mostly(rng, ("phrase", "grammar", "bank", "emotes", "both"), _MIX[mood])
        if shape == "emotes" or (shape == "both" and rng.random() < viewer.fond_of_emotes):
            return " ".join([self.emote(mood)] * mostly(rng, (1, 2, 3, 5), (6, 2, 2, 1)))
        text = self.typed(self._words(mood, shape), viewer)
        return f"{text} {self.emote(mood)}" if shape == "both" else text

    def _words(self, mood: str, shape: str) -> str:
        if shape == "grammar":
            return self.composed("loss" if mood == "loss" else "talk")
        lines = bank().get((self.lang, mood), ()) if shape == "bank" else ()
        if not lines and mood == "amusement" and self._rng.random() < _LAUGHTER:
            unit, least, most = grammar()[self.lang]["laugh"]
            return str(unit) * self._rng.randint(int(least), int(most))
        return self._fresh(lines or self.of(mood))

    def composed(self, kind: str) -> str:
        """A line of one of the grammars (`talk` or `loss`)."""
        columns = self._rng.choice(grammar()[self.lang][kind])
        return " ".join(part for part in map(self._rng.choice, columns) if part)

    def emote(self, mood: str) -> str:
        """An emote for that mood."""
        return self._rng.choice(self.emotes["sadness" if mood == "loss" else mood])

    def emotes_in(self, text: str) -> tuple[str, ...]:
        """The emotes of a line, in order, as a platform would name them."""
        return tuple(word for word in text.split() if word in self._known)

    def typed(self, text: str, viewer: Viewer) -> str:
        """The line with this viewer's habits: case, punctuation, stretched letters, slips."""
        rng = self._rng
        if viewer.lower_case and not text.isupper():
            text = text[0].lower() + text[1:] if len(text) < 3 else text.lower()
        if not viewer.punctuates:
            text = text.rstrip(".!") or text
        roll = rng.random()
        if roll < 0.05 and text[-1].isalpha() and len(text) < 20:
            text += text[-1] * rng.randint(2, 6)
        elif (
            roll < 0.09
            and len(text) > 6
            and text[(at := rng.randrange(1, len(text) - 1)) - 1 : at + 1].isalpha()
        ):
            text = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
        elif roll < 0.12 and len(text) < 25:
            text = text.upper()
        return text

    def _fresh(self, lines: Any) -> str:
        for _ in range(6):
            text: str = self._rng.choice(lines)
            if len(text) <= SHORT or text not in self._recent:
                break
        self._recent.append(text)
        return text.replace("{n}", str(self._rng.randint(2, 40)))
