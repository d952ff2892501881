"""A whole run of the tier `base` on generated text, from a tiny pretrained body made here."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("transformers", reason="needs the extra `train`")

from transformers import BertConfig, BertModel  # noqa: E402

from serving.scorer.backend import load_folder  # noqa: E402
from serving.scorer.fast import FastScorer  # noqa: E402
from serving.training.datasets import DEV, Corpus  # noqa: E402
from serving.training.encoder.fit import Settings, encode, fit  # noqa: E402
from serving.training.encoder.network import Encoder, start_body  # noqa: E402
from serving.training.encoder.run import train_corpus  # noqa: E402
from serving.training.encoder.vocabulary import SPECIAL, tokenizer_over, widened  # noqa: E402
from serving.training.evaluate import evaluate  # noqa: E402
from serving.training.run import Lines  # noqa: E402
from tests.unit.serving.scorer.stub_model import write_stub_model  # noqa: E402
from tests.unit.serving.training.test_mini_training import _corpus as mini_corpus  # noqa: E402

torch.set_num_threads(1)  # threads that wait for each other cost more than so small a network
SETTINGS = Settings(rounds=4, batch_tokens=256, longest=16, vocabulary=60, table_rate=5e-3, body_rate=1e-3)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return mini_corpus()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretrained model's folder; its pieces are letters."""
    folder = tmp_path_factory.mktemp("start")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), "you", "are", "the", "stream"]
    tokenizer_over({piece: index for index, piece in enumerate(pieces)}).save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=128,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def test_a_run_learns_and_what_it_writes_is_served(corpus: Corpus, start: Path, tmp_path: Path) -> None:
    fast = write_stub_model(tmp_path / "stub")
    out = tmp_path / "tiny-base"
    train_corpus(corpus, Lines([], []), out, fast, start, "1", SETTINGS, "cpu", lambda stage, done: None)
    scorer = load_folder(out)
    assert (scorer.name, scorer.version) == ("tiny-base", "1")
    figures = {figure.measure: figure.value for figure in evaluate(scorer, corpus)}
    assert figures["macro-F1"] > 0.9
    assert not (tmp_path / "tiny-base.checkpoint").exists()


def test_new_pieces_are_learned_and_pretrained_ones_kept(start: Path) -> None:
    texts = ["привет всем", "привет вам"] * 20
    pieces = widened(start, ["you are the stream"], texts, 40).get_vocab()
    assert {"you", "are", "the", "stream", "привет", "<url>", "@user"} <= set(pieces)
    assert "##z" not in pieces


def test_pretrained_pieces_keep_their_embeddings(start: Path, tmp_path: Path) -> None:
    tokenizer = widened(start, ["you are the stream"], ["привет всем"] * 20, 40)
    body = start_body(start, tokenizer, FastScorer.load(write_stub_model(tmp_path / "stub")))
    table = body.embeddings.word_embeddings.weight.detach().numpy()
    old = BertModel.from_pretrained(start).embeddings.word_embeddings.weight.detach().numpy()
    known = tokenizer.get_vocab()
    assert len(table) == len(known)
    np.testing.assert_array_equal(table[known["you"]], old[len(old) - 4])
    spread = np.linalg.norm(table[known["привет"]] - table[known["всем"]])
    assert spread > 0.01


def test_a_run_goes_on_from_its_checkpoint(
    corpus: Corpus, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.training.encoder.fit.CHECKPOINT_S", 0.0)
    tokenizer = widened(start, corpus.texts, [], 60)
    settings = Settings(rounds=1, batch_tokens=512, longest=16)
    ids = encode(tokenizer, corpus.texts, settings.longest)
    fast = FastScorer.load(write_stub_model(tmp_path / "stub"))

    class CutOff(Exception):
        pass

    def run(stop_at: float) -> dict[str, torch.Tensor]:
        def report(done: float, loss: float) -> None:
            seen.append(done)
            if done >= stop_at:
                raise CutOff

        network = Encoder(start_body(start, tokenizer, fast), 1)
        return fit(network, corpus, ids, settings, "cpu", tmp_path / "run.checkpoint", report).state_dict()

    seen: list[float] = []
    with pytest.raises(CutOff):
        run(0.5)
    first = len(seen)
    run(2.0)
    assert seen[first] > 0.4
    assert corpus.rows(DEV).size
