"""The encoder: a BERT body without its pooler, the mean over its tokens, and the heads of the model."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from serving.scorer.fast import FastScorer
from serving.training.labels import TARGETS

_RIDGE: Final = 10.0
_DROPOUT: Final = 0.1


class Encoder(nn.Module):
    """Token ids (batch, length) → logits (batch, TARGETS).

    Each set has a learned offset a label, as in `serving.training.network.Network`.
    """

    def __init__(self, body: Any, sets: int) -> None:
        super().__init__()
        width = body.config.hidden_size
        self.body = body
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, TARGETS)
        self.offsets = nn.Embedding(sets, TARGETS)
        self.dropout = nn.Dropout(_DROPOUT)
        nn.init.zeros_(self.offsets.weight)
        nn.init.normal_(self.output.weight, std=0.02)
        nn.init.zeros_(self.output.bias)

    def forward(self, ids: Tensor, mask: Tensor, sets: Tensor | None = None) -> Tensor:
        """Logits in float32; with the sets' offsets if their indices are given. `mask` is 1 on tokens."""
        states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        hidden = torch.nn.functional.gelu(self.hidden(self.dropout(mean)))
        logits: Tensor = self.output(self.dropout(hidden)).float()
        return logits if sets is None else logits + self.offsets(sets)


def weights_of(network: Encoder) -> dict[str, NDArray[np.float32]]:
    """The weights by name."""
    return {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}


def input_ranges(
    network: Encoder, batches: list[tuple[Tensor, Tensor]], tail: float = 2e-5
) -> dict[str, tuple[float, float]]:
    """Least and greatest input of each linear layer of the body but for the outermost `tail` of both sides.

    Args:
        network: A trained encoder.
        batches: Token ids and masks, see `Encoder.forward`.
        tail: Share of the inputs that lie beyond either bound; outliers would coarsen all others.
    """
    seen: dict[str, list[tuple[float, float]]] = {}
    valid: list[Tensor] = []

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            values = inputs[0].float()[valid[-1]].flatten()
            count = max(1, round(len(values) * tail))
            low = -torch.topk(-values, count).values[-1].item()
            seen.setdefault(name, []).append((low, torch.topk(values, count).values[-1].item()))

        return hook

    handles = [
        module.register_forward_pre_hook(keep(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and name.startswith("body.")
    ]
    with torch.no_grad():
        for ids, mask in batches:
            valid.append(mask.bool())
            network(ids, mask)
    for handle in handles:
        handle.remove()
    return {
        name: (float(np.mean([low for low, _ in found])), float(np.mean([high for _, high in found])))
        for name, found in seen.items()
    }


def start_body(start: Path, tokenizer: Tokenizer, fast: FastScorer) -> Any:
    """The pretrained body with one embedding a piece of `tokenizer`; see `start_embeddings`."""
    from transformers import BertModel

    body = BertModel.from_pretrained(start, add_pooling_layer=False)
    old = body.embeddings.word_embeddings.weight.detach().numpy()
    known = Tokenizer.from_file(str(start / "tokenizer.json")).get_vocab()
    rows = torch.from_numpy(start_embeddings(old, known, tokenizer.get_vocab(), fast))
    # Sparse: a step touches some thousand of the rows.
    body.embeddings.word_embeddings = nn.Embedding.from_pretrained(rows, freeze=False, sparse=True)
    body.config.vocab_size = len(rows)
    return body


def start_embeddings(
    old: NDArray[np.float32], known: dict[str, int], pieces: dict[str, int], fast: FastScorer
) -> NDArray[np.float32]:
    """One embedding a piece: the pretrained one where there is one, else one guessed from the fast model.

    The fast model has seen all languages: its bags of "hate" and "ненавижу" lie near each other because they
    say the same about the labels. A ridge regression from its bags to the pretrained embeddings, learned on
    English words, carries that over (as Mikolov et al. 2013, https://arxiv.org/abs/1309.4168, align
    languages).
    """
    names = sorted(pieces, key=pieces.__getitem__)
    bags = fast.bags([name.removeprefix("##") for name in names])
    shared = np.array([name in known for name in names])
    teachers = np.array([name in known and name.isalpha() and len(name) > 2 for name in names])
    width = bags.shape[1]
    inputs = bags[teachers]
    outputs = old[[known[name] for name, teaches in zip(names, teachers, strict=True) if teaches]]
    mean_in, mean_out = inputs.mean(0), outputs.mean(0)
    centred = inputs - mean_in
    weights = np.linalg.solve(centred.T @ centred + _RIDGE * np.eye(width), centred.T @ (outputs - mean_out))
    guessed = (bags - mean_in) @ weights
    # A regression shrinks; what the body expects is the spread of real embeddings.
    spread = (outputs - mean_out).std() / max(float(guessed.std()), 1e-6)
    noise = np.random.default_rng(0).normal(0, (outputs - mean_out).std(), guessed.shape)
    embeddings = mean_out + 0.7 * spread * guessed + 0.7 * noise
    embeddings[shared] = old[[known[name] for name in names if name in known]]
    found: NDArray[np.float32] = embeddings.astype(np.float32)
    return found
