"""Networks as ONNX graphs, built operator by operator from numpy weights, without a framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from deep3d.network.quantization import MULTIPLIED, multiplied, quantize
from deep3d.runtime.ranges import Range

OPSET = 17  # of 2022: every current runtime reads it


class Graph:
    """Collects operators; each method returns the name of its result, which others take as an input.

    With `ranges` of the `kept` activations, weights are rounded to eight bits too.
    """

    def __init__(self, name: str, ranges: Mapping[str, Range] | None = None) -> None:
        self.activations: dict[str, str] = {}  # kept tensors by name
        self._name = name
        self._ranges = ranges
        self._nodes: list[Any] = []
        self._constants: list[np.ndarray | np.generic] = []
        self._inputs: list[Any] = []

    def input(self, name: str, shape: tuple[int | str, ...], dtype: type = np.float32) -> str:
        """An input; sizes that are unknown here are letters."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, value: np.ndarray | np.generic) -> str:
        """An array or a number that belongs to the network."""
        self._constants.append(value)
        return f"constant{len(self._constants) - 1}"

    def weight(self, value: np.ndarray) -> str:
        """The weights (O, ...) of a convolution, rounded if the graph computes in eight bits."""
        return self.constant(value) if self._ranges is None else self._expanded(*quantize(value, MULTIPLIED))

    def rounded_weight(self, levels: np.ndarray, scale: np.ndarray) -> str:
        """Weights (O, ...) that already have eight bits: runtimes expand them faster than numpy."""
        return self._expanded(levels, scale) if self._ranges is None else self._expanded(*multiplied(levels, scale))

    def _expanded(self, levels: np.ndarray, scale: np.ndarray) -> str:
        zero = np.zeros(len(scale), np.int8)
        return self.apply("DequantizeLinear", *map(self.constant, (levels, scale, zero)), axis=0)

    def kept(self, name: str, x: str) -> str:
        """A tensor between layers, rounded to the range of that name if the graph computes in eight bits."""
        self.activations[name] = x
        if self._ranges is None:
            return x
        levels = [self.constant(part) for part in (self._ranges[name].step, self._ranges[name].zero)]
        return self.apply("DequantizeLinear", self.apply("QuantizeLinear", x, *levels), *levels)

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The result of an operator of the ONNX standard, by its name there."""
        return self.split(operator, 1, *inputs, **attributes)[0]

    def split(self, operator: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """The results of an operator that has several."""
        name = f"{operator}{len(self._nodes)}"
        outputs = [name] if count == 1 else [f"{name}.{number}" for number in range(count)]
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, name=name, **attributes))
        return outputs

    def convolution(self, x: str, weight: str, bias: np.ndarray, size: int, stride: int = 1, padding: int = 0) -> str:
        """A convolution with a square kernel."""
        return self.apply(
            "Conv",
            x,
            weight,
            self.constant(bias.astype(np.float32)),
            kernel_shape=[size] * 2,
            strides=[stride] * 2,
            pads=[padding] * 4,
        )

    def serialize(self, outputs: dict[str, str]) -> bytes:
        """The file of a network with these named results."""
        nodes = [*self._nodes, *(helper.make_node("Identity", [value], [name]) for name, value in outputs.items())]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        constants = [
            numpy_helper.from_array(np.ascontiguousarray(value), f"constant{number}")
            for number, value in enumerate(self._constants)
        ]
        graph = helper.make_graph(nodes, self._name, self._inputs, results, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        return model.SerializeToString()

    def serialize_observed(self) -> bytes:
        """The file of a network whose results are the kept tensors, in order."""
        return self.serialize({f"{name}.kept": value for name, value in self.activations.items()})
