"""The small network behind the bags, and the masked loss over all heads."""

from typing import Final

import torch
from torch import Tensor, nn

from serving.training.labels import HEADS, SLICES, TARGETS

# Weight of a head in the loss; a multi-label head's loss is a mean over labels, most of which are rare.
HEAD_WEIGHTS: Final = {
    "emotions": 12.0, "basic": 5.0, "sentiment": 1.0, "toxicity": 1.0, "hate": 0.5, "sarcasm": 0.5,
}  # fmt: skip
LANGUAGE_WEIGHT: Final = 0.2


class Network(nn.Module):
    """Bags (batch, 2 × dimensions) → logits (batch, TARGETS + languages).

    Each set has a learned offset a label: annotators of one set call more things toxic than those of another.
    It is added in training and left out in serving, where `calibration` takes its place.
    """

    def __init__(self, dimensions: int, hidden: int, languages: int, sets: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * dimensions, hidden)
        self.output = nn.Linear(hidden, TARGETS + languages)
        self.offsets = nn.Embedding(sets, TARGETS)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.offsets.weight)

    def forward(self, bags: Tensor, sets: Tensor | None = None) -> Tensor:
        """Logits; with the sets' offsets if their indices are given."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.hidden(bags))))
        if sets is not None:
            logits = torch.cat([logits[:, :TARGETS] + self.offsets(sets), logits[:, TARGETS:]], dim=1)
        return logits


def masked_loss(logits: Tensor, targets: Tensor, weights: Tensor, languages: Tensor | None = None) -> Tensor:
    """Mean over the batch of the heads' losses; entries of weight 0 do not count.

    Binary cross-entropy per label; cross-entropy over the classes of sentiment that a set asked for, and over
    the languages (index −1: unknown) if the network names them.
    """
    rows = logits.shape[0]
    total = logits.new_zeros(())
    for head in HEADS:
        part = SLICES[head]
        if head == "sentiment":
            known = weights[:, part] > 0
            masked = logits[:, part].masked_fill(~known & known.any(1, keepdim=True), -1e4)
            losses = -(targets[:, part] * torch.log_softmax(masked, 1)).sum(1)
            total = total + HEAD_WEIGHTS[head] * (losses * weights[:, part].amax(1)).sum()
        else:
            losses = nn.functional.binary_cross_entropy_with_logits(
                logits[:, part], targets[:, part], weights[:, part], reduction="sum"
            )
            total = total + HEAD_WEIGHTS[head] * losses / len(HEADS[head])
    if languages is None:
        return total / rows
    language = nn.functional.cross_entropy(logits[:, TARGETS:], languages, ignore_index=-1, reduction="sum")
    return (total + LANGUAGE_WEIGHT * language) / rows
