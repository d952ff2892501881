"""Write a trained model as a folder that runs without torch: quantised table, network in ONNX, config."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from serving.scorer.model_config import CONFIG, HEADS, KEYS, SCALES, TABLE, FastModelConfig
from serving.training import labels
from serving.training.fit import Fitted
from serving.training.labels import TARGETS

_OPSET = 17
_IR_VERSION = 8


def write_model(
    folder: Path,
    fitted: Fitted,
    config: FastModelConfig,
    slopes: NDArray[np.float32],
    offsets: NDArray[np.float32],
) -> None:
    """Write the folder; `slopes` and `offsets` (one a logit), the calibration, go into the last layer."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / KEYS, fitted.vocabulary.keys)
    write_table(folder, fitted.table)
    state = {name: tensor.detach().numpy() for name, tensor in fitted.network.state_dict().items()}
    graph = _graph(
        state["hidden.weight"],
        state["hidden.bias"],
        state["output.weight"] * slopes[:, None],
        state["output.bias"] * slopes + offsets,
    )
    onnx.save(graph, folder / HEADS)
    (folder / CONFIG).write_text(config.model_dump_json(indent=1) + "\n", "utf-8")


def write_table(folder: Path, table: NDArray[np.float32]) -> None:
    """Write the embedding table, 8 bits a weight with one scale a row."""
    scales = np.abs(table).max(axis=1).astype(np.float32) / 127
    scales = np.maximum(scales, 1e-8).astype(np.float16).astype(np.float32)
    scales[scales == 0] = 1.0
    quantised = np.clip(np.rint(table / scales[:, None]), -127, 127).astype(np.int8)
    np.save(folder / TABLE, quantised)
    np.save(folder / SCALES, scales.astype(np.float16))


def _graph(
    hidden_weight: NDArray[np.float32],
    hidden_bias: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> onnx.ModelProto:
    sizes = {head: len(names) for head, names in labels.HEADS.items()}
    sizes["language"] = len(bias) - TARGETS
    initializers = [
        numpy_helper.from_array(array.astype(np.float32), name)
        for name, array in {"w1": hidden_weight, "b1": hidden_bias, "w2": weight, "b2": bias}.items()
    ]
    initializers.append(numpy_helper.from_array(np.array(list(sizes.values()), dtype=np.int64), "sizes"))
    nodes = [
        helper.make_node("Gemm", ["bags", "w1", "b1"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["logits"], transB=1),
        helper.make_node("Split", ["logits", "sizes"], [f"{head}_logits" for head in sizes], axis=1),
    ]
    for head in sizes:
        if head in ("sentiment", "language"):
            nodes.append(helper.make_node("Softmax", [f"{head}_logits"], [head], axis=1))
        else:
            nodes.append(helper.make_node("Sigmoid", [f"{head}_logits"], [head]))
    float_type = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info("bags", float_type, ["batch", hidden_weight.shape[1]])],
        [helper.make_tensor_value_info(head, float_type, ["batch", size]) for head, size in sizes.items()],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return model
