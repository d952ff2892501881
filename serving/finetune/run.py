"""The whole run: read the file, fine-tune, tune thresholds, report, write a versioned model folder."""

import hashlib
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.finetune.labelled import DEV, TEST, TRAIN, Labelled, read_labelled
from serving.finetune.report import Change, Drift, Heads, changes, drifts, table
from serving.finetune.tune import Progress, Tuned, TuneSettings, tune
from serving.scorer.fast import FastScorer
from serving.scorer.model_config import CONFIG, KEYS, FastModelConfig, ScoringModelConfig
from serving.scorer.model_config import HEADS as NETWORK
from serving.training.calibrate import best_threshold
from serving.training.export import write_table
from serving.training.labels import HEADS, SLICES

REPORT: Final = "REPORT.md"
FIGURES: Final = "report.json"
_DIGEST: Final = 8
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Outcome:
    """Where the model lies and what it is worth on the held-out part."""

    folder: Path
    version: str
    epoch: int
    changes: list[Change]
    drifts: list[Drift]


def finetune(
    base: Path, file: Path, models: Path, name: str, settings: TuneSettings, report: Progress
) -> Outcome:
    """Fine-tune the model of the folder `base` on a labelled file.

    Writes `models/name/version`, a folder that every command and the stack load, with the report in it. The
    version names the model before and a digest of file and settings: equal input gives an equal version.

    Raises:
        LabelledFileError: If the file cannot be used.
        GraphError: If the model cannot be fine-tuned.
        ValueError: If `name` is no name for a folder, or the model is of a tier that is not fine-tuned.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name}: a name has small letters, digits, dots, dashes and underscores")
    if (backend := ScoringModelConfig.read(base).backend) != "fast":
        raise ValueError(f"{base.name} is of the tier {backend}; models of the tier fast can be fine-tuned")
    data = read_labelled(file)
    before = FastScorer.load(base)
    tuned = tune(base, data, settings, report)
    digest = hashlib.sha256(f"{data.digest} {settings}".encode()).hexdigest()
    version = f"{before.version}+{digest[:_DIGEST]}"
    folder = models / name / version
    fresh = models / name / f".{version}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    shutil.copyfile(base / KEYS, fresh / KEYS)
    write_table(fresh, tuned.table)
    tuned.network.save(fresh / NETWORK)
    config = before.config.model_copy(update={"name": name, "version": version})
    _write(fresh, config)
    config = _with_thresholds(config, data, FastScorer.load(fresh))
    _write(fresh, config)
    after = FastScorer.load(fresh)
    outcome = _outcome(folder, data, before, after, tuned)
    (fresh / REPORT).write_text(_report(before, outcome, data, tuned), "utf-8")
    (fresh / FIGURES).write_bytes(_figures(before, outcome, data, tuned))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return outcome


def _write(folder: Path, config: FastModelConfig) -> None:
    (folder / CONFIG).write_text(config.model_dump_json(indent=1) + "\n", "utf-8")


def _with_thresholds(config: FastModelConfig, data: Labelled, scorer: FastScorer) -> FastModelConfig:
    """Thresholds of the labels that the dev part has enough of; those by language give way to them."""
    rows = data.rows(DEV)
    heads = _probabilities(scorer, data, rows)
    chosen = dict(config.thresholds)
    for head, labels in HEADS.items():
        for at, label in enumerate(labels):
            known = data.known[rows][:, SLICES[head].start + at]
            true = data.targets[rows][known, SLICES[head].start + at] >= 0.5
            single = len(labels) == 1
            value = best_threshold(heads[head][known, at], true, single) if head != "sentiment" else None
            if value is not None:
                name = label if single else f"{head}.{label}"
                chosen = {key: kept for key, kept in chosen.items() if not key.startswith(f"{name}@")}
                chosen[name] = value
    return config.model_copy(update={"thresholds": chosen})


def _outcome(folder: Path, data: Labelled, before: FastScorer, after: FastScorer, tuned: Tuned) -> Outcome:
    rows = data.rows(TEST)
    old, new = _probabilities(before, data, rows), _probabilities(after, data, rows)
    found = changes(data, rows, (old, before.config.thresholds), (new, after.config.thresholds))
    return Outcome(folder, after.version, tuned.epoch, found, drifts(data, old, new))


def _probabilities(scorer: FastScorer, data: Labelled, rows: NDArray[np.int64]) -> Heads:
    return scorer.forward([data.texts[row] for row in rows])


def _report(before: FastScorer, outcome: Outcome, data: Labelled, tuned: Tuned) -> str:
    counts = ", ".join(f"{len(data.rows(part))} {part}" for part in (TRAIN, DEV, TEST))
    stopped = (
        f"Epoch {tuned.epoch} of {len(tuned.dev_losses) - 1} had the least loss on the dev part."
        if tuned.epoch
        else "No epoch was better than the model before on the dev part: the weights are unchanged."
    )
    return (
        f"# {outcome.folder.parent.name} {outcome.version}\n\n"
        f"{before.name} {before.version}, fine-tuned on labelled rows ({counts}; SHA-256 of the file "
        f"{data.digest}). {stopped}\n\n"
        "Figures of the test part, which neither training nor thresholds saw. Before: thresholds as shipped; "
        "after: tuned on the dev part. An interval on both sides of 0 shows no change.\n\n"
        f"{table(outcome.changes, outcome.drifts)}"
    )


def _figures(before: FastScorer, outcome: Outcome, data: Labelled, tuned: Tuned) -> bytes:
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "from": {"model": before.name, "model_version": before.version},
                "model_version": outcome.version,
                "data_sha256": data.digest,
                "rows": {part: len(data.rows(part)) for part in (TRAIN, DEV, TEST)},
                "epoch": tuned.epoch,
                "dev_losses": tuned.dev_losses,
                "changes": [asdict(change) for change in outcome.changes],
                "drifts": [asdict(drift) for drift in outcome.drifts],
            }
        ),
        indent=1,
    )
