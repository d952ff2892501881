"""The whole training run: sets → features → fit → calibration → model folder."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.ngrams import hashed_bags
from pipelines.core.text.prepare import prepare
from pipelines.core.text.vocabulary import FEATURE_BITS, Vocabulary
from serving.scorer.model_config import FastModelConfig
from serving.training.calibrate import calibration, logits_of, thresholds
from serving.training.datasets import DEV, TRAIN, Corpus, load_corpus
from serving.training.export import write_model
from serving.training.fit import Examples, Settings, fit
from serving.training.labels import SLICES, TARGETS

# Languages with at least this many training rows for emotions and for toxicity are scored; others abstain.
_SUPPORTED_ROWS: Final = 500

# Recorded chat and comments whose language is known: short lines for the language head.
_LINES_BY_LANGUAGE: Final = {
    "en": ("logs/channel_e_en.jsonl.gz", "logs/channel_b.jsonl.gz"),
    "zh": ("logs/channel_d_zh.jsonl.gz",),
    "fr": ("logs/channel_h_fr.jsonl.gz",),
    "ko": ("logs/channel_i_ko.jsonl.gz", "texts/ko_twitch_mario.txt.gz"),
    "ru": (
        "texts/ru_vk_stavropol.txt.gz",
        "texts/ru_vk_lentach.txt.gz",
        "texts/ru_youtube_interviews.txt.gz",
    ),
    "uk": ("texts/uk_telegram_schools.txt.gz",),
}
_LINES_PER_FILE: Final = 15_000
# Sets of sarcasm were collected for it: every second or third row is sarcastic, and a line that is like none
# of them gets their base rate. Ordinary chat is like none of them. It stands in as negative, at a small
# weight (positive and unlabelled rows: Elkan & Noto 2008, https://doi.org/10.1145/1401890.1401920).
_CHAT_SARCASM: Final = 0.03
_CHAT_SARCASM_WEIGHT: Final = 0.15
# Nigerian Pidgin is written with the words of English: as a class of its own it would claim English chat.
_NO_CLASS: Final = frozenset({"pcm"})

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Lines:
    """Unlabelled lines with their language."""

    texts: list[str]
    langs: list[str]


Choose = Callable[[Corpus, Lines, Settings], Settings]


def train(
    data: Path,
    out: Path,
    version: str,
    settings: Settings,
    report: Report = lambda stage, done: None,
    choose: Choose = lambda corpus, lines, settings: settings,
) -> None:
    """Train the fast model on `data` (the shared data folder) and write it to the folder `out`.

    Args:
        data: Folder with `labelled`, `logs` and `texts`.
        out: Model folder; its last part names the model.
        version: Version of the weights.
        settings: Choices of the run.
        report: Called with the stage and the share of it that is done.
        choose: The settings to train with, given what was read and `settings`.
    """
    report("preparing texts", 0.0)
    corpus = load_corpus(data, attacked=settings.attacked)
    report("preparing texts", 0.8)
    lines = language_lines(data)
    report("preparing texts", 1.0)
    train_corpus(corpus, lines, out, version, choose(corpus, lines, settings), report)


def train_corpus(
    corpus: Corpus, lines: Lines, out: Path, version: str, settings: Settings, report: Report
) -> None:
    """The part of `train` behind the files: features, fit, calibration, export."""
    rows = corpus.rows(TRAIN)
    languages = language_classes(corpus, rows)
    examples = examples_of(corpus, lines, languages, settings.features)
    fitted = fit(
        examples, settings, len(languages), len(corpus.set_names),
        lambda done, loss: report(f"training (loss {loss:.3f})", done),
    )  # fmt: skip
    report("calibrating", 0.0)
    dev = corpus.rows(DEV)
    slopes, offsets = calibration(fitted, corpus, dev)
    logits = logits_of(fitted, [corpus.texts[i] for i in dev]) * slopes + offsets
    config = FastModelConfig(
        name=out.name,
        version=version,
        features=len(fitted.vocabulary),
        dimensions=settings.dimensions,
        languages=languages,
        supported=supported_languages(corpus, rows),
        thresholds=thresholds(1 / (1 + np.exp(-logits[:, :TARGETS])), corpus, dev),
    )
    write_model(out, fitted, config, slopes, offsets)
    report("calibrating", 1.0)


def examples_of(corpus: Corpus, lines: Lines, languages: tuple[str, ...], features: int) -> Examples:
    """Training examples: the corpus's train rows, then the unlabelled lines.

    The lines teach the language head, and, weakly, that chat is seldom sarcastic. The vocabulary is that of
    all of them, `features` at most.
    """
    rows = corpus.rows(TRAIN)
    index = {code: at for at, code in enumerate(languages)}
    known = [
        (text, index[lang]) for text, lang in zip(lines.texts, lines.langs, strict=True) if lang in index
    ]
    unlabelled = np.zeros((len(known), TARGETS), dtype=np.float32)
    weights = np.zeros_like(unlabelled)
    unlabelled[:, SLICES["sarcasm"]] = _CHAT_SARCASM
    weights[:, SLICES["sarcasm"]] = _CHAT_SARCASM_WEIGHT
    row_languages = [index.get(lang, -1) for lang in corpus.langs[rows].tolist()]
    bags = hashed_bags([corpus.texts[i] for i in rows] + [text for text, _ in known], FEATURE_BITS)
    vocabulary = Vocabulary.most_frequent(bags, features)
    return Examples(
        vocabulary,
        vocabulary.rows(bags),
        np.concatenate([corpus.targets[rows], unlabelled]),
        np.concatenate([corpus.weights[rows], weights]),
        np.concatenate([corpus.sets[rows], np.zeros(len(known))]).astype(np.int64),
        np.array(row_languages + [at for _, at in known], dtype=np.int64),
    )


def language_classes(corpus: Corpus, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """Classes of the language head, in its order: the languages of the rows."""
    return tuple(sorted(set(corpus.langs[rows].tolist()) - _NO_CLASS))


def supported_languages(corpus: Corpus, rows: NDArray[np.int64]) -> frozenset[str]:
    """Languages with enough training rows for emotions and for toxicity."""
    weights, langs = corpus.weights[rows], corpus.langs[rows]
    emotion = weights[:, SLICES["basic"]].max(axis=1) > 0
    toxicity = weights[:, SLICES["toxicity"]].max(axis=1) > 0
    return frozenset(
        code
        for code in set(langs.tolist())
        if min((emotion & (langs == code)).sum(), (toxicity & (langs == code)).sum()) >= _SUPPORTED_ROWS
    )


def language_lines(data: Path) -> Lines:
    """Prepared lines of recorded chat and comments, with the language of their source."""
    texts: list[str] = []
    langs: list[str] = []
    for lang, files in _LINES_BY_LANGUAGE.items():
        for file in files:
            with gzip.open(data / file, "rt", encoding="utf-8") as lines:
                for line in islice(lines, _LINES_PER_FILE):
                    record = json.loads(line) if ".jsonl" in file else {"text": line}
                    text = prepare(record["text"], record.get("emotes") or ())
                    # Lines of a few letters and system notices say little about a language.
                    if sum(map(str.isalpha, text)) >= 4 and not text.startswith("!"):
                        texts.append(text)
                        langs.append(lang)
    return Lines(texts, langs)
