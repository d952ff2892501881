"""A tiny model folder with random weights, made without torch or data."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from schemas.labels import BASIC, EMOTIONS
from serving.scorer.model_config import CONFIG, HEADS, SCALES, TABLE, FastModelConfig

LANGUAGES = ("de", "en", "fi", "ru")
_SIZES = {
    "emotions": len(EMOTIONS),
    "basic": len(BASIC),
    "sentiment": 3,
    "toxicity": 1,
    "hate": 1,
    "sarcasm": 1,
}


def write_stub_model(folder: Path, bits: int = 8, dimensions: int = 4) -> Path:
    """Write a model folder that `load_scorer` reads; equal calls give equal models."""
    random = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / TABLE, random.integers(-127, 128, (2**bits, dimensions), dtype=np.int8))
    np.save(folder / SCALES, np.full(2**bits, 0.05, dtype=np.float16))
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
        bits=bits,
        dimensions=dimensions,
        languages=LANGUAGES,
        supported=frozenset({"de", "en", "ru"}),
    )
    (folder / CONFIG).write_text(config.model_dump_json())
    return folder
