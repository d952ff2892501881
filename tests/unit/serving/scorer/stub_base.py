"""A tiny `base` folder with random weights, made without torch or data."""

from pathlib import Path
from string import ascii_lowercase

import numpy as np

from serving.scorer.base import BaseScorer
from serving.scorer.model_config import CONFIG, ENCODER, FAST, TOKENIZER, BaseModelConfig, Blend
from serving.training.encoder.export import write_encoder
from serving.training.encoder.vocabulary import SPECIAL, WHOLE, tokenizer_over
from serving.training.labels import HEADS, TARGETS
from tests.unit.serving.scorer.stub_model import write_stub_model

WIDTH, WIDE, ATTENTION_HEADS, LONGEST = 16, 32, 2, 24
LINEAR = {
    "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
    "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
    "intermediate.dense": (WIDE, WIDTH), "output.dense": (WIDTH, WIDE),
}  # fmt: skip


def write_stub_base(folder: Path) -> Path:
    """Write a model folder that `load_scorer` reads; equal calls give equal models."""
    random = np.random.default_rng(11)
    write_stub_model(folder / FAST)
    letters = ascii_lowercase + "абвгдежзийклмнопрстуфхцчшщъыьэюя"
    pieces = [*SPECIAL, *WHOLE, *letters, *(f"##{letter}" for letter in letters), "hello", "##llo", "😂"]
    tokenizer = tokenizer_over({piece: index for index, piece in enumerate(pieces)})
    tokenizer.save(str(folder / TOKENIZER))

    def weights(*shape: int) -> np.ndarray:  # type: ignore[type-arg]
        return random.normal(0, 0.5, shape).astype(np.float32)

    layer = "body.encoder.layer.0"
    state = {
        "body.embeddings.word_embeddings.weight": weights(len(pieces), WIDTH),
        "body.embeddings.position_embeddings.weight": weights(LONGEST, WIDTH),
        "body.embeddings.token_type_embeddings.weight": weights(2, WIDTH),
        "hidden.weight": weights(WIDTH, WIDTH), "hidden.bias": weights(WIDTH),
        "output.weight": weights(TARGETS, WIDTH), "output.bias": weights(TARGETS),
    }  # fmt: skip
    for norm in ("body.embeddings", f"{layer}.attention.output", f"{layer}.output"):
        state |= {f"{norm}.LayerNorm.weight": 1 + weights(WIDTH), f"{norm}.LayerNorm.bias": weights(WIDTH)}
    for name, shape in LINEAR.items():
        state |= {f"{layer}.{name}.weight": weights(*shape), f"{layer}.{name}.bias": weights(shape[0])}
    ranges = {f"{layer}.{name}": (-6.0, 6.0) for name in LINEAR}
    write_encoder(folder / ENCODER, state, ranges, ATTENTION_HEADS, LONGEST)
    config = BaseModelConfig(
        name="stub-base", version="0", supported=frozenset({"de", "en", "ru"}), longest=LONGEST,
        batch_tokens=64,
        blend=Blend(
            slopes={"": dict.fromkeys(HEADS, (0.5, 0.5)), "en": dict.fromkeys(HEADS, (0.2, 0.9))},
            offsets={head: tuple([0.1] * len(labels)) for head, labels in HEADS.items()},
        ),
    )  # fmt: skip
    (folder / CONFIG).write_text(config.model_dump_json())
    return folder


def load_stub_base(folder: Path) -> BaseScorer:
    """Write and load it."""
    return BaseScorer.load(write_stub_base(folder))
