"""What the lexicon of emotes is worth: the same weights with it and without, on held-out streams alone.

There is no labelled chat with emotes. What stands in for it, on streams that taught nothing:

- lines labelled for sentiment by one reader (`sentiment_labels.tsv`: file, stream, line, −1, 0 or 1; text is
  not part of this repository). −1: sadness, anger, fear, disapproval, in jest too; 1: joy, affection,
  greeting, excitement, amusement that mocks nobody; 0: neither, mixed, or not to be told;
- the sentiment of a line's emotes alone beside that of its own text, and of the lines around it, without
  theirs;
- how often lines of nothing but known emotes are called sarcastic, toxic or angry;
- the sentiment of emoji, which the lexicon speaks in, beside 83 annotators' (Kralj Novak et al. 2015,
  https://doi.org/10.1371/journal.pone.0144296).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.emotes import MEANINGS
from pipelines.core.text.plain import prepare_lines
from schemas.labels import BASIC
from serving.scorer.backend import ChatModel
from serving.training.datasets import TEST
from serving.training.emotes.evidence import near_lines
from serving.training.emotes.logs import Line, log_files, read_lines
from serving.training.emotes.marking import group_of, mark, scored
from serving.training.emotes.names import emote_names, listed_names
from serving.training.figures import macro_f1

LABELS: Final = Path(__file__).parent / "sentiment_labels.tsv"
_DEFAULT_THRESHOLD: Final = 0.5
_FEWEST_PAIRS: Final = 30
"""For a correlation."""
_FEWEST_OCCURRENCES: Final = 100
"""Of an emoji in the ranking."""

Sentiments = NDArray[np.float64]


@dataclass(frozen=True)
class Ablated:
    """One figure with the lexicon and without."""

    name: str
    rows: int
    lexicon: float
    names: float | None = None
    """Emotes read as the words that their names are."""
    none: float | None = None
    """Lines read without their emotes."""


def ablation(
    scorer: ChatModel, data: Path, report: Callable[[str], None] = lambda stage: None
) -> list[Ablated]:
    """Every figure on the recordings in the shared data folder `data`; none where there are no recordings."""
    files = log_files(data)
    if not files:
        return []
    report("emotes")
    of_file = {file.name: list(read_lines(file, TEST)) for file in files}
    lines = [line for of_one in of_file.values() for line in of_one]
    names = emote_names(lines, listed_names(data / "lists/twitch_emote_freq.tsv"))
    return [
        *_by_hand(scorer, of_file, names),
        *_beside_text(scorer, lines, names),
        *_emoji(scorer, data / "lists/emoji_sentiment_ranking.csv"),
    ]


def ablation_table(found: Iterable[Ablated]) -> str:
    """Markdown, one row a figure; a sentence where nothing could be measured."""
    rows = [
        [entry.name, f"{entry.rows:,}", *map(_cell, (entry.lexicon, entry.names, entry.none))]
        for entry in found
    ]
    if not rows:
        return "Not measured: the recordings were missing.\n"
    head = ["figure", "rows", "with the lexicon", "names alone", "without emotes"]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _by_hand(scorer: ChatModel, of_file: dict[str, list[Line]], names: frozenset[str]) -> Iterator[Ablated]:
    """Three classes of sentiment against the lines labelled by hand, those of missing recordings left out."""
    at = {(file, line.stream, line.number): line for file, lines in of_file.items() for line in lines}
    with LABELS.open(encoding="utf-8", newline="") as file:
        labelled = [
            (at[key], int(row["sentiment"]) + 1)
            for row in csv.DictReader(file, delimiter="\t")
            if (key := (row["file"], row["stream"], int(row["line"]))) in at
        ]
    if not labelled:
        return
    true = np.array([label for _, label in labelled])
    read = _read([line.text for line, _ in labelled], [line.emotes for line, _ in labelled])
    rests = [" ".join(word for word in line.text.split() if word not in names) for line, _ in labelled]
    predicted = [
        scorer.forward(texts)["sentiment"].argmax(axis=1)
        for texts in (read, [_unexplained(text) for text in read], _read(rests, [()] * len(rests)))
    ]
    count = len(true)
    yield Ablated("labelled by hand: accuracy", count, *(float((way == true).mean()) for way in predicted))
    yield Ablated("labelled by hand: macro-F1", count, *(macro_f1(way, true, 3) for way in predicted))


def _beside_text(scorer: ChatModel, lines: Sequence[Line], names: frozenset[str]) -> Iterator[Ablated]:
    """Emotes alone against the text beside and around them, and false alarms on them."""
    marked = mark(lines, names)
    own = scored(scorer, marked)[:, -1].astype(np.float64)
    around = np.full(len(lines), np.nan)
    start = 0
    for _, of_stream in groupby(marked, key=lambda line: line.stream):
        stream = list(of_stream)
        for at in (at for at, line in enumerate(stream) if line.emotes):
            near = own[[start + other for other in near_lines(stream, at)]]
            if not np.isnan(near).all():
                around[start + at] = np.nanmean(near)
        start += len(stream)
    emotes = [" ".join(word for word in line.text.split() if word in names) for line in lines]
    said = _read(emotes, [line.emotes for line in lines])
    alone = [_unexplained(text) for text in said]
    known = np.array([text != more for text, more in zip(alone, said, strict=True)])
    if not known.any():
        return
    ways = [_heads(scorer, [texts[i] for i in np.flatnonzero(known)]) for texts in (said, alone)]
    for name, other in (("the text beside them", own), ("the lines around them", around)):
        valid = ~np.isnan(other[known])
        if valid.sum() < _FEWEST_PAIRS:
            continue
        correlations = [float(np.corrcoef(way[valid, 0], other[known][valid])[0, 1]) for way in ways]
        yield Ablated(f"sentiment of emotes: correlation with {name}", int(valid.sum()), *correlations)
    only = np.array([not line.rest for line, is_known in zip(marked, known, strict=True) if is_known], bool)
    if not only.any():
        return
    for column, head in enumerate(("sarcasm", "toxicity", "basic.anger"), start=1):
        threshold = scorer.config.thresholds.get(head, _DEFAULT_THRESHOLD)
        shares = [float((way[only, column] >= threshold).mean()) for way in ways]
        yield Ablated(f"lines of known emotes alone above the threshold of {head}", int(only.sum()), *shares)


def _read(texts: Sequence[str], emotes: Sequence[Sequence[str]]) -> list[str]:
    """What the model reads of messages."""
    prepared = prepare_lines(
        pa.array(texts, pa.string()), pa.array([list(names) for names in emotes], pa.list_(pa.string()))
    )
    return prepared.codes.tobytes().decode("utf-32-le").split("\n")[:-1]


def _unexplained(read: str) -> str:
    """The same text with the names of its emotes alone."""
    words, kept, at = read.split(" "), [], 0
    while at < len(words):
        word = words[at]
        marked = len(word) > 2 and word[0] == word[-1] == ":"
        said = ((group_of(word[1:-1]) if marked else MEANINGS.get(word)) or "").split()
        kept.append(word)
        at += 1
        if words[at : at + len(said)] == said:
            at += len(said)
    return " ".join(kept)


def _heads(scorer: ChatModel, texts: list[str]) -> Sentiments:
    """Columns sentiment (−1 to 1), sarcasm, toxicity, anger; one row a text."""
    different = sorted(set(texts))
    heads = scorer.forward(different)
    columns = np.stack(
        [
            heads["sentiment"][:, 2] - heads["sentiment"][:, 0], heads["sarcasm"][:, 0],
            heads["toxicity"][:, 0], heads["basic"][:, BASIC.index("anger")],
        ],
        axis=1,
    )  # fmt: skip
    at = {text: row for row, text in enumerate(different)}
    found: Sentiments = columns[[at[text] for text in texts]].astype(np.float64)
    return found


def _emoji(scorer: ChatModel, ranking: Path) -> Iterator[Ablated]:
    if not ranking.is_file():
        return
    with ranking.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["Occurrences"]) >= _FEWEST_OCCURRENCES]
    true = [(int(row["Positive"]) - int(row["Negative"])) / int(row["Occurrences"]) for row in rows]
    sentiment = _heads(scorer, _read([row["#Emoji"] for row in rows], [()] * len(rows)))[:, 0]
    correlation = float(np.corrcoef(sentiment, true)[0, 1])
    yield Ablated("sentiment of emoji: correlation with annotators'", len(rows), correlation)
