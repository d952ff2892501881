"""The lexicon that repairs words: frequent ones of Latin and Cyrillic script, of train parts and raw texts.

`python -m serving.training.lexicon` writes pipelines/core/text/lexicon.txt.xz again; the same data give the
same bytes.
"""

import gzip
import lzma
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pipelines.core.text.batch import normalise_all
from pipelines.core.text.lexicon import LEVELS_PER_NAT, LONGEST_WORD, PATH
from serving.training.datasets import TRAIN, data_folder, raw_rows
from serving.training.labels import label_map

LEAST_TEXTS: Final = 3
"""Different texts that a word must stand in: rarer ones are misspellings and names."""
_WORD: Final = re.compile(
    r"(?<![\w@<:'*#])(?:[a-z]+(?:'[a-z]+)?|[а-яіїєґўәғқңөұүһ]+(?:'[а-яіїєґ]+)?)(?![\w>:'*])"
)
_CHUNK: Final = 20_000


def word_counts(texts: Iterable[str]) -> Counter[str]:
    """In how many different texts each word stands; `texts` as written."""
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for canonical in _canonical(texts):
        key = hash(canonical)
        if key not in seen:
            seen.add(key)
            counts.update({word for word in _WORD.findall(canonical) if len(word) <= LONGEST_WORD})
    return counts


def lexicon_lines(counts: Counter[str], least: int = LEAST_TEXTS) -> list[str]:
    """Lines of the lexicon file: a level (frequency in steps of 1 / LEVELS_PER_NAT), then its words."""
    levels: dict[int, list[str]] = {}
    for word, count in counts.items():
        if count >= least:
            levels.setdefault(round(LEVELS_PER_NAT * math.log(count)), []).append(word)
    return [f"{level} {' '.join(sorted(levels[level]))}" for level in sorted(levels, reverse=True)]


def training_texts(folder: Path) -> Iterator[str]:
    """Train parts of all labelled sets, then the unlabelled comments of the shared data."""
    for name in label_map().sets:
        yield from (row["text"] for row in raw_rows(folder, name, TRAIN))
    for file in sorted((folder / "texts").glob("*.txt.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from lines


def write_lexicon(folder: Path, path: Path = PATH) -> int:
    """Write the lexicon file from the shared data in `folder`; the number of its words."""
    lines = lexicon_lines(word_counts(training_texts(folder)))
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    return sum(line.count(" ") for line in lines)


def _canonical(texts: Iterable[str]) -> Iterator[str]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == _CHUNK:
            yield from normalise_all(chunk).texts
            chunk = []
    yield from normalise_all(chunk).texts


if __name__ == "__main__":
    sys.stdout.write(f"{write_lexicon(data_folder()):,} words in {PATH}\n")
