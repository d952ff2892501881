"""How much the fast model and the encoder count, by head and language: fitted on the dev parts."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from serving.scorer.base import Heads, logits_of
from serving.scorer.model_config import Blend
from serving.training.calibrate import set_sizes
from serving.training.datasets import Corpus
from serving.training.labels import HEADS, SLICES, TARGETS
from serving.training.network import masked_loss

_OTHERS: Final = ""
# Rows of dev that a language needs for weights of its own, and how far they are held to those of all.
_LEAST_ROWS: Final = 300
_HELD: Final = 0.002


def fit_blend(
    fast: Heads,
    encoder: NDArray[np.float32],
    corpus: Corpus,
    rows: NDArray[np.int64],
    languages: tuple[str, ...],
) -> Blend:
    """Fit slopes and offsets on `rows`; each set counts by its weight in the label map, not by its size.

    A stacked regression (Wolpert 1992) whose slopes for a language are held near those of all languages.

    Args:
        fast: Probabilities of the fast model for the rows.
        encoder: Logits of the encoder for the rows, shape (rows, TARGETS).
        corpus: All labelled rows.
        rows: Rows of the dev part.
        languages: Classes of the fast model's language head.
    """
    spoken = fast["language"].argmax(axis=1)
    counts = np.bincount(spoken, minlength=len(languages))
    own = np.flatnonzero(counts >= _LEAST_ROWS)
    place = np.full(len(languages), 0)
    place[own] = 1 + np.arange(len(own))
    groups = torch.from_numpy(place[spoken])
    inputs = torch.stack(
        [
            torch.from_numpy(np.concatenate([logits_of(fast[head], head) for head in HEADS], axis=1)),
            torch.from_numpy(encoder),
        ],
        dim=2,
    )
    head_of = torch.repeat_interleave(
        torch.arange(len(HEADS)), torch.tensor([len(labels) for labels in HEADS.values()])
    )
    targets = torch.from_numpy(corpus.targets[rows])
    weights = torch.from_numpy(corpus.weights[rows] / set_sizes(corpus, rows)[:, None])
    weights = weights / weights.sum() * len(rows)
    common = torch.full((len(HEADS), 2), 0.5, requires_grad=True)
    apart = torch.zeros((len(own) + 1, len(HEADS), 2), requires_grad=True)
    offsets = torch.zeros(TARGETS, requires_grad=True)
    optimizer = torch.optim.LBFGS([common, apart, offsets], max_iter=300, line_search_fn="strong_wolfe")
    held = torch.ones(len(own) + 1)[:, None, None]
    held[0] = 1e3  # all other languages have the common slopes

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        slopes = (common + apart)[groups][:, head_of]
        loss = masked_loss((inputs * slopes).sum(2) + offsets, targets, weights)
        loss = loss + _HELD * (held * apart**2).sum() + 1e-3 * (offsets**2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    found = (common + apart).detach().numpy()
    names = [_OTHERS, *(languages[at] for at in own)]
    return Blend(
        slopes={
            name: {
                head: (float(pair[0]), float(pair[1])) for head, pair in zip(HEADS, found[at], strict=True)
            }
            for at, name in enumerate(names)
        },
        offsets={head: tuple(offsets.detach().numpy()[part].tolist()) for head, part in SLICES.items()},
    )
