"""Training of the hashed n-gram model: many epochs of sparse and dense steps, the same for the same seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.core.text.ngrams import Bags
from pipelines.core.text.vocabulary import Vocabulary
from serving.training import bags as kernels
from serving.training.network import Network, masked_loss


@dataclass(frozen=True)
class Settings:
    """Choices of a training run; the defaults are those of the shipped model."""

    features: int = 2**18
    dimensions: int = 64
    hidden: int = 256
    epochs: int = 16
    batch: int = 512
    keep_features: float = 0.35
    dropout: float = 0.4
    table_rate: float = 0.05
    network_rate: float = 1e-3
    weight_decay: float = 1e-4
    attacked: float = 0.25
    """Share of train rows labelled for toxicity of which an attacked copy is added."""
    seed: int = 20_251_122


@dataclass(frozen=True)
class Examples:
    """Training rows; arrays share the first axis. `languages` holds class indices, −1 where unknown."""

    vocabulary: Vocabulary
    bags: Bags
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    sets: NDArray[np.int64]
    languages: NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """Trained weights; the vocabulary names the rows of the table."""

    vocabulary: Vocabulary
    table: NDArray[np.float32]
    network: Network


def fit(
    examples: Examples,
    settings: Settings,
    language_count: int,
    set_count: int,
    report: Callable[[float, float], None] = lambda done, loss: None,
) -> Fitted:
    """Train on the examples; `report(share done, running loss)` is called every hundred steps.

    Both learning rates fall to nothing along a cosine. Deterministic for a seed on one machine.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    dimensions = settings.dimensions
    table = random.uniform(-1, 1, (len(examples.vocabulary), dimensions)).astype(np.float32) / dimensions
    squares = np.full(len(table), 1e-6, dtype=np.float32)
    network = Network(dimensions, settings.hidden, language_count, set_count, settings.dropout)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.network_rate, weight_decay=settings.weight_decay
    )
    rows = len(examples.targets)
    steps = settings.epochs * -(-rows // settings.batch)
    step, running = 0, 0.0
    bags = examples.bags
    for _ in range(settings.epochs):
        order = random.permutation(rows)
        for start in range(0, rows, settings.batch):
            chosen = order[start : start + settings.batch]
            share = 0.5 * (1 + np.cos(np.pi * step / steps))
            optimizer.param_groups[0]["lr"] = settings.network_rate * share
            halves = (
                (bags.words, bags.word_ends, 2 * step),
                (bags.chars, bags.char_ends, 2 * step + 1),
            )
            embedded = np.empty((2, len(chosen), dimensions), dtype=np.float32)
            for half, (ids, ends, seed) in enumerate(halves):
                kernels.embed(ids, ends, chosen, table, settings.keep_features, seed, embedded[half])
            inputs = torch.from_numpy(np.concatenate(list(embedded), axis=1)).requires_grad_()
            logits = network(inputs, torch.from_numpy(examples.sets[chosen]))
            loss = masked_loss(
                logits,
                torch.from_numpy(examples.targets[chosen]),
                torch.from_numpy(examples.weights[chosen]),
                torch.from_numpy(examples.languages[chosen]),
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            assert inputs.grad is not None
            gradient = inputs.grad.numpy()
            for half, (ids, ends, seed) in enumerate(halves):
                part = np.ascontiguousarray(gradient[:, half * dimensions : (half + 1) * dimensions])
                kernels.update(
                    ids, ends, chosen, table, squares, settings.keep_features, seed, part,
                    settings.table_rate * share,
                )  # fmt: skip
            running += 0.01 * (loss.item() - running) if step else loss.item()
            step += 1
            if step % 100 == 0:
                report(step / steps, running)
    return Fitted(examples.vocabulary, table, network.eval())
