"""The tier `base`: the contract of a scorer, what the blend does, that torch computes the same."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.text.plain import prepare_texts
from schemas.scoring import REQUEST, RESPONSE
from serving.scorer.backend import ModelNotFoundError, load_scorer
from serving.scorer.base import BaseScorer, Blender, logits_of, softmax
from serving.scorer.model_config import CONFIG, ENCODER, Blend
from tests.unit.serving.scorer.stub_base import LONGEST, write_stub_base

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stub_base(tmp_path_factory.mktemp("models") / "stub-base")


@pytest.fixture(scope="module")
def base(folder: Path) -> BaseScorer:
    scorer = load_scorer(folder)
    assert isinstance(scorer, BaseScorer)
    return scorer


def _batch(texts: list[str]) -> pa.RecordBatch:
    rows = [{"id": f"m{index}", "text": text} for index, text in enumerate(texts)]
    return pa.RecordBatch.from_pylist(
        [{field.name: row.get(field.name) for field in REQUEST} for row in rows], schema=REQUEST
    )


@settings(deadline=None)
@given(TEXTS)
def test_answer_keeps_rows_and_ranges(base: BaseScorer, texts: list[str]) -> None:
    answer = base.score(_batch(texts))
    assert answer.schema.equals(RESPONSE)
    assert answer["id"].to_pylist() == [f"m{index}" for index in range(len(texts))]
    for name in ("toxicity", "hate", "sarcasm"):
        assert all(0 <= value <= 1 for value in answer[name].to_pylist())
    assert all(-1 <= value <= 1 for value in answer["sentiment"].to_pylist())


@settings(deadline=None)
@given(TEXTS)
def test_a_row_scores_alike_in_any_company(base: BaseScorer, texts: list[str]) -> None:
    together = base.score(_batch(texts)).to_pylist()
    alone = [base.score(_batch([text])).to_pylist()[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one["emotions"], other["emotions"], atol=1e-3)
        assert one["toxicity"] == pytest.approx(other["toxicity"], abs=1e-3)


def test_it_reads_order_which_the_fast_model_alone_does_not(base: BaseScorer) -> None:
    one, other = base.forward(["a b c d", "d c b a"])["emotions"]
    assert np.abs(one - other).max() > 0.01


def test_text_beyond_the_longest_is_cut(base: BaseScorer) -> None:
    words = " ".join("a" * (LONGEST + 5))
    scores = base._encoder.logits([words, words + " b"])
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)


def test_metadata_names_the_model(base: BaseScorer) -> None:
    assert base.score(_batch(["hello"])).schema.metadata == {b"model": b"stub-base", b"model_version": b"0"}


def test_logits_and_probabilities_go_both_ways() -> None:
    probabilities = np.array([[0.1, 0.7, 0.2]], dtype=np.float32)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-logits_of(probabilities, "emotions"))), probabilities, atol=1e-6
    )
    np.testing.assert_allclose(softmax(logits_of(probabilities, "sentiment")), probabilities, atol=1e-6)


def test_each_language_has_weights_of_its_own_and_the_rest_the_common_ones() -> None:
    blend = Blend(
        slopes={"": {"toxicity": (1.0, 0.0)}, "en": {"toxicity": (0.0, 1.0)}},
        offsets={"toxicity": (0.0,)},
    )
    fast = {
        "toxicity": np.array([[0.9], [0.9]], dtype=np.float32),
        "language": np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32),
    }
    blended = Blender(blend, ("en", "ru")).blended(fast, np.zeros((2, 1), dtype=np.float32))
    np.testing.assert_allclose(blended["toxicity"][:, 0], [0.5, 0.9], atol=1e-4)


@pytest.mark.parametrize("name", [ENCODER, CONFIG])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    broken = write_stub_base(tmp_path / "broken")
    (broken / name).unlink()
    with pytest.raises(ModelNotFoundError, match=name):
        load_scorer(broken)


def test_a_folder_of_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    broken = write_stub_base(tmp_path / "broken")
    text = (broken / CONFIG).read_text().replace('"backend":"base"', '"backend":"future"')
    (broken / CONFIG).write_text(text)
    with pytest.raises(ModelNotFoundError, match="future"):
        load_scorer(broken)


def test_torch_computes_what_onnxruntime_computes(base: BaseScorer, folder: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `gpu` or `train`")
    from serving.scorer.encoder_torch import TorchEncoder

    texts = prepare_texts(["hello", "you are a fool", "привет всем", "", "😂 " * 30])
    encoder = TorchEncoder.load(folder, LONGEST, "cpu")
    ours, theirs = base._encoder.logits(texts), encoder.logits(texts)
    # 8-bit activations against float32; the spread of these logits is about 2.
    assert np.abs(ours - theirs).mean() < 0.1
    assert encoder.logits([]).shape == (0, ours.shape[1])
