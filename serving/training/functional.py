"""Functional tests of hate detection: what kinds of sentences the model gets wrong.

Röttger et al. 2021 (https://arxiv.org/abs/2012.15606) and 2022 (https://arxiv.org/abs/2206.09917).
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from pipelines.core.text.plain import prepare_texts
from serving.scorer.backend import ChatModel
from serving.scorer.model_config import ScoringModelConfig

SETS: Final = ("hatecheck_en", "multilingual_hatecheck", "hatemoji_check")
_DEFAULT_THRESHOLD: Final = 0.5


@dataclass(frozen=True)
class Functionality:
    """One kind of sentence in one language: how often the decision at the language's threshold is right."""

    set_name: str
    lang: str
    name: str
    accuracy: float
    rows: int
    hateful: bool


def functionalities(scorer: ChatModel, folder: Path) -> list[Functionality]:
    """Accuracy of `toxicity` per functionality and language on the functional tests in the shared data."""
    found: list[Functionality] = []
    for name in SETS:
        rows = pq.read_table(folder / "labelled" / f"{name}.parquet").to_pylist()
        heads = scorer.forward(prepare_texts([row["text"] for row in rows]))
        scores = heads["toxicity"][:, 0].clip(min=heads["hate"][:, 0])
        groups: dict[tuple[str, str, bool], list[bool]] = defaultdict(list)
        for row, score in zip(rows, scores.tolist(), strict=True):
            hateful = row["toxic"] >= 0.5
            toxic = score >= decision_threshold(scorer.config, row["lang"])
            groups[row["lang"], row["toxic_kind"], hateful].append(toxic == hateful)
        found += [
            Functionality(name, lang, kind, sum(right) / len(right), len(right), hateful)
            for (lang, kind, hateful), right in groups.items()
        ]
    return found


def decision_threshold(config: ScoringModelConfig, lang: str) -> float:
    """Threshold of `toxicity` in a language, else that of all languages together."""
    every = config.thresholds.get("toxicity", _DEFAULT_THRESHOLD)
    return config.thresholds.get(f"toxicity@{lang}", every)
