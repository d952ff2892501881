"""What a scorer is and how one is loaded: in process for the command line, behind Ray Serve for the stack."""

from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ValidationError

from pipelines.core.text.plain import PreparedLines
from serving.scorer.language import Languages
from serving.scorer.model_config import ScoringModelConfig

MODELS: Final = Path(__file__).resolve().parents[1] / "models"
DEFAULT_MODEL: Final = "fast"


class ModelNotFoundError(Exception):
    """There is no model of that name or in that folder, or it lacks a file."""


class DeviceUnavailableError(Exception):
    """The model cannot run on the device that was asked for."""


class Scorer(Protocol):
    """Scores batches of messages. Pure: one batch in, one batch out, the same rows in the same order.

    A scorer may be called from one thread at a time; calling it twice with a batch gives the same answer.
    """

    @property
    def name(self) -> str:
        """Name of the model, as in `chat.scored.v1`."""

    @property
    def version(self) -> str:
        """Version of its weights, as in `chat.scored.v1`."""

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a batch of `schemas.scoring.REQUEST`; answers `schemas.scoring.RESPONSE`, rows in order.

        Raises:
            InvalidBatchError: If the batch lacks a column or holds one of another type.
        """


class ChatModel(Scorer, Protocol):
    """A scorer of our own training, with what evaluation asks of it."""

    @property
    def config(self) -> ScoringModelConfig:
        """What its folder says of it."""

    def forward(self, texts: list[str]) -> dict[str, NDArray[np.float32]]:
        """Probabilities of every head for prepared texts: head → array (texts, labels of the head)."""

    def languages(self, texts: list[str], hints: list[str | None]) -> Languages:
        """Language and abstention of canonical texts, given the language of each one's stream or None."""

    def score_prepared(self, batch: pa.RecordBatch, prepared: PreparedLines) -> pa.RecordBatch:
        """Score a conforming batch whose texts have been prepared."""


def load_scorer(model: str | Path = DEFAULT_MODEL, device: str = "cpu") -> Scorer:
    """Load a model by name (a folder under `serving/models`), by the path of its folder, or as `hf:…`.

    `hf:…` names Hugging Face classifiers, see `serving.scorer.hf_config.read_hf_config`.

    Raises:
        ModelNotFoundError: If there is no such model or a file of it is missing.
        DeviceUnavailableError: If it cannot run on `device` (cpu or cuda) here.
    """
    if str(model).startswith("hf:"):
        from serving.scorer.hf import HfScorer

        return HfScorer.load(str(model), device)
    return load_folder(model_folder(model), device)


def load_folder(folder: Path, device: str = "cpu") -> "ChatModel":
    """Load the model of a folder: what its config calls its backend.

    Raises:
        ModelNotFoundError: If a file of it is missing or its config is not valid.
        DeviceUnavailableError: If it cannot run on `device` here.
    """
    # Imported here: the fast model needs neither a tokeniser nor what a GPU needs.
    try:
        backend = ScoringModelConfig.read(folder).backend
    except ValidationError as error:
        lacks = ", ".join(str(part) for found in error.errors() for part in found["loc"])
        raise ModelNotFoundError(f"{folder / 'config.json'} is no model's: look at {lacks}") from error
    if backend == "base":
        from serving.scorer.base import BaseScorer

        return BaseScorer.load(folder, device)
    if backend == "fast":
        from serving.scorer.fast import FastScorer

        return FastScorer.load(folder, device)
    raise ModelNotFoundError(f"{folder} is made for a scorer called {backend}, which is not known here")


def model_folder(model: str | Path) -> Path:
    """Folder of a model by name or path.

    Raises:
        ModelNotFoundError: If there is no such model.
    """
    folder = Path(model) if Path(model).is_dir() else MODELS / str(model)
    if not (folder / "config.json").is_file():
        known = ", ".join(sorted(path.parent.name for path in MODELS.glob("*/config.json"))) or "none"
        raise ModelNotFoundError(f"no model at {folder}: name one of {known}, or a folder with a config.json")
    return folder
