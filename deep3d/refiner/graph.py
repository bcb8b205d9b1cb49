"""The refiner network as an ONNX graph, in float32 or with convolutions in eight bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deep3d.refiner.chart import CHART_CHANNELS, CHART_SIZE
from deep3d.refiner.layers import COARSE, DOWN, FINE_KERNEL, FINE_STRIDE, SHAPE, UP, landmark_cells
from deep3d.refiner.weights import RefinerWeights
from deep3d.runtime.graph import Graph
from deep3d.runtime.ranges import Range


def refiner_graph(weights: RefinerWeights, places: np.ndarray, ranges: Mapping[str, Range] | None = None) -> bytes:
    """The file of a network from `chart` (B, 9, S, S) and `shape` (B, 144) to `landmarks` (B, N, 3).

    `places` (N, 2) are those of the landmarks on the chart. Shapes are identities, and expressions times
    `EXPRESSION_GAIN`; landmarks are columns, rows and logarithms of deviations, in crop pixels along the upright face.
    With `ranges`, the range of each activation of `observed`, it computes in eight bits.
    """
    builder = _Builder(weights, ranges)
    return builder.graph.serialize({"landmarks": builder.landmarks(places)})


def observed(weights: RefinerWeights) -> Graph:
    """The float32 network, with the activations whose ranges eight bits need."""
    builder = _Builder(weights, None)
    builder.finest_grid()
    return builder.graph


class _Builder:
    """Walks through the network once."""

    def __init__(self, weights: RefinerWeights, ranges: Mapping[str, Range] | None) -> None:
        self.graph = Graph(weights.info.name, ranges)
        self._arrays = weights.arrays
        self._chart = self.graph.input("chart", ("B", CHART_CHANNELS, CHART_SIZE, CHART_SIZE))
        self._shape = self.graph.input("shape", ("B", SHAPE))

    def landmarks(self, places: np.ndarray) -> str:
        """Each landmark reads its cell with its own weights."""
        graph = self.graph
        flat = graph.apply("Reshape", self.finest_grid(), graph.constant(np.array([0, 0, -1])))
        seen = graph.apply("Gather", flat, graph.constant(landmark_cells(places)), axis=2)  # (B, C, N)
        by_landmark = graph.apply("Transpose", seen, perm=[2, 0, 1])
        read = graph.apply("MatMul", by_landmark, graph.constant(self._arrays["landmarks.weight"]))  # (N, B, 3)
        return graph.apply(
            "Add", graph.apply("Transpose", read, perm=[1, 0, 2]), graph.constant(self._arrays["landmarks.bias"])
        )

    def finest_grid(self) -> str:
        graph = self.graph
        fine = self._blocks(self._enter(self._chart, "fine", FINE_KERNEL, FINE_STRIDE), "fine", DOWN)
        middle = self._blocks(self._enter(fine, "middle", 3, 2), "middle", DOWN)
        coarse = self._blocks(self._enter(middle, "coarse", 3, 2), "coarse", DOWN)
        mean = graph.apply("Flatten", graph.apply("GlobalAveragePool", coarse))
        context = graph.apply("Add", self._dense(self._shape, "shape"), self._dense(mean, "context"))
        spread = graph.apply("Reshape", context, graph.constant(np.array([-1, COARSE, 1, 1])))
        coarse = graph.apply("Relu", graph.apply("Add", coarse, spread))
        middle = self._blocks(self._joined(middle, coarse, "middle.from_coarse"), "middle", UP)
        return self._blocks(self._joined(fine, middle, "fine.from_middle"), "fine", UP)

    def _enter(self, x: str, grid: str, kernel: int, stride: int) -> str:
        x = self.graph.kept(f"{grid}.enter", x)
        return self.graph.apply("Relu", self._convolution(x, f"{grid}.enter", kernel, stride))

    def _blocks(self, x: str, grid: str, names: tuple[str, ...]) -> str:
        for name in names:
            x = self.graph.kept(f"{grid}.{name}.first", x)
            y = self.graph.apply("Relu", self._convolution(x, f"{grid}.{name}.first", 3))
            y = self.graph.kept(f"{grid}.{name}.second", y)
            y = self.graph.apply("Add", x, self._convolution(y, f"{grid}.{name}.second", 3))
            x = self.graph.apply("Relu", y)
        return x

    def _joined(self, finer: str, coarser: str, name: str) -> str:
        """A grid joined with the coarser one."""
        larger = self.graph.apply(
            "Resize",
            self._convolution(self.graph.kept(name, coarser), name, 1),
            "",
            self.graph.constant(np.array([1, 1, 2, 2], np.float32)),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return self.graph.apply("Add", finer, larger)

    def _convolution(self, x: str, name: str, kernel: int, stride: int = 1) -> str:
        weight = self.graph.weight(self._arrays[f"{name}.weight"])
        return self.graph.convolution(x, weight, self._arrays[f"{name}.bias"], kernel, stride, padding=kernel // 2)

    def _dense(self, x: str, name: str) -> str:
        weight, bias = (self.graph.constant(self._arrays[f"{name}.{entry}"]) for entry in ("weight", "bias"))
        return self.graph.apply("Gemm", x, weight, bias, transB=1)
