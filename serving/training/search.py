"""Search for the few choices of a training run that matter, by the dev parts alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import optuna
from numpy.typing import NDArray

from serving.training.calibrate import best_threshold, logits_of
from serving.training.datasets import DEV, TRAIN, Corpus
from serving.training.figures import f1, macro_f1
from serving.training.fit import Fitted, Settings, fit
from serving.training.labels import HEADS, SLICES, TARGETS
from serving.training.run import Lines, examples_of, language_classes

SEARCHED = ("epochs", "keep_features", "dropout", "hidden", "table_rate")
"""Settings that are searched."""
Report = Callable[[int, Settings, float], None]


def search(
    corpus: Corpus, lines: Lines, trials: int, start: Settings, report: Report
) -> tuple[Settings, float]:
    """The best of `trials` whole runs by `dev_score`, the first with `start`; `report` is called after each.

    Tree-structured Parzen estimator (Bergstra et al. 2011), as Optuna implements it; the same trials for the
    same seed.
    """
    languages = language_classes(corpus, corpus.rows(TRAIN))
    examples = examples_of(corpus, lines, languages, start.features)

    def objective(trial: optuna.Trial) -> float:
        settings = replace(
            start,
            epochs=trial.suggest_int("epochs", 6, 32),
            keep_features=trial.suggest_float("keep_features", 0.2, 0.7),
            dropout=trial.suggest_float("dropout", 0.1, 0.6),
            hidden=trial.suggest_int("hidden", 32, 512, step=32),
            table_rate=trial.suggest_float("table_rate", 0.02, 0.12, log=True),
        )
        fitted = fit(examples, settings, len(languages), len(corpus.set_names))
        score = dev_score(fitted, corpus)
        report(trial.number, settings, score)
        return score

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=start.seed))
    study.enqueue_trial({name: getattr(start, name) for name in SEARCHED})
    study.optimize(objective, n_trials=trials)
    return replace(start, **study.best_params), study.best_value


def dev_score(fitted: Fitted, corpus: Corpus) -> float:
    """Mean of the heads' figures, each the mean over the sets of macro-F1 on their dev parts.

    Thresholds for one half of the rows come from the other half: no row judges a threshold that it chose.
    """
    rows = corpus.rows(DEV)
    logits = logits_of(fitted, [corpus.texts[i] for i in rows])[:, :TARGETS]
    by_head: dict[str, list[float]] = {head: [] for head in HEADS}
    for index in range(len(corpus.set_names)):
        of_set = np.flatnonzero(corpus.sets[rows] == index)
        known, true = corpus.weights[rows[of_set]] > 0, corpus.targets[rows[of_set]] >= 0.5
        for head, part in SLICES.items():
            if head == "sentiment":
                figure = _sentiment(logits[of_set, part], true[:, part], known[:, part])
            else:
                figure = _labels(logits[of_set, part], true[:, part], known[:, part])
            if figure is not None:
                by_head[head].append(figure)
    return float(np.mean([np.mean(figures) for figures in by_head.values() if figures]))


def _sentiment(
    logits: NDArray[np.float32], true: NDArray[np.bool_], known: NDArray[np.bool_]
) -> float | None:
    rows = known.any(axis=1)
    if not rows.any():
        return None
    chosen = np.where(known[rows], logits[rows], -np.inf).argmax(axis=1)
    return macro_f1(chosen, true[rows].argmax(axis=1), logits.shape[1])


def _labels(logits: NDArray[np.float32], true: NDArray[np.bool_], known: NDArray[np.bool_]) -> float | None:
    single = logits.shape[1] == 1
    figures = []
    for at in range(logits.shape[1]):
        rows = known[:, at]
        probabilities, positive = 1 / (1 + np.exp(-logits[rows, at])), true[rows, at]
        predicted = np.zeros(len(positive), dtype=bool)
        halves = np.arange(len(positive)) % 2 == 0
        for half in (halves, ~halves):
            threshold = best_threshold(probabilities[half], positive[half], single)
            predicted[~half] = probabilities[~half] >= (0.5 if threshold is None else threshold)
        if positive.any() and not positive.all():
            both = macro_f1(predicted.astype(np.int64), positive.astype(np.int64), 2)
            figures.append(both if single else f1(predicted, positive))
    return float(np.mean(figures)) if figures else None
