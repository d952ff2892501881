"""Confusion matrices on hand-made probabilities and on a stub model."""

from pathlib import Path

import numpy as np
import pytest

from serving.scorer.fast import FastScorer
from serving.training.confusion import Confusion, confusion, confusion_table, count_confusions
from serving.training.datasets import DEV, TEST, Corpus
from serving.training.labels import SLICES, TARGETS
from tests.unit.serving.scorer.stub_model import write_stub_model


def test_rows_are_true_classes_and_columns_the_likeliest() -> None:
    said = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32)
    true = np.eye(3, dtype=bool)
    assert count_confusions(said, true, np.ones((3, 3), dtype=bool)).tolist() == [
        [1, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
    ]


def test_a_class_that_the_set_does_not_ask_for_is_never_the_answer() -> None:
    said = np.array([[0.1, 0.8, 0.3]], dtype=np.float32)
    true = np.array([[True, False, False]])
    known = np.array([[True, False, True]])
    assert count_confusions(said, true, known).tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("true", [[False, False, False], [True, True, False]])
def test_rows_without_exactly_one_true_class_do_not_count(true: list[bool]) -> None:
    said = np.array([[0.5, 0.4, 0.1]], dtype=np.float32)
    assert not count_confusions(said, np.array([true]), np.ones((1, 3), dtype=bool)).any()


def test_derived_sentiment_and_other_parts_do_not_count(tmp_path: Path) -> None:
    scorer = FastScorer.load(write_stub_model(tmp_path / "stub"))
    targets = np.zeros((3, TARGETS), dtype=np.float32)
    targets[:, SLICES["sentiment"].start] = 1
    weights = np.zeros_like(targets)
    weights[:, SLICES["sentiment"]] = 1
    # rusentitweet asks for sentiment; goemotions' is derived from emotions.
    corpus = Corpus(
        ["so bad", "so bad", "so bad"], targets, weights, np.array([0, 0, 1], dtype=np.int16),
        ("rusentitweet", "goemotions"), np.array(["ru", "ru", "en"]),
        np.array([TEST, DEV, TEST], dtype=np.int8),
    )  # fmt: skip
    (entry,) = confusion(scorer, corpus)
    assert (entry.head, int(entry.counts.sum())) == ("sentiment", 1)


def test_the_table_holds_shares_and_leaves_out_classes_without_rows() -> None:
    text = confusion_table([Confusion("sentiment", ("negative", "positive"), np.array([[3, 1], [0, 0]]))])
    assert "| negative | 4 | 0.75 | 0.25 |" in text
    assert "\n| positive |" not in text
