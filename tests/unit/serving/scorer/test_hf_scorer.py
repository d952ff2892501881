"""The tier `hf:` over a tiny classifier that is made here."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `gpu` or `train`")
transformers = pytest.importorskip("transformers", reason="needs the extra `gpu` or `train`")

from schemas.labels import BASIC  # noqa: E402
from schemas.scoring import REQUEST, RESPONSE  # noqa: E402
from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError, load_scorer  # noqa: E402
from serving.scorer.fast import FastScorer  # noqa: E402

WORDS = ["love", "hate", "this", "stream", "so", "much", "bad", "good", "you", "are", "и", "это"]
TEXTS = [
    "love this stream so much",
    "you are bad",
    "good",
    "",
    "hate " * 300,
    "so so so",
    "это и это и стрим",
]
LABELS = {0: "Negative", 1: "neutral", 2: "Positive", 3: "rude", 4: "happy", 5: "glad"}
MAP = """
    negative: sentiment.negative
    positive: sentiment.positive
    rude: [toxicity, basic.anger]
    happy: basic.joy
    glad: basic.joy
"""


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf") / "tiny"
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64, id2label=LABELS, initializer_range=0.8,
        problem_type="multi_label_classification",
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def _write(folder: Path, rest: Path, **fields: str) -> str:
    extra = "".join(f"  {name}: {value}\n" for name, value in fields.items())
    file = folder / f"{len(list(folder.glob('*.yaml')))}.yaml"
    file.write_text(
        f"name: tiny\nversion: '7'\nrest: {rest}\nbatch_tokens: 128\n"
        f"classifiers:\n- model: {folder}\n  max_tokens: 32\n{extra}  labels:{MAP}"
    )
    return f"hf:{file}"


def _batch(texts: list[str]) -> pa.RecordBatch:
    rows = [{"id": str(at), "text": text} for at, text in enumerate(texts)]
    return pa.RecordBatch.from_pylist(
        [{field.name: row.get(field.name) for field in REQUEST} for row in rows], schema=REQUEST
    )


def _reference(folder: Path, text: str, sigmoid: bool = True) -> np.ndarray:
    """The probabilities of one text, by transformers alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(text, truncation=True, max_length=32, return_tensors="pt")).logits[0]
    values: np.ndarray = (torch.sigmoid(logits) if sigmoid else torch.softmax(logits, 0)).numpy()
    return values


def test_mapped_figures_are_the_models_own_and_all_others_the_rests(
    model_folder: Path, stub_folder: Path, scorer: FastScorer
) -> None:
    answer = load_scorer(_write(model_folder, stub_folder)).score(_batch(TEXTS))
    rest = scorer.score(_batch(TEXTS))
    assert answer.schema.equals(RESPONSE)
    assert answer.schema.metadata == {b"model": b"tiny", b"model_version": b"7+stub-0"}
    for name in ("id", "emotions", "hate", "sarcasm", "lang", "abstained"):
        assert answer[name].equals(rest[name])
    for row, other, text in zip(answer.to_pylist(), rest.to_pylist(), TEXTS, strict=True):
        negative, _, positive, rude, happy, glad = _reference(model_folder, text)
        assert row["sentiment"] == pytest.approx(positive - negative, abs=1e-5)
        assert row["toxicity"] == pytest.approx(max(rude, row["hate"]), abs=1e-5)
        basic = dict(zip(BASIC, row["basic"], strict=True))
        expected = dict(zip(BASIC, other["basic"], strict=True)) | {"anger": rude, "joy": max(happy, glad)}
        assert basic == pytest.approx(expected, abs=1e-5)


def test_softmax_adds_up_labels_of_one_meaning(model_folder: Path, stub_folder: Path) -> None:
    spec = _write(model_folder, stub_folder, activation="softmax")
    row = load_scorer(spec).score(_batch(["good stream"])).to_pylist()[0]
    values = _reference(model_folder, "good stream", sigmoid=False)
    assert row["basic"][BASIC.index("joy")] == pytest.approx(values[4] + values[5], abs=1e-5)


def test_a_line_in_another_language_keeps_the_rests_figures(
    model_folder: Path, stub_folder: Path, scorer: FastScorer
) -> None:
    batch = _batch(TEXTS)
    langs = scorer.score(batch)["lang"].to_pylist()
    spec = _write(model_folder, stub_folder, languages="[ru]")
    scored, rest = load_scorer(spec).score(batch).to_pylist(), scorer.score(batch).to_pylist()
    changed = [row["sentiment"] != other["sentiment"] for row, other in zip(scored, rest, strict=True)]
    assert changed == [lang == "ru" for lang in langs]
    assert any(changed)


def test_canonical_text_undoes_an_evasion(model_folder: Path, stub_folder: Path) -> None:
    spec = _write(model_folder, stub_folder, text="canonical")
    plain, evaded = (
        load_scorer(spec).score(_batch(["you are bad", "you are b\u200bаd"]))["toxicity"].to_pylist()
    )
    assert plain == pytest.approx(evaded, abs=1e-5)


def test_an_empty_batch_is_answered(model_folder: Path, stub_folder: Path) -> None:
    assert load_scorer(_write(model_folder, stub_folder)).score(_batch([])).num_rows == 0


def test_what_cannot_be_loaded_is_named(model_folder: Path, stub_folder: Path, tmp_path: Path) -> None:
    spec = _write(model_folder, stub_folder)
    file = Path(spec.removeprefix("hf:"))
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(file.read_text().replace("rude:", "crude:"))
    with pytest.raises(ModelNotFoundError, match=r"no label crude; it has Negative, neutral"):
        load_scorer(f"hf:{wrong}")
    (tmp_path / "empty").mkdir()
    wrong.write_text(file.read_text().replace(str(model_folder), str(tmp_path / "empty")))
    with pytest.raises(ModelNotFoundError, match="cannot load"):
        load_scorer(f"hf:{wrong}")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceUnavailableError, match="set device to cpu"):
            load_scorer(spec, "cuda")
