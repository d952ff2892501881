"""Evaluation asks for the same texts several times: a model that remembers what it said of each."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.plain import PreparedLines
from serving.scorer.backend import ChatModel
from serving.scorer.language import Languages
from serving.scorer.model_config import ScoringModelConfig

_MOST_TEXTS: Final = 2_048


class Remembering:
    """A `backend.ChatModel` whose `forward` computes each text once; the rest is the model's own."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._rows: dict[str, int] = {}
        self._parts: dict[str, list[NDArray[np.float32]]] = {}

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._model.name

    @property
    def version(self) -> str:
        """Version of its weights."""
        return self._model.version

    @property
    def config(self) -> ScoringModelConfig:
        """What its folder says of it."""
        return self._model.config

    def forward(self, texts: list[str]) -> dict[str, NDArray[np.float32]]:
        """Probabilities of every head for prepared texts: head → array (texts, labels of the head)."""
        fresh = list(dict.fromkeys(text for text in texts if text not in self._rows))
        for start in range(0, len(fresh), _MOST_TEXTS):
            part = fresh[start : start + _MOST_TEXTS]
            for head, values in self._model.forward(part).items():
                self._parts.setdefault(head, []).append(values)
            self._rows |= {text: len(self._rows) + at for at, text in enumerate(part)}
        if not texts:
            return self._model.forward([])
        rows = np.array([self._rows[text] for text in texts])
        for head, parts in self._parts.items():
            if len(parts) > 1:
                self._parts[head] = [np.concatenate(parts)]
        return {head: parts[0][rows] for head, parts in self._parts.items()}

    def languages(self, texts: list[str], hints: list[str | None]) -> Languages:
        """Language and abstention of canonical texts, given the language of each one's stream or None."""
        return self._model.languages(texts, hints)

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a batch; see `serving.scorer.backend.Scorer.score`."""
        return self._model.score(batch)

    def score_prepared(self, batch: pa.RecordBatch, prepared: PreparedLines) -> pa.RecordBatch:
        """Score a conforming batch whose texts have been prepared."""
        return self._model.score_prepared(batch, prepared)
