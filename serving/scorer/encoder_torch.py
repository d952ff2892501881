"""The transformer of the tier `base` on a GPU: bfloat16, compiled with CUDA graphs for a few fixed shapes."""

from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError
from serving.scorer.encoder import padded
from serving.scorer.model_config import ENCODER, TOKENIZER

# A graph is captured for each width, so there are few; rows of a batch fill up to the tokens below.
_WIDTHS: Final = (8, 16, 32, 64, 128)
_BATCH_TOKENS: Final = 32_768


class TorchEncoder:
    """Runs on one GPU; see `serving.scorer.encoder.Encoder`."""

    def __init__(self, network: Any, tokenizer: Tokenizer, longest: int, device: str) -> None:
        import torch

        self._tokenizer, self._device = tokenizer, device
        self._tokenizer.enable_truncation(longest)
        self._widths = [width for width in _WIDTHS if width < longest] + [longest]
        self._network = torch.compile(network, mode="reduce-overhead") if device == "cuda" else network
        self._batch_tokens = _BATCH_TOKENS if device == "cuda" else 1_024

    @classmethod
    def load(cls, folder: Path, longest: int, device: str) -> Self:
        """Read ENCODER and TOKENIZER.

        Raises:
            ModelNotFoundError: If torch or onnx is missing.
            DeviceUnavailableError: If torch here cannot compute on `device`.
        """
        try:
            import torch

            from serving.scorer.encoder_network import read_network
        except ModuleNotFoundError as error:
            raise ModelNotFoundError(
                f"the tier base on a GPU needs the extra `gpu`: uv sync --extra gpu ({error})"
            ) from error
        if device == "cuda" and not torch.cuda.is_available():
            raise DeviceUnavailableError(f"torch here cannot compute on {device}: set device to cpu")
        kind = torch.bfloat16 if device == "cuda" else torch.float32
        network = read_network(folder / ENCODER).to(device=device, dtype=kind).eval()
        return cls(network, Tokenizer.from_file(str(folder / TOKENIZER)), longest, device)

    def logits(self, texts: list[str]) -> NDArray[np.float32]:
        """See `serving.scorer.encoder.Encoder.logits`."""
        import torch

        found = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        places = np.searchsorted(self._widths, [len(ids) for ids in found])
        parts: list[tuple[NDArray[np.int64], Any]] = []
        with torch.inference_mode():
            for place in np.unique(places):
                width = self._widths[place]
                rows = np.flatnonzero(places == place)
                size = self._batch_tokens // width
                for start in range(0, len(rows), size):
                    chosen = rows[start : start + size]
                    ids = padded([found[row] for row in chosen], width)
                    # Always the same shape: a new one would be compiled and captured again.
                    full = np.zeros((size, width), dtype=np.int64)
                    full[: len(chosen)] = ids
                    out = self._network(torch.from_numpy(full).to(self._device, non_blocking=True))
                    # A copy: the next replay of a CUDA graph writes over its output.
                    parts.append((chosen, out[: len(chosen)].float().clone()))
        labels = parts[0][1].shape[1] if parts else self._labels()
        answer = np.empty((len(texts), labels), dtype=np.float32)
        for chosen, values in parts:
            answer[chosen] = values.cpu().numpy()
        return answer

    def _labels(self) -> int:
        output: int = self._network.output.out_features
        return output
