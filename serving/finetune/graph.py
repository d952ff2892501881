"""A shipped model's network as torch: its ONNX graph, with weights that train and are written back."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

INPUT: Final = "bags"
_LAST: Final = ("Sigmoid", "Softmax")
_GEMM_DEFAULTS: Final = {"alpha": 1.0, "beta": 1.0, "transA": 0}


class GraphError(Exception):
    """The graph has an operation that is not known here."""


class GraphNetwork(nn.Module):
    """Runs the heads' graph up to their logits. Calibration stays as it is: it is part of the last layer."""

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self.model = model
        self._constants: dict[str, NDArray[Any]] = {}
        self.weights = nn.ParameterDict()
        for initializer in model.graph.initializer:
            array = numpy_helper.to_array(initializer)
            if array.dtype == np.float32:
                self.weights[initializer.name] = nn.Parameter(torch.from_numpy(array.copy()))
            else:
                self._constants[initializer.name] = array
        self._nodes = list(model.graph.node)
        if unknown := {node.op_type for node in self._nodes} - {"Gemm", "Relu", "Split", *_LAST}:
            raise GraphError(
                f"this model's network has {', '.join(sorted(unknown))}: it cannot be fine-tuned"
            )
        self.multi_label = {
            node.output[0]: node.op_type == "Sigmoid" for node in self._nodes if node.op_type in _LAST
        }
        """Head → whether its labels are independent of each other."""

    @classmethod
    def read(cls, path: Path) -> "GraphNetwork":
        """The network of a model's heads.onnx.

        Raises:
            GraphError: If it has an operation that is not known here.
        """
        return cls(onnx.load(path))

    def forward(self, bags: Tensor) -> dict[str, Tensor]:
        """Bags (batch, features) → head → logits (batch, labels)."""
        values: dict[str, Tensor] = {INPUT: bags, **dict(self.weights.items())}
        heads: dict[str, Tensor] = {}
        for node in self._nodes:
            first = values[node.input[0]]
            if node.op_type == "Gemm":
                values[node.output[0]] = _gemm(node, *(values[name] for name in node.input))
            elif node.op_type == "Relu":
                values[node.output[0]] = torch.relu(first)
            elif node.op_type == "Split":
                sizes = self._constants[node.input[1]].tolist()
                values |= dict(zip(node.output, torch.split(first, sizes, dim=1), strict=True))
            else:
                heads[node.output[0]] = first
        return heads

    def save(self, path: Path) -> None:
        """Write the graph with the weights as they are now."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for initializer in model.graph.initializer:
            if initializer.name in self.weights:
                array = self.weights[initializer.name].detach().numpy()
                initializer.CopyFrom(numpy_helper.from_array(array, initializer.name))
        onnx.checker.check_model(model)
        onnx.save(model, path)


def _gemm(node: onnx.NodeProto, first: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    options = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    turned = options.pop("transB", 0)
    if any(options.get(name, default) != default for name, default in _GEMM_DEFAULTS.items()):
        raise GraphError(f"this model's network has a Gemm with {options}: it cannot be fine-tuned")
    product = first @ (weight.T if turned else weight)
    return product if bias is None else product + bias
