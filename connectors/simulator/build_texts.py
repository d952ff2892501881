"""Build the text bank from openly licensed sets: `python -m connectors.simulator.build_texts`.

Only lines of train splits are taken, and none that also stands in a test or dev split. A line stays when it
is short, holds no mention, link, hashtag, number or placeholder, uses only words that its language's lines
use in lower case, and no word that is mostly written with a capital inside a sentence (which drops names of
persons as far as casing tells).
"""

import gzip
import json
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import yaml

HERE: Final = Path(__file__).parent
BANK: Final = HERE / "texts" / "bank.jsonl.gz"
ATTRIBUTION: Final = HERE / "texts" / "ATTRIBUTION.md"
FILTERS: Final = HERE / "texts" / "filters.yaml"
SEED: Final = 3
PER_MOOD: Final = 220
"""Lines kept for each language and mood."""
PER_NEUTRAL: Final = 700
LONGEST: Final = 60
"""Code points; typical lines of recorded live chat are shorter than this."""
FILM_LONGEST: Final = 32
"""Of film lines: longer ones tell a plot."""
COMMON: Final = 3
"""How often a word must occur in its language's lines to count as an ordinary word."""
SMALL_SET: Final = 5_000
"""Lines of a language below which one occurrence has to do."""

_UNWANTED: Final = re.compile(r"[@#\[\]<>{}|/\\_*^~=+\"“”„«»]|https?|www|\d{3,}|\.\w{2,3}\b(?<=\.com)|\n")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class SourceSet:
    """One openly licensed set and where it came from."""

    name: str
    source: str
    licence: str
    langs: tuple[str, ...]


SETS: Final = (
    SourceSet(
        "goemotions", "monologg/GoEmotions-pytorch b75f9d3 (Demszky et al. 2020)", "Apache-2.0", ("en",)
    ),
    SourceSet(
        "xed",
        "Helsinki-NLP/XED 76666d2 (Öhman et al. 2020)",
        "CC BY 4.0",
        ("en", "ru", "es", "de", "pt"),
    ),
    SourceSet(
        "umsab",
        "cardiffnlp/xlm-t 874214d (Barbieri et al. 2022)",
        "Apache-2.0",
        ("en", "es", "pt", "de"),
    ),
    SourceSet("sb10k", "oliverguhr/german-sentiment 7057d46 (Cieliebak et al. 2017)", "CC BY 4.0", ("de",)),
)

_LABELS: Final = {
    "joy": ("joy", "excitement", "love", "admiration", "optimism", "gratitude"),
    "amusement": ("amusement",),
    "surprise": ("surprise", "curiosity", "confusion"),
    "sadness": ("sadness", "disappointment", "grief", "remorse"),
    "anger": ("anger", "annoyance", "disgust", "disapproval"),
    "neutral": ("neutral", "approval"),
}
MOODS: Final = {label: mood for mood, labels in _LABELS.items() for label in labels}
"""GoEmotions' labels to the moods of the bank."""

FILM_MOODS: Final = dict.fromkeys(("joy", "surprise", "trust", "anticipation"), "neutral")
"""XED labels film lines by Plutchik's eight. Out of their film the gentle ones read as small talk, the others
as threats: of the others only insults are kept."""


@dataclass(frozen=True)
class Row:
    """One labelled line."""

    source: str
    lang: str
    text: str
    mood: str


def shared_data() -> Path:
    """The folder of the labelled sets: `$PULSE_SHARED/data`, else ../shared/data beside the repository."""
    return Path(os.environ.get("PULSE_SHARED", HERE.parents[2] / "shared")) / "data"


def main() -> None:
    """Write the bank and its attribution."""
    rows = build(shared_data() / "labelled")
    BANK.write_bytes(encode(rows))
    ATTRIBUTION.write_text(attribution(rows), "utf-8")


def build(folder: Path) -> list[Row]:
    """The lines of the bank, by language and mood, from the labelled sets in that folder."""
    rows = list(_rows(folder))
    filters = yaml.safe_load(FILTERS.read_text("utf-8"))
    kept: list[Row] = []
    for lang in sorted({row.lang for row in rows}):
        kept += _pick([row for row in rows if row.lang == lang], lang, filters)
    return kept


def encode(rows: Iterable[Row]) -> bytes:
    """The bank's bytes: gzip of one JSON object a line."""
    lines = (json.dumps(vars(row), ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return gzip.compress("".join(lines).encode(), 9, mtime=0)


def _rows(folder: Path) -> Iterator[Row]:
    for source in SETS:
        columns = ["text", "lang", "split", "emotions", "sentiment"]
        rows = pq.read_table(folder / f"{source.name}.parquet", columns=columns).to_pylist()
        held_out = {_key(row["text"]) for row in rows if row["split"] != "train"}
        for row in rows:
            mood = _mood(row, FILM_MOODS if source.name == "xed" else MOODS)
            if row["lang"] in source.langs and mood is not None and _key(row["text"]) not in held_out:
                yield Row(source.name, row["lang"], " ".join(row["text"].split()), mood)


def _key(text: str) -> str:
    return casual(" ".join(text.split())).lower()


def _mood(row: dict[str, Any], moods_of: dict[str, str]) -> str | None:
    if row["emotions"] is not None:
        moods = {moods_of.get(label, "hostile") for label in row["emotions"]} or {"neutral"}
        return moods.pop() if len(moods) == 1 else None
    if row["sentiment"] is not None:
        return {-1: "sadness", 0: "neutral", 1: "joy"}[int(row["sentiment"])]
    return "neutral"


def _pick(rows: list[Row], lang: str, filters: dict[str, Any]) -> Iterable[Row]:
    ordinary = _ordinary_words([row.text for row in rows])
    blocked, insult, plot, address = (
        re.compile("|".join(patterns), re.IGNORECASE)
        for patterns in (
            filters["blocked"][lang] + filters["blocked"]["any"],
            filters["insults"][lang],
            filters["plot"][lang],
            filters["address"][lang],
        )
    )
    by_mood: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        text = casual(row.text)
        if not _presentable(row.text, text, ordinary) or blocked.search(text):
            continue
        mood = "insult" if insult.search(text) else row.mood
        if mood == "insult" and (row.mood not in ("anger", "sadness", "hostile") or not address.search(text)):
            continue
        longest = FILM_LONGEST if row.source == "xed" else LONGEST
        if mood != "insult" and (
            mood == "hostile" or len(text) > longest or len(text.split()) < 2 or plot.search(text)
        ):
            continue
        by_mood[mood].setdefault(text.lower(), Row(row.source, lang, text, mood))
    rng = random.Random(f"{SEED}|{lang}")
    for mood in sorted(by_mood):
        lines = [by_mood[mood][key] for key in sorted(by_mood[mood])]
        rng.shuffle(lines)
        yield from sorted(lines[: PER_NEUTRAL if mood == "neutral" else PER_MOOD], key=lambda row: row.text)


def _ordinary_words(texts: list[str]) -> set[str]:
    lower: Counter[str] = Counter()
    upper: Counter[str] = Counter()
    for text in texts:
        for word in _WORD.findall(text)[1:]:
            (upper if word[0].isupper() else lower)[word.lower()] += 1
    common = 1 if len(texts) < SMALL_SET else COMMON
    return {word for word, n in lower.items() if n >= common and n > 2 * upper[word]}


def _presentable(raw: str, text: str, ordinary: set[str]) -> bool:
    if not 2 <= len(text) <= LONGEST or _UNWANTED.search(raw):
        return False
    words = _WORD.findall(raw)
    return bool(words) and all(word.lower() in ordinary or word in ("I", "I'm", "I'll") for word in words)


def casual(text: str) -> str:
    """As people type it: no dash before a subtitle line, no space before marks, no final full stop."""
    text = re.sub(r"^\s*[-–—]+\s*", "", text)
    text = re.sub(r"\s+([,.!?…:;'’])", r"\1", text)
    text = re.sub(r"(?<=\w)\.$", "", text)
    return text.strip()


def attribution(rows: Iterable[Row]) -> str:
    """The page that names sets, licences, counts and changes."""
    counts = Counter((row.source, row.lang) for row in rows)
    lines = [
        "# Attribution of the text bank",
        "",
        "`bank.jsonl.gz` holds short lines of the sets below (train splits only), chosen and changed",
        "by `connectors/simulator/build_texts.py`. Changes: lines with mentions, links, hashtags, numbers,",
        "placeholders, rare or mostly capitalised words, or blocked topics are left out; labels are mapped",
        "to moods (and to `insult` by word lists); leading dashes, spaces before punctuation marks and the",
        "final full stop are removed. The simulator changes case, stretches letters and adds emotes when it",
        "uses a line. `phrases.yaml`, `grammar.yaml` and `hostile.yaml` are our own writing.",
        "",
        "| set | source | licence | lines per language |",
        "|---|---|---|---|",
    ]
    for source in SETS:
        held = ", ".join(f"{lang} {n}" for (name, lang), n in sorted(counts.items()) if name == source.name)
        lines.append(f"| {source.name} | {source.source} | {source.licence} | {held or 'none'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
