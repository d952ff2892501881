"""Fine-tuning: a few careful epochs from a shipped model, with what it knew held in place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.core.text.ngrams import Bags
from pipelines.core.text.vocabulary import Vocabulary
from serving.finetune.graph import GraphError, GraphNetwork
from serving.finetune.labelled import DEV, TRAIN, Labelled
from serving.scorer.fast import FastScorer
from serving.scorer.model_config import HEADS as NETWORK
from serving.scorer.model_config import KEYS, SCALES, TABLE
from serving.training import bags as kernels
from serving.training.labels import HEADS, SLICES

_LANGUAGE: Final = "language"
_CHECKED_ROWS: Final = 256
_TOLERANCE: Final = 1e-3


@dataclass(frozen=True)
class TuneSettings:
    """Choices of a run."""

    epochs: int = 10
    batch: int = 128
    keep_features: float = 0.7
    table_rate: float = 0.02
    network_rate: float = 5e-4
    anchor: float = 0.3
    """Weight of the model's own probabilities where the file says nothing (learning without forgetting,
    Li and Hoiem 2016, https://arxiv.org/abs/1606.09282)."""
    seed: int = 20_251_122


@dataclass(frozen=True)
class Tuned:
    """The weights after the epoch with the least loss on the dev part; epoch 0 is the model from before."""

    table: NDArray[np.float32]
    network: GraphNetwork
    epoch: int
    dev_losses: tuple[float, ...]


Progress = Callable[[float, float], None]


def tune(
    folder: Path, data: Labelled, settings: TuneSettings, report: Progress = lambda done, loss: None
) -> Tuned:
    """Fine-tune the model of a folder on the train part; `report(share done, dev loss)` after each epoch.

    The table's rows move by row-wise Adagrad, the network's weights by AdamW; both rates fall along a cosine.
    Deterministic for a seed on one machine.

    Raises:
        GraphError: If the model computes in a way that is not known here.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    table = np.load(folder / TABLE).astype(np.float32) * np.load(folder / SCALES).astype(np.float32)[:, None]
    network = GraphNetwork.read(folder / NETWORK)
    bags = Vocabulary(np.load(folder / KEYS)).bags(data.texts)
    rows = np.arange(len(data.texts))
    with torch.no_grad():
        teacher = _probabilities(network, network(torch.from_numpy(embedded(bags, rows, table))))
    _check(folder, data.texts, teacher)
    goal = _Goal(data, teacher, settings.anchor)
    train, dev = data.rows(TRAIN), data.rows(DEV)
    best = Tuned(table.copy(), _copy(network), 0, ())
    losses = [goal.dev_loss(network, bags, dev, table)]
    squares = np.full(len(table), 1e-3, dtype=np.float32)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.network_rate, weight_decay=0.0)
    steps, step = settings.epochs * -(-len(train) // settings.batch), 0
    for epoch in range(1, settings.epochs + 1):
        order = random.permutation(train)
        for start in range(0, len(order), settings.batch):
            share = 0.5 * (1 + np.cos(np.pi * step / steps))
            optimizer.param_groups[0]["lr"] = settings.network_rate * share
            chosen = order[start : start + settings.batch]
            seeds = (2 * step, 2 * step + 1)
            inputs = torch.from_numpy(embedded(bags, chosen, table, settings.keep_features, seeds))
            inputs.requires_grad_()
            optimizer.zero_grad()
            goal.loss(network, network(inputs), chosen).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            assert inputs.grad is not None
            rate = settings.table_rate * share
            _update(bags, chosen, table, squares, settings.keep_features, seeds, inputs.grad.numpy(), rate)
            step += 1
        losses.append(goal.dev_loss(network, bags, dev, table))
        if losses[-1] < min(losses[:-1]):
            best = Tuned(table.copy(), _copy(network), epoch, ())
        report(epoch / settings.epochs, losses[-1])
    return Tuned(best.table, best.network, best.epoch, tuple(losses))


def embedded(
    bags: Bags,
    rows: NDArray[np.int64],
    table: NDArray[np.float32],
    keep: float = 1.0,
    seeds: tuple[int, int] = (0, 0),
) -> NDArray[np.float32]:
    """What the network reads for these rows: bags of words beside bags of character n-grams."""
    halves = np.empty((2, len(rows), table.shape[1]), dtype=np.float32)
    kernels.embed(bags.words, bags.word_ends, rows, table, keep, seeds[0], halves[0])
    kernels.embed(bags.chars, bags.char_ends, rows, table, keep, seeds[1], halves[1])
    return np.concatenate(list(halves), axis=1)


class _Goal:
    """What the network is to say for each row: the file's labels, elsewhere what it said before."""

    def __init__(self, data: Labelled, teacher: dict[str, Tensor], anchor: float) -> None:
        known = torch.from_numpy(data.known)
        self._targets = {
            head: torch.where(known[:, part], torch.from_numpy(data.targets[:, part]), teacher[head])
            for head, part in SLICES.items()
        }
        self._known = {head: known[:, part].float() for head, part in SLICES.items()}
        self._language, self._anchor = teacher[_LANGUAGE], anchor

    def loss(self, network: GraphNetwork, heads: dict[str, Tensor], rows: NDArray[np.int64]) -> Tensor:
        """Mean over the rows of labels' and anchors' losses, each head's a mean over its labels."""
        index = torch.from_numpy(rows)
        total = self._anchor * _cross_entropy(heads[_LANGUAGE], self._language[index]).mean()
        for head in HEADS:
            known = self._known[head][index]
            weights = known + self._anchor * (1 - known)
            total = total + self._of_head(network, head, heads[head], index, weights)
        return total

    def dev_loss(
        self, network: GraphNetwork, bags: Bags, rows: NDArray[np.int64], table: NDArray[np.float32]
    ) -> float:
        """The same over these rows, of the file's labels alone."""
        index = torch.from_numpy(rows)
        with torch.no_grad():
            heads = network(torch.from_numpy(embedded(bags, rows, table)))
            parts = [
                self._of_head(network, head, heads[head], index, self._known[head][index]) for head in HEADS
            ]
        return float(sum(parts))

    def _of_head(
        self, network: GraphNetwork, head: str, logits: Tensor, index: Tensor, weights: Tensor
    ) -> Tensor:
        targets = self._targets[head][index]
        if network.multi_label[head]:
            return nn.functional.binary_cross_entropy_with_logits(logits, targets, weights)
        return (_cross_entropy(logits, targets) * weights.amax(1)).mean()


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return -(targets * torch.log_softmax(logits, 1)).sum(1)


def _probabilities(network: GraphNetwork, heads: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        head: torch.sigmoid(logits) if network.multi_label[head] else torch.softmax(logits, 1)
        for head, logits in heads.items()
    }


def _check(folder: Path, texts: list[str], teacher: dict[str, Tensor]) -> None:
    """Refuse a model whose scorer computes anything else than this module does."""
    served = FastScorer.load(folder).forward(texts[:_CHECKED_ROWS])
    for head, values in served.items():
        found = teacher[head][:_CHECKED_ROWS].numpy() if head in teacher else np.inf
        if not np.allclose(found, values, atol=_TOLERANCE):
            raise GraphError(f"{folder}: the scorer computes {head} in another way: it cannot be fine-tuned")


def _copy(network: GraphNetwork) -> GraphNetwork:
    other = GraphNetwork(network.model)
    other.load_state_dict(network.state_dict())
    return other


def _update(
    bags: Bags,
    rows: NDArray[np.int64],
    table: NDArray[np.float32],
    squares: NDArray[np.float32],
    keep: float,
    seeds: tuple[int, int],
    gradient: NDArray[np.float32],
    rate: float,
) -> None:
    width = table.shape[1]
    halves = ((bags.words, bags.word_ends), (bags.chars, bags.char_ends))
    for half, ((ids, ends), seed) in enumerate(zip(halves, seeds, strict=True)):
        part = np.ascontiguousarray(gradient[:, half * width : (half + 1) * width])
        kernels.update(ids, ends, rows, table, squares, keep, seed, part, rate)
