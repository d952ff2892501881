"""The transformer of the tier `base`: canonical texts to logits, length-bucketed, 8 bits, on onnxruntime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from serving.scorer.model_config import ENCODER, TOKENIZER
from serving.scorer.token_batches import token_bounded

IDS: Final = "ids"
LENGTHS: Final = "lengths"
PAD: Final = 0


class Encoder(Protocol):
    """Logits of all heads but `language`, side by side, for canonical texts: shape (texts, labels)."""

    def logits(self, texts: list[str]) -> NDArray[np.float32]:
        """Score texts; the same rows in the same order."""


class OnnxEncoder:
    """Runs on CPU cores."""

    def __init__(
        self, tokenizer: Tokenizer, session: onnxruntime.InferenceSession, longest: int, batch_tokens: int
    ) -> None:
        self._tokenizer, self._session, self._batch_tokens = tokenizer, session, batch_tokens
        self._tokenizer.enable_truncation(longest)
        self._labels: int = session.get_outputs()[0].shape[1]

    @classmethod
    def load(cls, folder: Path, longest: int, batch_tokens: int) -> Self:
        """Read ENCODER and TOKENIZER."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(folder / ENCODER), options, providers=["CPUExecutionProvider"]
        )
        return cls(Tokenizer.from_file(str(folder / TOKENIZER)), session, longest, batch_tokens)

    def logits(self, texts: list[str]) -> NDArray[np.float32]:
        """See `Encoder.logits`."""
        found = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        lengths = np.array([len(ids) for ids in found], dtype=np.int32)
        out = np.empty((len(texts), self._labels), dtype=np.float32)
        for rows in token_bounded(lengths.tolist(), self._batch_tokens):
            ids = padded([found[row] for row in rows], int(lengths[rows].max()))
            (out[rows],) = self._session.run(None, {IDS: ids, LENGTHS: lengths[rows]})
        return out


def padded(ids: Sequence[Sequence[int] | NDArray[np.int32]], width: int) -> NDArray[np.int64]:
    """Token ids as one array (rows, width), PAD behind each."""
    out = np.full((len(ids), width), PAD, dtype=np.int64)
    for row, found in enumerate(ids):
        out[row, : len(found)] = found
    return out
