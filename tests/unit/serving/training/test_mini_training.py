"""A whole training run on generated text: it learns, it is exported faithfully, it repeats itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from serving.scorer.fast import FastScorer  # noqa: E402
from serving.scorer.model_config import FastModelConfig  # noqa: E402
from serving.training.calibrate import calibration, logits_of  # noqa: E402
from serving.training.datasets import DEV, TEST, TRAIN, Corpus  # noqa: E402
from serving.training.evaluate import evaluate  # noqa: E402
from serving.training.export import write_model  # noqa: E402
from serving.training.fit import Fitted, Settings, fit  # noqa: E402
from serving.training.labels import SLICES, label_map, target  # noqa: E402
from serving.training.run import Lines, examples_of, train_corpus  # noqa: E402
from serving.training.search import search  # noqa: E402

SETTINGS = Settings(features=4_096, dimensions=16, hidden=32, epochs=6, batch=64, seed=3)
HARSH, KIND = ["idiot", "trash", "stupid"], ["lovely", "great", "thanks"]
FILLER = ["you", "are", "a", "so", "the", "stream", "today", "really", "what", "player"]


def _corpus(rows: int = 900) -> Corpus:
    """Toxicity is whether a harsh word stands among filler; the set borrows the label map of told_br."""
    random = np.random.default_rng(5)
    labels = label_map().sets["told_br"]
    texts, targets, weights = [], [], []
    for index in range(rows):
        words = [*random.choice(FILLER, 5), random.choice(HARSH if index % 2 else KIND), f"n{index}"]
        random.shuffle(words)
        texts.append(" ".join(words))
        empty = {"emotions": None, "sentiment": None, "irony": None, "lang": "en", "toxic_kind": None}
        row_target, row_weight = target(empty | {"toxic": float(index % 2)}, labels)
        targets.append(row_target)
        weights.append(row_weight)
    parts = np.array([TRAIN] * (rows - 300) + [DEV] * 150 + [TEST] * 150, dtype=np.int8)
    return Corpus(
        texts, np.stack(targets), np.stack(weights), np.zeros(rows, dtype=np.int16), ("told_br",),
        np.array(["en"] * rows), parts,
    )  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return _corpus()


@pytest.fixture(scope="module")
def trained(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "tiny"
    train_corpus(corpus, Lines([], []), out, "1", SETTINGS, lambda stage, done: None)
    return out


def test_it_learns_what_is_there_to_learn(corpus: Corpus, trained: Path) -> None:
    figures = {figure.measure: figure.value for figure in evaluate(FastScorer.load(trained), corpus)}
    assert figures["macro-F1"] > 0.95
    assert figures["ECE"] < 0.1


def _fitted(corpus: Corpus) -> Fitted:
    return fit(examples_of(corpus, Lines([], []), ("en",), SETTINGS.features), SETTINGS, 1, 1)


def test_the_exported_model_scores_like_the_trained_one(corpus: Corpus, tmp_path: Path) -> None:
    fitted = _fitted(corpus)
    slopes, offsets = calibration(fitted, corpus, corpus.rows(DEV))
    config = FastModelConfig(
        name="tiny", version="1", features=len(fitted.vocabulary), dimensions=SETTINGS.dimensions,
        languages=("en",), supported=frozenset({"en"}),
    )  # fmt: skip
    write_model(tmp_path, fitted, config, slopes, offsets)
    texts = corpus.texts[-150:]
    logits = (logits_of(fitted, texts) * slopes + offsets)[:, SLICES["toxicity"]]
    exported = FastScorer.load(tmp_path).forward(texts)["toxicity"]
    np.testing.assert_allclose(exported, 1 / (1 + np.exp(-logits)), atol=0.02)


def test_the_same_seed_gives_the_same_weights(corpus: Corpus) -> None:
    np.testing.assert_array_equal(_fitted(corpus).table, _fitted(corpus).table)


def test_a_search_judges_by_dev_and_keeps_the_best(corpus: Corpus) -> None:
    seen: list[tuple[int, float]] = []
    start = replace(SETTINGS, epochs=6, table_rate=0.05)
    best, score = search(
        corpus, Lines([], []), 2, start, lambda trial, settings, at: seen.append((trial, at))
    )
    assert [trial for trial, _ in seen] == [0, 1]
    assert score == max(at for _, at in seen) > 0.9
    assert (best.features, best.seed) == (start.features, start.seed)
