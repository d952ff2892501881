"""The encoder as one ONNX file that runs on onnxruntime alone: 8-bit weights, fused operators.

Written node by node rather than traced, so that each weight keeps its name: the torch side of the scorer
reads them from the same file (`serving.scorer.encoder_network`).
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from serving.training.labels import TARGETS

IDS: Final = "ids"
LENGTHS: Final = "lengths"
LOGITS: Final = "logits"
_OPSET: Final = 17
_IR_VERSION: Final = 8
_FUSED: Final = "com.microsoft"
# 7 bits: processors without VNNI add pairs of products in 16 bits, which 8-bit weights overflow
# (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
_WEIGHT_LIMIT: Final = 63
_ROW_LIMIT: Final = 127
_EPSILON: Final = 1e-12

Weights = dict[str, NDArray[np.float32]]
Ranges = dict[str, tuple[float, float]]


def write_encoder(path: Path, state: Weights, ranges: Ranges, heads: int, longest: int) -> None:
    """Write the network, without the offsets of the sets.

    The scales of activations are fixed, not those of the batch at hand: a text scores alike in any company.

    Inputs: `ids` int64 (batch, length), `lengths` int32 (batch): tokens of each row, the rest is padding.
    Output: `logits` float32 (batch, TARGETS).

    Args:
        path: File to write.
        state: Weights by their names in `serving.training.encoder.network.Encoder`.
        ranges: Least and greatest input of each linear layer of the body, by its name.
        heads: Attention heads.
        longest: Most tokens of a row.
    """
    graph = _Graph(state, ranges)
    graph.array("type", state["body.embeddings.token_type_embeddings.weight"][0])
    graph.array("places", state["body.embeddings.position_embeddings.weight"][:longest])
    hidden = _embedding(graph)
    layers = 1 + max(int(name.split(".")[3]) for name in state if name.startswith("body.encoder.layer."))
    for layer in range(layers):
        hidden = _layer(graph, layer, heads, hidden)
    _heads(graph, hidden)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "encoder",
            [
                helper.make_tensor_value_info(IDS, TensorProto.INT64, ["batch", "length"]),
                helper.make_tensor_value_info(LENGTHS, TensorProto.INT32, ["batch"]),
            ],
            [helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["batch", TARGETS])],
            graph.arrays,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=_IR_VERSION,
    )
    onnx.save(model, path)


class _Graph:
    """Nodes and weights of a graph in the making."""

    def __init__(self, state: Weights, ranges: Ranges) -> None:
        self.state, self._ranges = state, ranges
        self.nodes: list[NodeProto] = []
        self.arrays: list[TensorProto] = []
        self._known: set[str] = set()

    def array(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._known:
            self._known.add(name)
            self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def fused(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self.node(kind, inputs, output, domain=_FUSED, **attributes)

    def quantised(self, inputs: str, layer: str) -> str:
        """`inputs` in 8 bits, by the range of what the body's linear layer `layer` reads."""
        low, high = (min(self._ranges[layer][0], 0.0), max(self._ranges[layer][1], 0.0))
        scale = max(high - low, 1e-6) / 255
        self.array(f"{inputs}.scale", np.array(scale, dtype=np.float32))
        self.array(f"{inputs}.zero", np.array(round(-low / scale), dtype=np.uint8))
        return self.node("QuantizeLinear", [inputs, f"{inputs}.scale", f"{inputs}.zero"], f"{inputs}.bytes")

    def linear(self, layer: str, name: str, inputs: str) -> str:
        """The body's linear layer `layer` on quantised `inputs` (bytes): one scale an output."""
        weight = self.state[f"{layer}.weight"]
        scales = np.maximum(np.abs(weight).max(axis=1), 1e-8).astype(np.float32) / _WEIGHT_LIMIT
        source = inputs.removesuffix(".bytes")
        names = [
            inputs,
            self.array(f"{name}.weight", np.rint(weight / scales[:, None]).astype(np.int8).T),
            f"{source}.scale",
            self.array(f"{name}.scales", scales),
            f"{source}.zero",
            self.array(f"{name}.zeros", np.zeros(len(scales), dtype=np.int8)),
            self.array(f"{name}.bias", self.state[f"{layer}.bias"]),
        ]
        return self.fused("MatMulIntegerToFloat", names, f"{name}.out")


def _embedding(graph: _Graph) -> str:
    """Sum of the embeddings of token, place and type, normalised."""
    table = graph.state["body.embeddings.word_embeddings.weight"]
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / _ROW_LIMIT
    graph.array("pieces.weight", np.rint(table / scales).astype(np.int8))
    graph.array("pieces.scales", scales.astype(np.float32))
    graph.node("Gather", ["pieces.weight", IDS], "pieces.rows")
    graph.node("Cast", ["pieces.rows"], "pieces.cast", to=TensorProto.FLOAT)
    graph.node("Gather", ["pieces.scales", IDS], "pieces.factor")
    graph.node("Mul", ["pieces.cast", "pieces.factor"], "pieces.out")
    # places[:length] + type
    one, zero = graph.array("one", np.array([1])), graph.array("zero", np.array([0]))
    graph.node("Shape", [IDS], "shape")
    graph.node("Gather", ["shape", one], "length", axis=0)
    graph.node("Slice", ["places", zero, "length", zero], "places.here")
    graph.node("Add", ["places.here", "type"], "places.typed")
    graph.node("Add", ["pieces.out", "places.typed"], "embedded")
    name = "body.embeddings.LayerNorm"
    return graph.node(
        "LayerNormalization",
        [
            "embedded",
            graph.array("embedded.gain", graph.state[f"{name}.weight"]),
            graph.array("embedded.bias", graph.state[f"{name}.bias"]),
        ],
        "hidden.0",
        epsilon=_EPSILON,
    )


def _layer(graph: _Graph, layer: int, heads: int, hidden: str) -> str:
    """Attention and feed-forward, each added to its input and normalised."""
    body, name = f"body.encoder.layer.{layer}", f"layer.{layer}"

    def added(part: str, short: str, skip: str, inputs: str, output: str) -> str:
        gain = graph.array(f"{name}.{short}.gain", graph.state[f"{body}.{part}.LayerNorm.weight"])
        bias = graph.array(f"{name}.{short}.shift", graph.state[f"{body}.{part}.LayerNorm.bias"])
        # The fused SkipLayerNormalization takes three times as long on CPUs (onnxruntime 1.32).
        total = graph.node("Add", [inputs, skip], f"{output}.sum")
        return graph.node("LayerNormalization", [total, gain, bias], output, epsilon=_EPSILON)

    own = f"{body}.attention.self"
    seen = graph.quantised(hidden, f"{own}.query")
    parts = [graph.linear(f"{own}.{part}", f"{name}.{part}", seen) for part in ("query", "key", "value")]
    attended = graph.fused("MultiHeadAttention", [*parts, "", LENGTHS], f"{name}.attended", num_heads=heads)
    layers = {
        "mix": f"{body}.attention.output.dense",
        "wide": f"{body}.intermediate.dense",
        "narrow": f"{body}.output.dense",
    }

    def linear(short: str, inputs: str) -> str:
        return graph.linear(layers[short], f"{name}.{short}", graph.quantised(inputs, layers[short]))

    middle = added("attention.output", "mix", hidden, linear("mix", attended), f"{name}.middle")
    active = graph.fused("Gelu", [linear("wide", middle)], f"{name}.active")
    return added("output", "narrow", middle, linear("narrow", active), f"hidden.{layer + 1}")


def _heads(graph: _Graph, hidden: str) -> None:
    """Mean over the tokens, one hidden layer, the logits."""
    minus_one, zero = graph.array("minus_one", np.array([-1])), graph.array("zero", np.array([0]))
    scalar = [graph.array("scalar_zero", np.array(0)), graph.array("scalar_one", np.array(1))]
    graph.node("Squeeze", ["length", zero], "length.scalar")
    graph.node("Range", [scalar[0], "length.scalar", scalar[1]], "range")
    graph.node("Cast", [LENGTHS], "lengths.wide", to=TensorProto.INT64)
    graph.node("Unsqueeze", ["lengths.wide", minus_one], "lengths.column")
    graph.node("Less", ["range", "lengths.column"], "valid")
    graph.node("Cast", ["valid"], "valid.float", to=TensorProto.FLOAT)
    graph.node("Unsqueeze", ["valid.float", minus_one], "valid.column")
    graph.node("Mul", [hidden, "valid.column"], "masked")
    one = graph.array("one", np.array([1]))
    graph.node("ReduceSum", ["masked", one], "total", keepdims=0)
    graph.node("Cast", ["lengths.column"], "lengths.float", to=TensorProto.FLOAT)
    graph.node("Div", ["total", "lengths.float"], "mean")
    for name, output in (("hidden", "first"), ("output", LOGITS)):
        graph.array(f"{name}.weight", graph.state[f"{name}.weight"])
        graph.array(f"{name}.bias", graph.state[f"{name}.bias"])
        inputs = "mean" if name == "hidden" else "first.active"
        graph.node("Gemm", [inputs, f"{name}.weight", f"{name}.bias"], output, transB=1)
        if name == "hidden":
            graph.fused("Gelu", ["first"], "first.active")
