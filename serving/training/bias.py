"""False alarms on harmless sentences about groups of people: the benign functionalities of HateCheck.

Röttger et al. 2021 (https://arxiv.org/abs/2012.15606) and 2022 (https://arxiv.org/abs/2206.09917).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import yaml

from pipelines.core.text.plain import prepare_texts
from serving.scorer.backend import ChatModel
from serving.training.functional import decision_threshold

_SETS: Final = ("hatecheck_en", "multilingual_hatecheck")
_IDENTITY: Final = "ident_"
"""How the functionalities begin that say something neutral or positive of a group."""


@dataclass(frozen=True)
class FalseAlarms:
    """Share of harmless sentences of one kind that `toxicity` calls toxic at the language's threshold."""

    lang: str
    kind: str
    """A benign functionality, or `group: name` for neutral and positive sentences about one group."""
    rate: float
    rows: int


def false_alarms(scorer: ChatModel, folder: Path) -> list[FalseAlarms]:
    """Rates per language, benign functionality and group; `folder` is that of the shared data."""
    found: list[FalseAlarms] = []
    for name in _SETS:
        rows = pq.read_table(folder / "labelled" / f"{name}.parquet").to_pylist()
        benign = [row for row in rows if row["toxic"] < 0.5]
        texts = prepare_texts([row["text"] for row in benign])
        heads = scorer.forward(texts)
        scores = heads["toxicity"][:, 0].clip(min=heads["hate"][:, 0]).tolist()
        kinds: dict[tuple[str, str], list[bool]] = defaultdict(list)
        for row, text, score in zip(benign, texts, scores, strict=True):
            alarm = score >= decision_threshold(scorer.config, row["lang"])
            kinds[row["lang"], row["toxic_kind"]].append(alarm)
            if row["toxic_kind"].startswith(_IDENTITY):
                for group in groups_named(text, row["lang"]):
                    kinds[row["lang"], f"group: {group}"].append(alarm)
        found += [
            FalseAlarms(lang, kind, sum(alarms) / len(alarms), len(alarms))
            for (lang, kind), alarms in sorted(kinds.items())
        ]
    return found


def false_alarm_table(found: Iterable[FalseAlarms]) -> str:
    """Markdown: one row a benign functionality or group, one column a language."""
    rates = {(entry.kind, entry.lang): entry for entry in found}
    langs = sorted({lang for _, lang in rates})
    lines = [f"| harmless sentences | {' | '.join(langs)} |", "| --- |" + " --- |" * len(langs)]
    for kind in sorted({kind for kind, _ in rates}):
        cells = [f"{rates[kind, lang].rate:.2f}" if (kind, lang) in rates else "" for lang in langs]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def groups_named(text: str, lang: str) -> Iterator[str]:
    """Groups that a canonical text names, by the word lists of `identity_terms.yaml`."""
    for group, stems in _terms().get(lang, {}).items():
        if any(stem in text for stem in stems):
            yield group


@cache
def _terms() -> dict[str, dict[str, list[str]]]:
    terms: dict[str, dict[str, list[str]]] = yaml.safe_load(
        (Path(__file__).parent / "identity_terms.yaml").read_text("utf-8")
    )
    return terms
