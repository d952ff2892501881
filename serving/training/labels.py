"""The label map as typed values, and labels of rows as target vectors."""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from schemas.labels import BASIC, EMOTIONS

SENTIMENTS: Final = ("negative", "neutral", "positive")
HEADS: Final[dict[str, tuple[str, ...]]] = {
    "emotions": EMOTIONS,
    "basic": BASIC,
    "sentiment": SENTIMENTS,
    "toxicity": ("toxicity",),
    "hate": ("hate",),
    "sarcasm": ("sarcasm",),
}
"""Heads of the model but for `language`, with their labels in order."""


def _slices() -> dict[str, slice]:
    ends = np.cumsum([0, *(len(labels) for labels in HEADS.values())]).tolist()
    return {head: slice(ends[i], ends[i + 1]) for i, head in enumerate(HEADS)}


SLICES: Final = _slices()
"""Where a head's labels stand in a target vector."""
TARGETS: Final = sum(len(labels) for labels in HEADS.values())


# Languages without a sentiment set of their own; elsewhere derived labels did harm (Italian: macro-F1 −.12).
_DERIVED_LANGUAGES: Final = frozenset({"tr", "uk", "ro"})
_DERIVED_WEIGHT: Final = 0.2


class Scheme(BaseModel):
    """What the emotion labels of a set mean; see label_map.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fine: Literal["identity"] | dict[str, str] | None = None
    fine_weight: float = 1.0
    basic: dict[str, str]
    asked: tuple[str, ...]
    empty_is_neutral: bool = False


class SetLabels(BaseModel):
    """What one set teaches; see label_map.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = 1.0
    emotions: str | None = None
    without: dict[str, list[str]] = Field(default_factory=dict, description="lang → basic labels not asked.")
    sentiment: Literal["three", "two"] | None = None
    sentiment_weight: float = 1.0
    toxic: bool = False
    toxic_weight: float = 1.0
    hate_kinds: tuple[str, ...] | None = None
    irony: bool = False
    own_split: bool = False
    groups: bool = False


class LabelMap(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schemes: dict[str, Scheme]
    sets: dict[str, SetLabels]


@cache
def label_map() -> LabelMap:
    """The committed label map."""
    return LabelMap.model_validate(
        yaml.safe_load((Path(__file__).parent / "label_map.yaml").read_text("utf-8"))
    )


def target(row: dict[str, Any], labels: SetLabels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Target vector of one row and the weight of each entry; 0 marks what the row says nothing about."""
    values = np.zeros(TARGETS, dtype=np.float32)
    weights = np.zeros(TARGETS, dtype=np.float32)
    if labels.emotions and row["emotions"] is not None:
        _emotions(row, labels, label_map().schemes[labels.emotions], values, weights)
    if labels.sentiment and row["sentiment"] is not None:
        part = SLICES["sentiment"]
        values[part.start + int(row["sentiment"]) + 1] = 1.0
        weights[part] = labels.sentiment_weight
        if labels.sentiment == "two":
            weights[part.start + 1] = 0.0
    elif labels.emotions and row["lang"] in _DERIVED_LANGUAGES:
        _derived_sentiment(values, weights)
    toxic = row["toxic"]
    if labels.toxic and toxic is not None:
        values[SLICES["toxicity"]] = toxic
        weights[SLICES["toxicity"]] = labels.toxic_weight
    if labels.hate_kinds is not None and toxic is not None:
        values[SLICES["hate"]] = _is_hate(row, labels.hate_kinds)
        weights[SLICES["hate"]] = 1.0
    if labels.irony and row["irony"] is not None:
        values[SLICES["sarcasm"]] = row["irony"]
        weights[SLICES["sarcasm"]] = 1.0
    return values, weights * labels.weight


def _is_hate(row: dict[str, Any], kinds: tuple[str, ...]) -> float:
    if "*" in kinds:
        return float(row["toxic"] >= 0.5)
    return float(not set(kinds).isdisjoint((row["toxic_kind"] or "").split("+")))


def _derived_sentiment(values: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
    """Sentiment of a row that has emotions only, for languages that have nothing else.

    Joy alone is positive, sadness, anger, fear or disgust without joy negative, neutral alone neutral.
    """
    basic = {name for name, value in zip(BASIC, values[SLICES["basic"]], strict=True) if value}
    part = SLICES["sentiment"]
    if basic == {"joy"}:
        values[part.start + 2] = 1.0
    elif basic == {"neutral"}:
        values[part.start + 1] = 1.0
    elif basic & {"sadness", "anger", "fear", "disgust"} and "joy" not in basic:
        values[part.start] = 1.0
    else:
        return
    weights[part] = _DERIVED_WEIGHT


def _emotions(
    row: dict[str, Any],
    labels: SetLabels,
    scheme: Scheme,
    values: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    named = row["emotions"]
    if scheme.fine is not None:
        fine = named if scheme.fine == "identity" else [scheme.fine.get(name) for name in named]
        part = SLICES["emotions"]
        values[[part.start + EMOTIONS.index(name) for name in fine if name]] = 1.0
        known = EMOTIONS if scheme.fine == "identity" else set(scheme.fine.values())
        weights[part] = [scheme.fine_weight * (name in known) for name in EMOTIONS]
    part = SLICES["basic"]
    basic = {scheme.basic.get(name) for name in named}
    if not named and scheme.empty_is_neutral:
        basic = {"neutral"}
    values[part] = [name in basic for name in BASIC]
    unasked = labels.without.get(row["lang"], ())
    weights[part] = [name in scheme.asked and name not in unasked for name in BASIC]
