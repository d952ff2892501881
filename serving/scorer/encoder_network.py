"""The encoder in torch, its weights read from the ONNX file that `serving.training.encoder.export` wrote."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from serving.scorer.encoder import PAD

_EPSILON = 1e-12
_HEADS = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")


class Layer(nn.Module):
    """Attention and feed-forward, each added to its input and normalised."""

    def __init__(self, width: int, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.mix_norm, self.narrow_norm = (nn.LayerNorm(width, eps=_EPSILON) for _ in range(2))
        self.wide, self.narrow = nn.Linear(width, wide), nn.Linear(wide, width)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Hidden states (batch, length, width); `mask` (batch, 1, 1, length) is true on tokens."""
        parts = (
            layer(hidden).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        attended = nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)
        middle = self.mix_norm(hidden + self.mix(attended.transpose(1, 2).flatten(2)))
        normed: Tensor = self.narrow_norm(middle + self.narrow(nn.functional.gelu(self.wide(middle))))
        return normed


class EncoderNetwork(nn.Module):
    """Token ids (batch, length), PAD behind each text → logits (batch, labels)."""

    def __init__(self, weights: dict[str, Tensor], heads: int) -> None:
        super().__init__()
        pieces, width = weights["pieces.weight"].shape
        layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layer."))
        wide = weights["layer.0.wide.bias"].shape[0]
        self.pieces = nn.Embedding(pieces, width)
        self.places = nn.Parameter(torch.empty_like(weights["places"]))
        self.embedded = nn.LayerNorm(width, eps=_EPSILON)
        self.layer = nn.ModuleList(Layer(width, wide, heads) for _ in range(layers))
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, weights["output.bias"].shape[0])
        self.load_state_dict(weights)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of all heads but `language`, side by side."""
        valid = ids != PAD
        hidden = self.embedded(self.pieces(ids) + self.places[: ids.shape[1]])
        mask = valid[:, None, None, :]
        for layer in self.layer:
            hidden = layer(hidden, mask)
        weights = valid.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        logits: Tensor = self.output(nn.functional.gelu(self.hidden(mean)))
        return logits


def read_network(path: Path) -> EncoderNetwork:
    """The network in float32, its 8-bit weights multiplied out."""
    graph = onnx.load(path).graph
    raw = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
    heads = next(
        attribute.i
        for node in graph.node
        if node.op_type == "MultiHeadAttention"
        for attribute in node.attribute
        if attribute.name == "num_heads"
    )
    weights = {
        "pieces.weight": raw["pieces.weight"].astype(np.float32) * raw["pieces.scales"],
        "places": raw["places"] + raw["type"],
        "embedded.weight": raw["embedded.gain"],
        "embedded.bias": raw["embedded.bias"],
        **{name: raw[name] for name in _HEADS},
    }
    for name, array in raw.items():
        if not name.startswith("layer."):
            continue
        owner, part = name.rsplit(".", 1)
        if part == "weight":
            weights[name] = (array.astype(np.float32) * raw[f"{owner}.scales"]).T
        elif part == "bias":
            weights[name] = array
        elif part in ("gain", "shift"):
            weights[f"{owner}_norm.{'weight' if part == 'gain' else 'bias'}"] = array
    return EncoderNetwork({name: torch.from_numpy(array.copy()) for name, array in weights.items()}, heads)
