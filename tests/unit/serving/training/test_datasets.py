"""Frozen splits: groups stay together, nothing of dev or test stands in train."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.training.datasets import DEV, TEST, TRAIN, DataMissingError, data_folder, load_corpus
from serving.training.labels import SLICES


def _write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    (folder / "labelled").mkdir(exist_ok=True)
    empty = {
        "emotions": None,
        "sentiment": None,
        "irony": None,
        "toxic_kind": None,
        "group": None,
        "lang": "en",
    }
    schema = pa.schema(
        [
            ("text", pa.string()), ("lang", pa.string()), ("split", pa.string()), ("group", pa.string()),
            ("emotions", pa.list_(pa.string())), ("sentiment", pa.int8()), ("irony", pa.int8()),
            ("toxic", pa.float32()), ("toxic_kind", pa.string()),
        ]
    )  # fmt: skip
    table = pa.Table.from_pylist([empty | row for row in rows], schema=schema)
    pq.write_table(table, folder / "labelled" / f"{name}.parquet")


def test_own_splits_keep_groups_together_and_never_change(tmp_path: Path) -> None:
    rows = [
        {"text": f"line {i} of a match", "split": "train", "toxic": float(i % 2), "group": f"match{i // 5}"}
        for i in range(2_000)
    ]
    _write(tmp_path, "ptbr_live_toxic", rows)
    corpus = load_corpus(tmp_path, ["ptbr_live_toxic"])
    again = load_corpus(tmp_path, ["ptbr_live_toxic"])
    assert corpus.parts.tolist() == again.parts.tolist()
    parts_of_group: dict[int, set[int]] = {}
    for text, part in zip(corpus.texts, corpus.parts.tolist(), strict=True):
        number = next(int(word) for word in text.split() if word.isdecimal())
        parts_of_group.setdefault(number // 5, set()).add(part)
    assert all(len(parts) == 1 for parts in parts_of_group.values())
    shares = [len(corpus.rows(part)) / 2_000 for part in (TRAIN, DEV, TEST)]
    assert shares[0] > 0.6
    assert 0.02 < shares[1] < 0.15
    assert 0.08 < shares[2] < 0.25


def test_a_dev_part_serves_as_test_where_there_is_none(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "split": "dev" if i < 50 else "train", "toxic": 1.0} for i in range(500)]
    _write(tmp_path, "polish_cbd", rows)
    corpus = load_corpus(tmp_path, ["polish_cbd"])
    assert {corpus.texts[i] for i in corpus.rows(TEST)} == {f"text {i}" for i in range(50)}
    assert len(corpus.rows(DEV)) > 0


def test_canonical_duplicates_of_held_out_text_leave_train(tmp_path: Path) -> None:
    rows = [
        {"text": "You are bad", "split": "test", "toxic": 1.0},
        {"text": "you  are BAD", "split": "train", "toxic": 1.0},
        {"text": "y\u043eu are bad", "split": "dev", "toxic": 1.0},
        {"text": "something else", "split": "train", "toxic": 0.0},
    ]
    _write(tmp_path, "told_br", rows)
    corpus = load_corpus(tmp_path, ["told_br"])
    assert [corpus.texts[i] for i in corpus.rows(TRAIN)] == ["something else"]


def test_attacked_copies_of_train_rows_keep_their_labels(tmp_path: Path) -> None:
    rows = [
        {"text": f"quizzaciously zorp{'abcdefghij'[i % 10]} number {i}", "toxic": float(i % 2), "split": part}
        for part, count in (("train", 200), ("dev", 20), ("test", 20))
        for i in range(count)
    ]
    _write(tmp_path, "told_br", rows)
    clean = load_corpus(tmp_path, ["told_br"])
    corpus = load_corpus(tmp_path, ["told_br"], attacked=0.5)
    assert corpus.texts[: len(clean.texts)] == clean.texts
    assert not set(corpus.texts[len(clean.texts) :]) & set(clean.texts)
    copies = np.arange(len(clean.texts), len(corpus.texts))
    assert 20 < len(copies) < 100
    assert (corpus.parts[copies] == TRAIN).all()
    toxic = corpus.targets[copies, SLICES["toxicity"].start] > 0.5
    assert 0.2 < toxic.mean() < 0.8
    assert load_corpus(tmp_path, ["told_br"], attacked=0.5).texts == corpus.texts


def test_missing_data_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SHARED", str(tmp_path))
    with pytest.raises(DataMissingError, match="PULSE_SHARED"):
        data_folder()
