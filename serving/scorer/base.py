"""The tier `base`: a small transformer and the fast model, their logits weighed by language and head."""

from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.plain import PreparedLines, prepare_lines
from schemas.scoring import RESPONSE
from serving.scorer.backend import ModelNotFoundError
from serving.scorer.batches import conform_request
from serving.scorer.encoder import Encoder, OnnxEncoder
from serving.scorer.fast import FastScorer
from serving.scorer.language import Languages
from serving.scorer.model_config import CONFIG, ENCODER, FAST, TOKENIZER, BaseModelConfig, Blend

_LANGUAGE: Final = "language"
_SENTIMENT: Final = "sentiment"
_LEAST: Final = 1e-6
_OTHERS: Final = ""

Heads = dict[str, NDArray[np.float32]]


class BaseScorer:
    """Scores better than the fast model and some hundred times slower; see `backend.Scorer`.

    Language and abstention are the fast model's.
    """

    def __init__(self, config: BaseModelConfig, fast: FastScorer, encoder: Encoder) -> None:
        self.config = config
        self._fast, self._encoder = fast, encoder
        self._blender = Blender(config.blend, fast.config.languages)
        self._answer_schema = RESPONSE.with_metadata({"model": config.name, "model_version": config.version})

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """Read a model folder: CONFIG, ENCODER, TOKENIZER and the fast model's folder FAST.

        Raises:
            ModelNotFoundError: If a file or, on cuda, a library is missing.
            DeviceUnavailableError: If `device` is not there.
        """
        for name in (CONFIG, ENCODER, TOKENIZER):
            if not (folder / name).is_file():
                raise ModelNotFoundError(f"{folder} lacks {name}: `pulse train --tier base` makes it again")
        config = BaseModelConfig.read(folder)
        if device == "cpu":
            encoder: Encoder = OnnxEncoder.load(folder, config.longest, config.batch_tokens)
        else:
            from serving.scorer.encoder_torch import TorchEncoder

            encoder = TorchEncoder.load(folder, config.longest, device)
        return cls(config, FastScorer.load(folder / FAST), encoder)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.config.name

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.config.version

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a batch; see `serving.scorer.backend.Scorer.score`."""
        batch = conform_request(batch)
        return self.score_prepared(batch, prepare_lines(batch["text"], batch["emotes"]))

    def score_prepared(self, batch: pa.RecordBatch, prepared: PreparedLines) -> pa.RecordBatch:
        """Score a conforming batch whose texts have been prepared."""
        heads = self.forward_lines(prepared.codes, batch.num_rows)
        return self._fast.answer(batch, prepared, heads, self._answer_schema)

    def forward(self, texts: list[str]) -> Heads:
        """Probabilities of every head for prepared texts: head → array (texts, labels of the head)."""
        return self.blended(self._fast.forward(texts), self._encoder.logits(texts))

    def blended(self, fast: Heads, encoder: NDArray[np.float32]) -> Heads:
        """Probabilities of every head, from the fast model's and the encoder's logits, all heads in order."""
        return self._blender.blended(fast, encoder)

    def forward_lines(self, codes: NDArray[np.uint32], lines: int) -> Heads:
        """`forward` of texts given as the code points of their lines, each ended by a line break."""
        texts = codes.tobytes().decode("utf-32-le").split("\n")[:lines]
        return self._blender.blended(self._fast.forward_lines(codes, lines), self._encoder.logits(texts))

    def languages(self, texts: list[str], hints: list[str | None]) -> Languages:
        """Language and abstention of canonical texts, given the language of each one's stream or None."""
        return self._fast.languages(texts, hints)


class Blender:
    """Weighs two models' logits; `languages` are the classes of the fast model's language head."""

    def __init__(self, blend: Blend, languages: tuple[str, ...]) -> None:
        others = blend.slopes[_OTHERS]
        self._slopes = {
            head: np.array(
                [blend.slopes.get(lang, others)[head] for lang in languages], dtype=np.float32
            ).reshape(len(languages), 2)
            for head in others
        }
        self._offsets = {head: np.array(values, dtype=np.float32) for head, values in blend.offsets.items()}

    def blended(self, fast: Heads, encoder: NDArray[np.float32]) -> Heads:
        """Probabilities of every head, from the fast model's and the encoder's logits, all heads in order."""
        spoken = fast[_LANGUAGE].argmax(axis=1) if len(encoder) else np.zeros(0, dtype=np.int64)
        blended: Heads = {}
        start = 0
        for head, offsets in self._offsets.items():
            slopes = self._slopes[head][spoken]
            own = logits_of(fast[head], head)
            logits = own * slopes[:, :1] + encoder[:, start : start + len(offsets)] * slopes[:, 1:] + offsets
            blended[head] = softmax(logits) if head == _SENTIMENT else 1 / (1 + np.exp(-logits))
            start += len(offsets)
        return blended | {_LANGUAGE: fast[_LANGUAGE]}


def logits_of(probabilities: NDArray[np.float32], head: str) -> NDArray[np.float32]:
    """Logits that give these probabilities of a head."""
    bounded = np.clip(probabilities, _LEAST, 1 - _LEAST)
    logits: NDArray[np.float32] = np.log(bounded)
    return logits if head == _SENTIMENT else logits - np.log1p(-bounded)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of classes that exclude each other, row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares
