"""An ONNX file of a convolutional network as a torch module with gradients, for the operators of ArcFace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from deep3d.errors import CheckpointInvalid

Attributes = dict[str, Any]


class OnnxNetwork(nn.Module):
    """The graph of a model with one input and one output; weights are buffers.

    Raises: CheckpointInvalid for unknown operators.
    """

    def __init__(self, model: onnx.ModelProto, name: str) -> None:
        super().__init__()
        graph = model.graph
        foreign = sorted({node.op_type for node in graph.node} - set(_OPERATORS))
        if foreign:
            raise CheckpointInvalid(
                f"{name}: operator {foreign[0]!r} is not supported; export the network as TorchScript instead"
            )
        self._names = {tensor.name: f"weight{k}" for k, tensor in enumerate(graph.initializer)}
        for tensor in graph.initializer:
            self.register_buffer(self._names[tensor.name], torch.tensor(numpy_helper.to_array(tensor)))
        self._input = next(value.name for value in graph.input if value.name not in self._names)
        self._output = graph.output[0].name
        self._nodes = [
            (
                _OPERATORS[node.op_type],
                list(node.input),
                node.output[0],
                {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute},
            )
            for node in graph.node
        ]

    def forward(self, images: Tensor) -> Tensor:
        """The output for images (B, 3, S, S)."""
        values: dict[str, Tensor | None] = {"": None, self._input: images}
        values |= {name: self.get_buffer(buffer) for name, buffer in self._names.items()}
        for operator, inputs, output, attributes in self._nodes:
            values[output] = operator(attributes, *(values[name] for name in inputs))
        result = values[self._output]
        assert result is not None
        return result


def read_onnx_network(path: Path) -> OnnxNetwork:
    """The network of a file.

    Raises: CheckpointInvalid if it is damaged, or has unknown operators.
    """
    try:
        return OnnxNetwork(onnx.load(path), str(path))
    except (DecodeError, ValueError, StopIteration, IndexError) as error:
        raise CheckpointInvalid(f"{path}: not an ONNX file, or damaged; fetch it again") from error


def _convolution(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return functional.conv2d(
        functional.pad(x, (left, right, top, bottom)),
        weight,
        bias,
        attributes.get("strides", [1, 1]),
        0,
        attributes.get("dilations", [1, 1]),
        attributes.get("group", 1),
    )


def _batch_norm(attributes: Attributes, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return functional.batch_norm(x, mean, var, scale, bias, eps=attributes.get("epsilon", 1e-5))


def _gemm(attributes: Attributes, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    a, b = a.mT if attributes.get("transA") else a, b.mT if attributes.get("transB") else b
    product = attributes.get("alpha", 1.0) * (a @ b)
    return product if c is None else product + attributes.get("beta", 1.0) * c


_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda attributes, a, b: a + b,
    "BatchNormalization": _batch_norm,
    "Conv": _convolution,
    "Div": lambda attributes, a, b: a / b,
    "Dropout": lambda attributes, x, *ignored: x,
    "Flatten": lambda attributes, x: x.flatten(attributes.get("axis", 1)),
    "Gemm": _gemm,
    "Identity": lambda attributes, x: x,
    "Mul": lambda attributes, a, b: a * b,
    "PRelu": lambda attributes, x, slope: torch.where(x < 0, slope * x, x),
    "Relu": lambda attributes, x: functional.relu(x),
    "Reshape": lambda attributes, x, shape: x.reshape(tuple(shape.tolist())),
    "Sub": lambda attributes, a, b: a - b,
}
