"""What a scorer is and how one is loaded: in process for the command line, behind Ray Serve for the stack."""

from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

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
    from serving.scorer.fast import FastScorer

    return FastScorer.load(model_folder(model), device)


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
