"""Robustness, calibration and false alarms on a stub model and hand-made rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.scorer.fast import FastScorer
from serving.training.attacks import ATTACKS
from serving.training.bias import FalseAlarms, false_alarm_table, false_alarms, groups_named
from serving.training.figures import Figure, calibration_error
from serving.training.plots import draw_languages, draw_reliability
from serving.training.reliability import binned, reliability_table
from serving.training.robustness import SETS, Robustness, robustness, robustness_table
from tests.unit.serving.scorer.stub_model import write_stub_model

COLUMNS = ("emotions", "toxic_kind", "sentiment", "irony", "group")


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> FastScorer:
    return FastScorer.load(write_stub_model(tmp_path_factory.mktemp("models") / "stub"))


def write_set(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    (folder / "labelled").mkdir(exist_ok=True)
    table = pa.Table.from_pylist([dict.fromkeys(COLUMNS) | {"split": "test"} | row for row in rows])
    pq.write_table(table, folder / "labelled" / f"{name}.parquet")


def test_every_attack_is_measured_with_the_normaliser_and_without(tmp_path: Path, scorer: FastScorer) -> None:
    for name in SETS:
        rows = [{"text": f"line {n} of {name}", "lang": "en", "toxic": float(n % 2)} for n in range(80)]
        write_set(tmp_path, name, [row | {"split": "test"} for row in rows])
    found = robustness(scorer, tmp_path)
    assert {(entry.attack, entry.set_name, entry.normalised) for entry in found} == {
        (attack, name, normalised) for attack in ATTACKS for name in SETS for normalised in (True, False)
    }
    assert all(0 <= entry.recall_after <= 1 for entry in found)


def test_the_table_shows_what_is_kept_and_the_worst_set() -> None:
    found = [
        Robustness("leet", lang, lang, normalised, 0.5, after, 0.1, 10)
        for normalised in (True, False)
        for lang, after in (("en", 0.5), ("ru", 0.1))
    ]
    assert "| leet | 0.500 | 0.300 | 0.600 | 0.200 (ru) | 0.100 |" in robustness_table(found)


def test_binned_error_is_the_expected_calibration_error() -> None:
    random = np.random.default_rng(5)
    said = random.random(2_000).astype(np.float32)
    true = random.random(2_000) < said**2
    entry = binned("toxicity", said, true)
    assert entry.error == pytest.approx(calibration_error(said, true), abs=1e-6)
    assert "| toxicity | 2,000 |" in reliability_table([entry])


def test_false_alarms_by_kind_and_group(tmp_path: Path, scorer: FastScorer) -> None:
    rows = [
        {"text": "I am a woman.", "lang": "en", "toxic": 0.0, "toxic_kind": "ident_neutral_nh"},
        {"text": "Gay people are great.", "lang": "en", "toxic": 0.0, "toxic_kind": "ident_pos_nh"},
        {"text": "I hate women.", "lang": "en", "toxic": 1.0, "toxic_kind": "derog_h"},
    ]
    for name in ("hatecheck_en", "multilingual_hatecheck"):
        write_set(tmp_path, name, rows)
    kinds = {entry.kind for entry in false_alarms(scorer, tmp_path)}
    assert kinds == {"ident_neutral_nh", "ident_pos_nh", "group: women", "group: gay"}
    assert list(groups_named("sou uma mulher negra", "pt")) == ["women", "black"]


def test_the_table_leaves_out_what_a_language_lacks() -> None:
    found = [FalseAlarms("en", "a_nh", 0.5, 2), FalseAlarms("pt", "b_nh", 0.25, 4)]
    assert "| a_nh | 0.50 |  |\n| b_nh |  | 0.25 |" in false_alarm_table(found)


def test_pictures_are_the_same_for_the_same_figures(tmp_path: Path) -> None:
    entry = binned("hate", np.array([0.1, 0.9], np.float32), np.array([False, True]))
    figures = [Figure("set", "en", "hate", "macro-F1", 0.5, 10)]
    first = [draw_reliability(tmp_path, [entry]).read_bytes(), draw_languages(tmp_path, figures).read_bytes()]
    again = [draw_reliability(tmp_path, [entry]).read_bytes(), draw_languages(tmp_path, figures).read_bytes()]
    assert first == again
    assert b"ECE 0.100" in first[0]
