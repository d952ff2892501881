"""Training of the encoder: batches bounded by tokens, bfloat16, checkpoints to go on from."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from serving.scorer.encoder import PAD
from serving.scorer.encoder import padded as padded_ids
from serving.scorer.token_batches import token_bounded
from serving.training.datasets import TRAIN, Corpus
from serving.training.encoder.network import Encoder
from serving.training.network import masked_loss

# How often a row of a set is read in one round. More where people labelled with care what chat needs;
# less where labels are noisy, projected, or of a sort that other sets teach better.
PASSES: Final = {
    "goemotions": 2.0, "umsab": 2.0, "rusentitweet": 2.0, "tweeteval_irony": 2.0, "told_br": 1.5,
    "germeval2018": 1.5, "kmhas": 2.0, "tweeteval_emotion": 1.5, "xed": 0.15, "nsmc": 0.3,
    "mozetic_tweets": 0.4,
    "russian_detoxification": 0.3, "davidson": 0.5, "mlma": 0.3, "conda": 0.6, "russe_detox": 0.7,
    "kocasm": 0.4, "turkish_tweets": 0.7, "offenseval_tr": 0.8, "cold": 0.8, "sentirueval": 0.7,
}  # fmt: skip
CHECKPOINT_S: Final = 600.0
"""Seconds between checkpoints."""
_REPORT_STEPS: Final = 20
# Batches that are cut at once from shuffled rows: enough to group like lengths, few enough to mix the sets.
_CHUNK: Final = 64


@dataclass(frozen=True)
class Settings:
    """Choices of a run; the defaults are those of the shipped model."""

    rounds: float = 0.8
    batch_tokens: int = 2_048
    longest: int = 64
    body_rate: float = 2e-4
    table_rate: float = 2e-3
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.04
    vocabulary: int = 44_000
    seed: int = 20_251_122


def encode(tokenizer: Tokenizer, texts: list[str], longest: int) -> list[NDArray[np.int32]]:
    """Token ids of each text, at most `longest` of them."""
    tokenizer.enable_truncation(longest)
    return [np.array(found.ids, dtype=np.int32) for found in tokenizer.encode_batch_fast(texts)]


def padded(ids: list[NDArray[np.int32]], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of a batch, each (rows, longest row)."""
    tokens = torch.from_numpy(padded_ids(ids, max(map(len, ids)))).to(device)
    return tokens, (tokens != PAD).long()


def batches(corpus: Corpus, lengths: NDArray[np.int64], settings: Settings) -> list[NDArray[np.int64]]:
    """All batches of the run in order: train rows, each set read as often as PASSES says."""
    random = np.random.default_rng(settings.seed)
    rows = corpus.rows(TRAIN)
    passes = np.array([PASSES.get(name, 1.0) for name in corpus.set_names])[corpus.sets[rows]]
    found: list[NDArray[np.int64]] = []
    left = settings.rounds
    while left > 0:
        wanted = passes * min(1.0, left)
        times = (wanted + random.random(len(rows))).astype(np.int64)
        drawn = random.permutation(np.repeat(rows, times))
        share = int(np.ceil(lengths[drawn].sum() / settings.batch_tokens / _CHUNK))
        for part in np.array_split(drawn, max(1, share)):
            groups = token_bounded(lengths[part].tolist(), settings.batch_tokens)
            found += [part[groups[at]] for at in random.permutation(len(groups))]
        left -= 1.0
    return found


def fit(
    network: Encoder,
    corpus: Corpus,
    ids: list[NDArray[np.int32]],
    settings: Settings,
    device: str,
    checkpoint: Path | None = None,
    report: Callable[[float, float], None] = lambda done, loss: None,
) -> Encoder:
    """Train; `report(share done, running loss)` is called every 20 steps.

    Rates rise for a short while, then fall to nothing in a straight line. With `checkpoint`, the state is
    kept there every ten minutes, and a later call with the same arguments goes on from it.
    """
    torch.manual_seed(settings.seed)
    lengths = np.zeros(len(corpus.texts), dtype=np.int64)
    lengths[:] = [len(found) for found in ids]
    plan = batches(corpus, lengths, settings)
    table = network.body.embeddings.word_embeddings.weight
    heads = [*network.hidden.parameters(), *network.output.parameters(), *network.offsets.parameters()]
    named = {id(parameter) for parameter in [table, *heads]}
    body = [parameter for parameter in network.parameters() if id(parameter) not in named]
    dense = torch.optim.AdamW(
        [{"params": body, "lr": settings.body_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=settings.weight_decay,
    )
    sparse = torch.optim.SparseAdam([table], lr=settings.table_rate)
    network.to(device).train()
    first, running = 0, 0.0
    if checkpoint is not None and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        dense.load_state_dict(state["dense"])
        sparse.load_state_dict(state["sparse"])
        first, running = state["step"], state["loss"]
    saved = time.monotonic()
    for step in range(first, len(plan)):
        rows = plan[step]
        share = step / len(plan)
        factor = min(1.0, share / settings.warm_up) * (1 - share)
        for group, rate in zip(dense.param_groups, (settings.body_rate, settings.head_rate), strict=True):
            group["lr"] = rate * factor
        sparse.param_groups[0]["lr"] = settings.table_rate * factor
        tokens, mask = padded([ids[row] for row in rows], device)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = network(tokens, mask, torch.from_numpy(corpus.sets[rows].astype(np.int64)).to(device))
        loss = masked_loss(
            logits,
            torch.from_numpy(corpus.targets[rows]).to(device),
            torch.from_numpy(corpus.weights[rows]).to(device),
        )
        dense.zero_grad()
        sparse.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*body, *heads], 1.0)
        dense.step()
        sparse.step()
        running = loss.item() if not running else running + 0.02 * (loss.item() - running)
        if step % _REPORT_STEPS == 0:
            report(share, running)
        if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_S:
            _save(checkpoint, network, dense, sparse, step + 1, running)
            saved = time.monotonic()
    network.eval()
    return network


def _save(path: Path, network: Encoder, dense: Any, sparse: Any, step: int, loss: float) -> None:
    state = {
        "network": network.state_dict(), "dense": dense.state_dict(), "sparse": sparse.state_dict(),
        "step": step, "loss": loss,
    }  # fmt: skip
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
