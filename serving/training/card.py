"""The model card: written by the evaluation, so that every figure in it is one that was measured."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

from serving.scorer.model_config import BaseModelConfig, FastModelConfig, ScoringModelConfig
from serving.training.bias import FalseAlarms, false_alarm_table
from serving.training.confusion import Confusion, confusion_table
from serving.training.emotes.ablation import Ablated, ablation_table
from serving.training.figures import Figure
from serving.training.functional import Functionality
from serving.training.plots import draw_languages, draw_reliability
from serving.training.reliability import Reliability, reliability_table
from serving.training.robustness import SETS as ATTACKED_SETS
from serving.training.robustness import Robustness, robustness_table
from serving.training.throughput import Throughput

_WORST: Final = 12
_INTRODUCTION: Final = Path(__file__).parent / "card_introduction.md"
_FAST: Final = """\
Bags of words, word pairs and character n-grams: the {features:,} most frequent of the training text, by hash,
each with {dimensions} weights of 8 bits; a network of one hidden layer in ONNX"""
_BASE: Final = """all-MiniLM-L6-v2 with word pieces of more languages, fine-tuned on all sets at once
(8 bits, ONNX), beside a copy of the model `fast`; the logits of both are weighed by language and head
(`config.json`, fitted on dev)"""
_TEST_FIGURES: Final = """## Test figures

Thresholds come from the dev part of the same set, except in the column *at .5*. Sets without a test part:
their dev part or a frozen share by hash (`serving/training/datasets.py`).
"""
_FUNCTIONAL_TESTS: Final = """## Functional tests

Accuracy of `toxicity` at the language's threshold on HateCheck, Multilingual HateCheck and HatemojiCheck,
which were never trained on; a benign kind that is often wrong is a false alarm.
"""
_CONFUSION: Final = """## Confusion

Share of each true class's rows by the class that the model finds likeliest, over the test parts of all sets
together; only rows with exactly one true class, only classes that the row's set asks for, no thresholds.
"""
_CALIBRATION: Final = """## Calibration

Expected calibration error over the test parts of all sets together (15 bins). Scores are calibrated on the
dev parts of all sets. Isotonic regression on the same parts, tried on top, made toxicity no better and
sarcasm worse: what remains is that sets differ in how often they call a line toxic or sarcastic.

![reliability diagram]({picture})
"""
_ROBUSTNESS: Final = """## Robustness

Recall of toxic lines at 5 % false positives on the clean lines of the same test part, before and after each
attack of `serving/training/attacks.py`; `false alarms after` is the share of harmless lines, attacked alike,
above the same threshold. Last two columns: the same weights on lower-cased text without the normaliser.
`emote_padding` puts an emote before every word. Training saw attacked copies of some train rows.
Sets: {sets}.
"""
_BIAS: Final = """## False alarms on harmless sentences

Share of harmless sentences that `toxicity` calls toxic at the language's threshold (HateCheck, Multilingual
HateCheck; never trained on). `ident_`: neutral or positive sentences about a group, below by group;
`counter_`: quotes of hate and answers to it; `slur_reclaimed`: a group's own use of a slur. Where a rate is
high, do not let a score alone decide about anything.
"""
_EMOTES: Final = """## Emotes

The same weights with the meanings of emotes (`pipelines/core/text/emotes.yaml`) and without, on streams that
taught none of them. One reader, who also settled the lexicon and saw these lines while doing so, labelled
them by hand: slightly optimistic. Lines of these streams stand among the unlabelled chat that taught the
weights languages and, weakly, that chat is seldom sarcastic. The other figures:
`serving/training/emotes/ablation.py`.
"""
_MEASURES: Final = (
    "macro-F1", "average recall", "F1 of positive", "macro-F1 at .5", "average precision", "ECE",
)  # fmt: skip


def write_card(
    folder: Path,
    config: ScoringModelConfig,
    figures: list[Figure],
    functional: list[Functionality],
    speed: Throughput,
    confusions: list[Confusion],
    calibration: list[Reliability],
    attacks: list[Robustness],
    alarms: list[FalseAlarms],
    emotes: list[Ablated],
) -> Path:
    """Write CARD.md and its pictures into the model folder and return the card's path."""
    weights = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".md", ".svg")]
    size = sum(path.stat().st_size for path in weights) / 1e6
    parts = [
        _INTRODUCTION.read_text("utf-8").format(
            name=config.name, version=config.version, architecture=_architecture(config), size=size,
            rate=speed.whole, prepared=speed.prepared,
            supported=", ".join(sorted(config.supported)),
            notes="".join(f"- {note}\n" for note in config.notes),
        ),
        _TEST_FIGURES,
        f"![macro-F1 by language]({draw_languages(folder, figures).name})\n",
        table(figures),
        "## Language identification\n\nOn the test rows, one line at a time, without the stream's hint.\n",
        _language_table(figures),
        _CONFUSION,
        confusion_table(confusions),
        _CALIBRATION.format(picture=draw_reliability(folder, calibration).name),
        reliability_table(calibration),
        _ROBUSTNESS.format(sets=", ".join(ATTACKED_SETS)),
        robustness_table(attacks),
        _BIAS,
        false_alarm_table(alarms),
        _EMOTES,
        ablation_table(emotes),
        _FUNCTIONAL_TESTS,
        _functional_table(functional),
        "## Training data\n\nText of these sets is not part of this repository.\n",
        _sets_table(),
    ]  # fmt: skip
    path = folder / "CARD.md"
    path.write_text("\n".join(parts), "utf-8")
    return path


def _architecture(config: ScoringModelConfig) -> str:
    match config:
        case FastModelConfig():
            return _FAST.format(features=config.features, dimensions=config.dimensions)
        case BaseModelConfig():
            return _BASE
        case _:
            raise TypeError(f"no card for a model of backend {config.backend}")


def table(figures: Iterable[Figure]) -> str:
    """Markdown table of figures, one row a set, language and head."""
    grouped: dict[tuple[str, str, str], dict[str, Figure]] = {}
    for figure in figures:
        if figure.head != "language":
            grouped.setdefault((figure.set_name, figure.lang, figure.head), {})[figure.measure] = figure
    rows = []
    for (set_name, lang, head), measures in grouped.items():
        cells = [f"{measures[name].value:.3f}" if name in measures else "" for name in _MEASURES]
        published = next((figure.published for figure in measures.values() if figure.published), "")
        count = next(iter(measures.values())).rows
        rows.append([set_name, lang, head, str(count), *cells, published])
    return _markdown(["set", "lang", "head", "rows", *_MEASURES, "published"], rows)


def _language_table(figures: list[Figure]) -> str:
    by_lang: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        if figure.head == "language":
            by_lang.setdefault(figure.lang, {})[figure.measure] = figure
    rows = [
        [
            lang,
            str(found["accuracy"].rows),
            f"{found['accuracy'].value:.3f}",
            f"{found['abstained'].value:.3f}",
        ]
        for lang, found in by_lang.items()
    ]
    return _markdown(["lang", "rows", "named rightly", "abstained"], rows)


def _functional_table(functional: list[Functionality]) -> str:
    worst = sorted(functional, key=lambda entry: entry.accuracy)[:_WORST]
    by_set: dict[tuple[str, str, bool], list[Functionality]] = {}
    for entry in functional:
        by_set.setdefault((entry.set_name, entry.lang, entry.hateful), []).append(entry)
    rows = []
    for (set_name, lang, hateful), entries in by_set.items():
        count = sum(entry.rows for entry in entries)
        right = sum(entry.accuracy * entry.rows for entry in entries) / count
        rows.append([set_name, lang, _kind(hateful), str(count), f"{right:.3f}"])
    summary = _markdown(["set", "lang", "sentences", "rows", "right"], rows)
    details = _markdown(
        ["worst kinds", "lang", "sentences", "rows", "right"],
        [
            [
                entry.name,
                entry.lang,
                "hateful" if entry.hateful else "benign",
                str(entry.rows),
                f"{entry.accuracy:.3f}",
            ]
            for entry in worst
        ],
    )
    return summary + "\n" + details


def _kind(hateful: bool) -> str:
    return "hateful" if hateful else "benign"


def _sets_table() -> str:
    sets = yaml.safe_load((Path(__file__).parent / "sets.yaml").read_text("utf-8"))
    return _markdown(
        ["set", "source", "licence stated there"], [[name, *entry] for name, entry in sets.items()]
    )


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
