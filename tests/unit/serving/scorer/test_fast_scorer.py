"""The contract of a scorer: rows in order, ranges, the same answer whatever the batch."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scoring import REQUEST, RESPONSE
from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError, load_scorer
from serving.scorer.batches import InvalidBatchError
from serving.scorer.fast import FastScorer


def _batch(texts: list[str], **columns: list[object]) -> pa.RecordBatch:
    rows = [
        {"id": f"m{index}", "text": text, **{name: values[index] for name, values in columns.items()}}
        for index, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(
        [{field.name: row.get(field.name) for field in REQUEST} for row in rows], schema=REQUEST
    )


TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=8)


@settings(deadline=None)
@given(TEXTS)
def test_answer_keeps_rows_and_ranges(scorer: FastScorer, texts: list[str]) -> None:
    answer = scorer.score(_batch(texts))
    assert answer.schema.equals(RESPONSE)
    assert answer["id"].to_pylist() == [f"m{index}" for index in range(len(texts))]
    for name in ("toxicity", "hate", "sarcasm"):
        assert all(0 <= value <= 1 for value in answer[name].to_pylist())
    assert all(-1 <= value <= 1 for value in answer["sentiment"].to_pylist())
    pairs = zip(answer["toxicity"].to_pylist(), answer["hate"].to_pylist(), strict=True)
    assert all(toxicity >= hate for toxicity, hate in pairs)


@settings(deadline=None)
@given(TEXTS)
def test_a_row_scores_alike_alone_and_in_a_batch(scorer: FastScorer, texts: list[str]) -> None:
    together = scorer.score(_batch(texts)).to_pylist()
    alone = [scorer.score(_batch([text])).to_pylist()[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one["emotions"], other["emotions"], atol=1e-5)
        assert one["toxicity"] == pytest.approx(other["toxicity"], abs=1e-5)
        assert one["abstained"] == other["abstained"]


def test_metadata_names_the_model(scorer: FastScorer) -> None:
    metadata = scorer.score(_batch(["hello"])).schema.metadata
    assert metadata == {b"model": b"stub", b"model_version": b"0"}


@pytest.mark.parametrize("text", ["", "\u200b", "   ", "@someone https://x.y"])
def test_nothing_left_to_read_abstains_with_figures(scorer: FastScorer, text: str) -> None:
    row = scorer.score(_batch([text])).to_pylist()[0]
    assert row["abstained"]
    assert len(row["emotions"]) == 28
    assert row["toxicity"] is not None


def test_unread_scripts_abstain_and_lines_without_words_do_not(scorer: FastScorer) -> None:
    rows = scorer.score(
        _batch(["สวัสดีครับ", "こんにちは", "😂😂", "Kappa"], emotes=[None, None, None, ["Kappa"]])
    ).to_pylist()
    assert [row["abstained"] for row in rows] == [True, True, False, False]
    assert [row["lang"] for row in rows] == [None, "ja", "und", "und"]


def test_lines_without_words_take_the_language_of_their_stream(scorer: FastScorer) -> None:
    row = scorer.score(_batch(["😂😂"], lang=["pt-BR"])).to_pylist()[0]
    assert row["lang"] == "pt"


def test_a_megabyte_of_text_is_cut(scorer: FastScorer) -> None:
    long, cut = scorer.score(_batch(["spam " * 200_000, "spam " * 400])).to_pylist()
    assert long["toxicity"] == pytest.approx(cut["toxicity"], abs=1e-6)


def test_missing_optional_columns_and_large_strings_are_read(scorer: FastScorer) -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(["a"]), pa.array(["hello"], pa.large_string())], names=["id", "text"]
    )
    assert scorer.score(batch).num_rows == 1


@pytest.mark.parametrize(
    "batch",
    [
        pa.RecordBatch.from_pydict({"id": ["a"]}),
        pa.RecordBatch.from_pydict({"id": ["a"], "text": pa.array([None], pa.string())}),
        pa.RecordBatch.from_pydict({"id": ["a"], "text": ["x"], "emotes": [1]}),
    ],
)
def test_batches_against_the_contract_are_refused(scorer: FastScorer, batch: pa.RecordBatch) -> None:
    with pytest.raises(InvalidBatchError, match="column"):
        scorer.score(batch)


def test_unknown_models_and_devices_are_named(stub_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no model at"):
        load_scorer("no-such-model")
    with pytest.raises(DeviceUnavailableError, match="set device to cpu"):
        load_scorer(stub_folder, "abacus")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelNotFoundError, match=r"config\.json is no model's: look at name, version"):
        load_scorer(tmp_path)
    shutil.copyfile(stub_folder / "config.json", tmp_path / "config.json")
    with pytest.raises(ModelNotFoundError, match="lacks"):
        load_scorer(tmp_path)
