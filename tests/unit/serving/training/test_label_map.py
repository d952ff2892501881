"""The label map: known labels only, and what rows become."""

from typing import Any

import numpy as np
import pytest

from schemas.labels import BASIC, EMOTIONS
from serving.training.labels import HEADS, SLICES, TARGETS, SetLabels, label_map, target

EMPTY: dict[str, Any] = {
    "emotions": None, "sentiment": None, "toxic": None, "toxic_kind": None, "irony": None, "lang": "en",
}  # fmt: skip


def _head(vector: np.ndarray, head: str) -> dict[str, float]:
    return dict(zip(HEADS[head], vector[SLICES[head]].tolist(), strict=True))


def test_the_map_names_known_labels_and_schemes() -> None:
    for scheme in label_map().schemes.values():
        assert set(scheme.basic.values()) <= set(BASIC)
        assert set(scheme.asked) <= set(BASIC)
        if isinstance(scheme.fine, dict):
            assert set(scheme.fine.values()) <= set(EMOTIONS)
    for labels in label_map().sets.values():
        assert labels.emotions is None or labels.emotions in label_map().schemes
    assert set(label_map().schemes["goemotions"].basic) == set(EMOTIONS)


def test_what_a_row_does_not_say_has_no_weight() -> None:
    values, weights = target(EMPTY | {"toxic": 1.0}, SetLabels(toxic=True, weight=0.5))
    assert values.shape == weights.shape == (TARGETS,)
    assert _head(weights, "toxicity") == {"toxicity": 0.5}
    assert weights.sum() == 0.5


def test_goemotions_teaches_fine_and_basic() -> None:
    values, weights = target(EMPTY | {"emotions": ["gratitude", "grief"]}, label_map().sets["goemotions"])
    assert {name for name, value in _head(values, "emotions").items() if value} == {"gratitude", "grief"}
    assert {name for name, value in _head(values, "basic").items() if value} == {"joy", "sadness"}
    assert weights[SLICES["sentiment"]].sum() == 0


def test_a_label_that_was_not_asked_stays_unknown() -> None:
    brighter = label_map().sets["brighter"]
    _, english = target(EMPTY | {"emotions": []}, brighter)
    values, german = target(EMPTY | {"emotions": [], "lang": "de"}, brighter)
    assert _head(english, "basic")["disgust"] == 0
    assert _head(german, "basic")["disgust"] == 1
    assert _head(values, "basic")["neutral"] == 1


def test_binary_sentiment_says_nothing_about_neutral() -> None:
    values, weights = target(EMPTY | {"sentiment": -1}, SetLabels(sentiment="two"))
    assert _head(values, "sentiment") == {"negative": 1, "neutral": 0, "positive": 0}
    assert _head(weights, "sentiment") == {"negative": 1, "neutral": 0, "positive": 1}


def test_sentiment_is_derived_only_where_there_is_no_other() -> None:
    labels = label_map().sets["turkish_tweets"]
    values, weights = target(EMPTY | {"emotions": ["joy"], "lang": "tr"}, labels)
    assert _head(values, "sentiment")["positive"] == 1
    assert 0 < weights[SLICES["sentiment"]].max() < weights[SLICES["basic"]].max()
    _, english = target(EMPTY | {"emotions": ["joy"]}, labels)
    assert english[SLICES["sentiment"]].sum() == 0


@pytest.mark.parametrize(
    ("set_name", "row", "hate"),
    [
        ("davidson", {"toxic": 1.0, "toxic_kind": "hate"}, 1),
        ("davidson", {"toxic": 1.0, "toxic_kind": "offensive"}, 0),
        ("kmhas", {"toxic": 1.0, "toxic_kind": "profanity+gender"}, 1),
        ("kmhas", {"toxic": 1.0, "toxic_kind": "profanity"}, 0),
        ("cold", {"toxic": 1.0}, 1),
        ("cold", {"toxic": 0.0}, 0),
    ],
)
def test_hate_follows_the_kind(set_name: str, row: dict[str, Any], hate: int) -> None:
    values, weights = target(EMPTY | row, label_map().sets[set_name])
    assert _head(values, "hate")["hate"] == hate
    assert _head(weights, "hate")["hate"] > 0
