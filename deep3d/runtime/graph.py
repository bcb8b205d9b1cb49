"""Networks as ONNX graphs, put together operator by operator from numpy weights: no framework is needed to make one."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17  # of 2022: every runtime of today reads it


class Graph:
    """Collects operators; each method returns the name of its result, which others take as an input."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []

    def input(self, name: str, shape: tuple[int | str, ...], dtype: type = np.float32) -> str:
        """An input; sizes that are known only later are letters."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, value: np.ndarray | np.generic) -> str:
        """An array or a number that belongs to the network."""
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

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
        """The file of a network that gives these results under these names."""
        nodes = [*self._nodes, *(helper.make_node("Identity", [value], [name]) for name, value in outputs.items())]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(nodes, self._name, self._inputs, results, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        return model.SerializeToString()
