"""A scorer with random weights for every test of this folder."""

from pathlib import Path

import pytest

from serving.scorer.fast import FastScorer
from serving.scorer.model_slot import ModelSlot
from tests.unit.serving.scorer.stub_model import write_stub_model


@pytest.fixture(scope="session")
def stub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stub_model(tmp_path_factory.mktemp("models") / "stub")


@pytest.fixture(scope="session")
def scorer(stub_folder: Path) -> FastScorer:
    return FastScorer.load(stub_folder)


@pytest.fixture
def slot(scorer: FastScorer) -> ModelSlot:
    slot = ModelSlot(lambda _: scorer)
    slot.use("stub")
    return slot
