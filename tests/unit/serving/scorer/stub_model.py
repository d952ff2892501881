"""A tiny model folder with random weights, made without torch or data."""

from itertools import product
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipelines.core.text.ngrams import hashed_bags
from pipelines.core.text.vocabulary import FEATURE_BITS
from schemas.labels import BASIC, EMOTIONS
from serving.scorer.model_config import CONFIG, HEADS, KEYS, SCALES, TABLE, FastModelConfig

LANGUAGES = ("de", "en", "fi", "ru")
_SIZES = {
    "emotions": len(EMOTIONS),
    "basic": len(BASIC),
    "sentiment": 3,
    "toxicity": 1,
    "hate": 1,
    "sarcasm": 1,
}


def _keys() -> NDArray[np.int32]:
    """Features of all words of two letters: beginnings and ends of every word."""
    alphabets = (ascii_lowercase, "".join(map(chr, range(ord("а"), ord("я") + 1))))
    words = ["".join(pair) for letters in alphabets for pair in product(letters, repeat=2)]
    bags = hashed_bags(words, FEATURE_BITS)
    return np.unique(np.concatenate([bags.words, bags.chars]))


def write_stub_model(folder: Path, dimensions: int = 4) -> Path:
    """Write a model folder that `load_scorer` reads; equal calls give equal models."""
    random = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    keys = _keys()
    np.save(folder / KEYS, keys)
    np.save(folder / TABLE, random.integers(-127, 128, (len(keys), dimensions), dtype=np.int8))
    np.save(folder / SCALES, np.full(len(keys), 0.05, dtype=np.float16))
    sizes = {**_SIZES, "language": len(LANGUAGES)}
    weight = random.normal(size=(sum(sizes.values()), 2 * dimensions)).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["bags", "w"], ["logits"], transB=1),
        helper.make_node("Split", ["logits", "sizes"], [f"{head}_logits" for head in sizes], axis=1),
    ]
    for head in sizes:
        kind = "Softmax" if head in ("sentiment", "language") else "Sigmoid"
        nodes.append(helper.make_node(kind, [f"{head}_logits"], [head]))
    outputs = [
        helper.make_tensor_value_info(head, TensorProto.FLOAT, ["n", size]) for head, size in sizes.items()
    ]
    graph = helper.make_graph(
        nodes,
        "stub",
        [helper.make_tensor_value_info("bags", TensorProto.FLOAT, ["n", 2 * dimensions])],
        outputs,
        [
            numpy_helper.from_array(weight, "w"),
            numpy_helper.from_array(np.array(list(sizes.values()), dtype=np.int64), "sizes"),
        ],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / HEADS
    )
    config = FastModelConfig(
        name="stub",
        version="0",
        features=len(keys),
        dimensions=dimensions,
        languages=LANGUAGES,
        supported=frozenset({"de", "en", "ru"}),
    )
    (folder / CONFIG).write_text(config.model_dump_json())
    return folder
