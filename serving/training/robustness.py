"""What attacks cost: recall at 5 % false positives on clean text, before and after each attack."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.core.text.plain import prepare_texts
from serving.scorer.backend import ChatModel
from serving.training.attacks import ATTACKS
from serving.training.datasets import TEST, raw_rows

SETS: Final = ("tweeteval_offensive", "ru_2ch_pikabu", "told_br", "germeval2018", "offenseval_tr")
"""Test parts with toxic and harmless lines: en, ru, pt, de, tr."""
FALSE_POSITIVES: Final = 0.05
_MOST_ROWS: Final = 1_500
_SEED: Final = 20_251_122


@dataclass(frozen=True)
class Robustness:
    """One attack on one set. The threshold is that of 5 % false positives on the set's clean text."""

    attack: str
    set_name: str
    lang: str
    normalised: bool
    """False: the model reads lower-cased text that went through no normaliser."""
    recall_before: float
    recall_after: float
    false_positives_after: float
    """Share of harmless lines, attacked alike, that lie above the same threshold."""
    rows: int

    @property
    def kept(self) -> float:
        """Share of the recall that the attack leaves."""
        return self.recall_after / self.recall_before if self.recall_before else 0.0


def robustness(
    scorer: ChatModel, folder: Path, report: Callable[[str], None] = lambda name: None
) -> list[Robustness]:
    """Every attack on every set, with the normaliser and without; `folder` is that of the shared data."""
    found: list[Robustness] = []
    for name in SETS:
        report(name)
        rows = raw_rows(folder, name, TEST)[:_MOST_ROWS]
        for normalised in (True, False):
            found += _of_set(scorer, name, rows, normalised)
    return found


def robustness_table(found: Iterable[Robustness]) -> str:
    """Markdown: one row an attack, mean and worst over the sets."""
    by_attack: dict[str, dict[bool, list[Robustness]]] = {}
    for entry in found:
        by_attack.setdefault(entry.attack, {}).setdefault(entry.normalised, []).append(entry)
    lines = [
        "| attack | recall | after | kept, mean | kept, worst set | false alarms after | kept, no normaliser"
        " | false alarms, no normaliser |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for attack, sides in by_attack.items():
        ours, bare = sides[True], sides[False]
        worst = min(ours, key=lambda entry: entry.kept)
        cells = [
            attack, _mean(e.recall_before for e in ours), _mean(e.recall_after for e in ours),
            _mean(e.kept for e in ours), f"{worst.kept:.3f} ({worst.lang})",
            _mean(e.false_positives_after for e in ours), _mean(e.kept for e in bare),
            _mean(e.false_positives_after for e in bare),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _of_set(scorer: ChatModel, name: str, rows: list[dict[str, Any]], normalised: bool) -> list[Robustness]:
    texts = [row["text"] for row in rows]
    toxic = np.array([row["toxic"] >= 0.5 for row in rows])
    clean = _scores(scorer, texts, normalised)
    threshold = np.quantile(clean[~toxic], 1 - FALSE_POSITIVES, method="higher")
    before = float((clean[toxic] > threshold).mean())
    found = []
    for attack, change in ATTACKS.items():
        random = Random(_SEED)
        above = _scores(scorer, [change(text, random) for text in texts], normalised) > threshold
        found.append(
            Robustness(
                attack, name, rows[0]["lang"], normalised, before,
                float(above[toxic].mean()), float(above[~toxic].mean()), len(rows),
            )
        )  # fmt: skip
    return found


def _scores(scorer: ChatModel, texts: list[str], normalised: bool) -> NDArray[np.float32]:
    bare = [" ".join(text.lower().split()) for text in texts]
    heads = scorer.forward(prepare_texts(texts) if normalised else bare)
    scores: NDArray[np.float32] = np.maximum(heads["toxicity"][:, 0], heads["hate"][:, 0])
    return scores


def _mean(values: Iterable[float]) -> str:
    return f"{float(np.mean(list(values))):.3f}"
