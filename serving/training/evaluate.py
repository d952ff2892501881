"""Evaluation on the test parts: what a model gets right, by set, language and head."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from schemas.labels import BASIC, EMOTIONS
from serving.scorer.backend import ChatModel
from serving.training.calibrate import best_threshold
from serving.training.datasets import DEV, TEST, TRAIN, Corpus
from serving.training.figures import (
    Figure,
    average_precision,
    calibration_error,
    f1,
    macro_f1,
    macro_recall,
)
from serving.training.labels import HEADS, SLICES, TARGETS, label_map

Probabilities = NDArray[np.float32]
_DEFAULT_THRESHOLD: Final = 0.5
_MIN_LANGUAGE_ROWS: Final = 100


def evaluate(
    scorer: ChatModel, corpus: Corpus, report: Callable[[str], None] = lambda name: None
) -> list[Figure]:
    """Figures of every set with a test part; thresholds come from the set's own dev part."""
    figures: list[Figure] = []
    for name in corpus.set_names:
        rows = corpus.rows(TEST, name)
        if not len(rows):
            continue
        report(name)
        test = _probabilities(scorer, corpus, rows)
        dev_rows = corpus.rows(DEV, name)
        dev = _probabilities(scorer, corpus, dev_rows)
        for head in HEADS:
            if (corpus.weights[rows][:, SLICES[head]] > 0).any() and not _only_derived(name, head):
                figures += _of_head(name, head, corpus, rows, test, dev_rows, dev)
        if name == "conda":
            seen = {corpus.texts[i] for i in corpus.rows(TRAIN, name)}
            unseen = np.array([corpus.texts[i] not in seen for i in rows])
            figures += _single("conda, unseen", "toxicity", corpus, rows[unseen], test[unseen], dev_rows, dev)
    return figures


def language_figures(scorer: ChatModel, corpus: Corpus) -> list[Figure]:
    """Share of test lines whose language is named rightly, and of those on which the model abstains."""
    rows = corpus.rows(TEST)
    langs = corpus.langs[rows]
    figures = []
    for lang in sorted(set(langs.tolist())):
        texts = [corpus.texts[i] for i in rows[langs == lang]][:2_000]
        if len(texts) < _MIN_LANGUAGE_ROWS:
            continue
        decided = scorer.languages(texts, [None] * len(texts))
        right = float(np.mean([code == lang for code in decided.codes.to_pylist()]))
        abstained = float(decided.abstained.mean())
        figures.append(Figure("all", lang, "language", "accuracy", right, len(texts)))
        figures.append(Figure("all", lang, "language", "abstained", abstained, len(texts)))
    return figures


def _probabilities(scorer: ChatModel, corpus: Corpus, rows: NDArray[np.int64]) -> Probabilities:
    if not len(rows):
        return np.zeros((0, TARGETS), dtype=np.float32)
    heads = scorer.forward([corpus.texts[i] for i in rows])
    return np.concatenate([heads[head] for head in HEADS], axis=1)


def _only_derived(name: str, head: str) -> bool:
    return head == "sentiment" and label_map().sets[name].sentiment is None


def _of_head(
    name: str,
    head: str,
    corpus: Corpus,
    rows: NDArray[np.int64],
    test: Probabilities,
    dev_rows: NDArray[np.int64],
    dev: Probabilities,
) -> list[Figure]:
    if head in ("toxicity", "hate", "sarcasm"):
        return _single(name, head, corpus, rows, test, dev_rows, dev)
    figures: list[Figure] = []
    langs = corpus.langs[rows]
    for lang in sorted(set(langs.tolist())):
        chosen = langs == lang
        if chosen.sum() < _MIN_LANGUAGE_ROWS:
            continue
        if head == "sentiment":
            figures += _sentiment(name, lang, corpus, rows[chosen], test[chosen])
        else:
            of_dev = corpus.langs[dev_rows] == lang
            figures += _multi_label(
                name, lang, head, corpus, rows[chosen], test[chosen], dev_rows[of_dev], dev[of_dev]
            )
    for measure in ("macro-F1", "average recall"):
        values = [figure.value for figure in figures if figure.measure == measure]
        if len(values) > 1:
            figures.append(
                Figure(name, "mean", head, measure, float(np.mean(values)), len(rows), _published(name, head))
            )
    return figures


def _sentiment(
    name: str, lang: str, corpus: Corpus, rows: NDArray[np.int64], test: Probabilities
) -> Iterator[Figure]:
    part = SLICES["sentiment"]
    known = corpus.weights[rows][:, part] > 0
    valid = known.any(axis=1)
    scores = np.where(known[valid], test[valid][:, part], -1.0)
    predicted, true = scores.argmax(axis=1), corpus.targets[rows][valid][:, part].argmax(axis=1)
    if not known.all():
        predicted, true = predicted // 2, true // 2
    classes = 3 if known.all() else 2
    count = int(valid.sum())
    yield Figure(
        name,
        lang,
        "sentiment",
        "macro-F1",
        macro_f1(predicted, true, classes),
        count,
        _published(name, "sentiment"),
    )
    yield Figure(name, lang, "sentiment", "average recall", macro_recall(predicted, true, classes), count)
    confidence = scores.max(axis=1) / np.where(known[valid], scores, 0).sum(axis=1)
    error = calibration_error(confidence.astype(np.float32), predicted == true)
    yield Figure(name, lang, "sentiment", "ECE", error, count)


def _multi_label(
    name: str,
    lang: str,
    head: str,
    corpus: Corpus,
    rows: NDArray[np.int64],
    test: Probabilities,
    dev_rows: NDArray[np.int64],
    dev: Probabilities,
) -> Iterator[Figure]:
    labels = EMOTIONS if head == "emotions" else BASIC
    scores, precisions, errors = [], [], []
    for at in range(SLICES[head].start, SLICES[head].start + len(labels)):
        known = corpus.weights[rows][:, at] > 0
        true = corpus.targets[rows][known, at] >= 0.5
        if not known.any() or not true.any():
            continue
        threshold = _threshold(corpus, dev_rows, dev, at, both=False)
        scores.append(f1(test[known, at] >= threshold, true))
        precisions.append(average_precision(test[known, at], true))
        errors.append(calibration_error(test[known, at], true))
    if scores:
        yield Figure(name, lang, head, "macro-F1", float(np.mean(scores)), len(rows), _published(name, head))
        yield Figure(name, lang, head, "average precision", float(np.mean(precisions)), len(rows))
        yield Figure(name, lang, head, "ECE", float(np.mean(errors)), len(rows))


def _single(
    name: str,
    head: str,
    corpus: Corpus,
    rows: NDArray[np.int64],
    test: Probabilities,
    dev_rows: NDArray[np.int64],
    dev: Probabilities,
) -> list[Figure]:
    at = SLICES[head].start
    figures: list[Figure] = []
    for lang in sorted(set(corpus.langs[rows].tolist())):
        chosen = (corpus.langs[rows] == lang) & (corpus.weights[rows][:, at] > 0)
        true = corpus.targets[rows][chosen, at] >= 0.5
        if min(true.sum(), (~true).sum()) < 1 or len(true) < _MIN_LANGUAGE_ROWS:
            continue
        of_dev = corpus.langs[dev_rows] == lang
        threshold = _threshold(corpus, dev_rows[of_dev], dev[of_dev], at, both=True)
        predicted = test[chosen, at] >= threshold
        half = test[chosen, at] >= _DEFAULT_THRESHOLD
        values = {
            "macro-F1": macro_f1(predicted.astype(np.int64), true.astype(np.int64), 2),
            "F1 of positive": f1(predicted, true),
            "macro-F1 at .5": macro_f1(half.astype(np.int64), true.astype(np.int64), 2),
            "average precision": average_precision(test[chosen, at], true),
            "ECE": calibration_error(test[chosen, at], true),
        }
        published = _published(name, head)
        figures += [
            Figure(name, lang, head, measure, value, len(true), published if measure == "macro-F1" else "")
            for measure, value in values.items()
        ]
    return figures


def _threshold(
    corpus: Corpus, rows: NDArray[np.int64], probabilities: Probabilities, at: int, *, both: bool
) -> float:
    known = corpus.weights[rows][:, at] > 0
    true = corpus.targets[rows][known, at] >= 0.5
    return best_threshold(probabilities[known, at], true, both) or _DEFAULT_THRESHOLD


@cache
def _published_figures() -> dict[str, dict[str, str]]:
    figures: dict[str, dict[str, str]] = yaml.safe_load(
        (Path(__file__).parent / "published.yaml").read_text("utf-8")
    )
    return figures


def _published(name: str, head: str) -> str:
    return _published_figures().get(name, {}).get(head, "")
