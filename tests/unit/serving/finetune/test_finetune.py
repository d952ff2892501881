"""A run on generated labels: it learns them, holds the rest in place, and its report is true."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from serving.finetune.graph import GraphError, GraphNetwork  # noqa: E402
from serving.finetune.labelled import TEST, read_labelled  # noqa: E402
from serving.finetune.run import FIGURES, REPORT, Outcome, finetune  # noqa: E402
from serving.finetune.tune import TuneSettings  # noqa: E402
from serving.scorer.backend import load_scorer  # noqa: E402
from serving.scorer.fast import FastScorer  # noqa: E402
from tests.unit.serving.scorer.stub_base import write_stub_base  # noqa: E402
from tests.unit.serving.scorer.stub_model import write_stub_model  # noqa: E402

SETTINGS = TuneSettings(epochs=12, batch=32, table_rate=0.1, network_rate=5e-3, seed=3)
FILLER = ["you", "are", "so", "the", "stream", "today", "really", "what", "player"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stub_model(tmp_path_factory.mktemp("base") / "stub", dimensions=8)


def _file(path: Path, *, random_labels: bool = False) -> Path:
    """Toxic is who says "noob"; nothing else is labelled."""
    random = np.random.default_rng(5)
    rows = []
    for at in range(900):
        toxic = at % 2
        words = [*random.choice(FILLER, 4), "noob" if toxic else "friend", f"n{at}"]
        random.shuffle(words)
        rows.append(
            {"text": " ".join(words), "toxicity": float(random.integers(2) if random_labels else toxic)}
        )
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="module")
def outcome(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("run")
    file = _file(folder / "labels.parquet")
    return finetune(base, file, folder / "models", "acme", SETTINGS, lambda done, loss: None), file


def test_it_learns_the_labels_and_says_so(outcome: tuple[Outcome, Path]) -> None:
    found = {change.measure: change for change in outcome[0].changes if change.head == "toxicity"}
    assert found["macro-F1"].after > 0.95
    assert found["macro-F1"].before < 0.8
    assert found["macro-F1"].low > 0
    assert {change.head for change in outcome[0].changes} == {"toxicity"}


def test_the_report_holds_for_the_written_model(outcome: tuple[Outcome, Path]) -> None:
    found, file = outcome
    data = read_labelled(file)
    rows = data.rows(TEST)
    scorer = FastScorer.load(found.folder)
    predicted = scorer.forward([data.texts[row] for row in rows])["toxicity"][:, 0]
    right = (predicted >= scorer.config.thresholds["toxicity"]) == (data.targets[rows][:, -3] >= 0.5)
    assert right.mean() > 0.95
    report = json.loads((found.folder / FIGURES).read_text())
    assert report["rows"]["test"] == len(rows)
    assert "| toxicity | macro-F1 |" in (found.folder / REPORT).read_text()


def test_what_is_not_labelled_hardly_moves(outcome: tuple[Outcome, Path]) -> None:
    moved = {drift.head: drift.moved for drift in outcome[0].drifts}
    assert set(moved) == {"emotions", "basic", "sentiment", "hate", "sarcasm", "language"}
    assert max(moved.values()) < 0.1


def test_the_folder_is_named_by_its_version_and_loads_like_any_other(outcome: tuple[Outcome, Path]) -> None:
    folder = outcome[0].folder
    scorer = load_scorer(folder)
    assert (scorer.name, scorer.version) == ("acme", folder.name)
    assert folder.name.startswith("0+")
    assert folder.parent.name == "acme"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_labels_without_sense_leave_the_weights_as_they_are_or_gain_nothing(
    base: Path, tmp_path: Path
) -> None:
    file = _file(tmp_path / "labels.parquet", random_labels=True)
    found = finetune(base, file, tmp_path / "models", "noise", SETTINGS, lambda done, loss: None)
    change = next(change for change in found.changes if change.measure == "average precision")
    assert change.after < 0.75


def test_the_graph_runs_and_comes_back_as_it_was(base: Path, tmp_path: Path) -> None:
    network = GraphNetwork.read(base / "heads.onnx")
    network.save(tmp_path / "heads.onnx")
    again = GraphNetwork.read(tmp_path / "heads.onnx")
    inputs = torch.rand(3, 16)
    for head, logits in network(inputs).items():
        torch.testing.assert_close(logits, again(inputs)[head])


def test_an_unknown_operation_is_named(base: Path) -> None:
    network = GraphNetwork.read(base / "heads.onnx")
    network.model.graph.node[0].op_type = "Attention"
    with pytest.raises(GraphError, match="Attention"):
        GraphNetwork(network.model)


def test_a_model_of_another_tier_is_refused(tmp_path: Path) -> None:
    other = write_stub_base(tmp_path / "stub-base")
    with pytest.raises(ValueError, match="stub-base is of the tier base"):
        finetune(other, _file(tmp_path / "l.parquet"), tmp_path, "acme", SETTINGS, lambda done, loss: None)
