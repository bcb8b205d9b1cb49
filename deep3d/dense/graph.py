"""The U-Net of a dense network as an ONNX graph, in float32 or with convolutions in eight bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deep3d.dense.architecture import TRUNK, UNet
from deep3d.dense.layers import CLASSES, CONFIDENCES, ENTER_KERNEL, GREY, INPUTS, UNITS
from deep3d.dense.maps import MAP_SIZE, SURFACE
from deep3d.dense.weights import DenseWeights
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.graph import Graph
from deep3d.runtime.ranges import Range
from deep3d.runtime.regressor_graph import trunk_features


def dense_graph(weights: DenseWeights, checkpoint: Checkpoint, ranges: Mapping[str, Range] | None = None) -> bytes:
    """The file of a `UNet` from `crops` and `mesh` to `surface` (B, 7, S, S), `sure` (B, 3, S, S) and `classes`.

    `crops` (B, 3, S, S) are RGB in [0, 1]. `mesh` (B, 8, S, S) is the coverage of the mesh, and its height, normal and
    place on the mean shape. `surface` holds heights in decimetres, normals of any length and places; `sure` the
    logarithms of their deviations, in millimetres, for normals in radians; `classes` (B, C, S, S) probabilities of
    `layers.CLASSES`. The trunk is the checkpoint's. With `ranges`, the range of each activation of `observed`, it
    computes in eight bits.
    """
    builder = _Builder(weights, checkpoint, ranges)
    return builder.graph.serialize(builder.maps())


def observed(weights: DenseWeights, checkpoint: Checkpoint) -> Graph:
    """The float32 network, with the activations whose ranges eight bits need."""
    builder = _Builder(weights, checkpoint, None)
    builder.maps()
    return builder.graph


class _Builder:
    """Walks through the network once."""

    def __init__(self, weights: DenseWeights, checkpoint: Checkpoint, ranges: Mapping[str, Range] | None) -> None:
        self.graph = Graph(weights.info.name, ranges)
        assert isinstance(weights.architecture, UNet)  # others have no graph
        self._network = weights.architecture
        self._arrays, self._checkpoint = weights.arrays, checkpoint
        size = self._network.map_size
        self._crops = self.graph.input("crops", ("B", 3, size, size))
        self._mesh = self.graph.input("mesh", ("B", INPUTS - 3, size, size))

    def maps(self) -> dict[str, str]:
        """The results: corrections of the mesh, deviations and classes."""
        graph = self.graph
        seen = self._seen()
        finest = self._finest_grid(seen)
        pixels = self._pixels(self._convolution(finest, "maps", 1), self._network.cell)
        sizes = graph.constant(np.array([SURFACE, CONFIDENCES, len(CLASSES)]))
        change, sure, scores = graph.split("Split", 3, pixels, sizes, axis=1)
        bounds = [graph.constant(np.array([number])) for number in (1, 1 + SURFACE, 1)]
        surface = graph.apply("Slice", self._mesh, *bounds)
        units = graph.constant(np.array(UNITS, np.float32)[:, None, None])
        return {
            "surface": graph.apply("Add", surface, graph.apply("Mul", change, units)),
            "sure": sure,
            "classes": graph.apply("Softmax", graph.apply("Add", scores, self._details(seen, finest)), axis=1),
        }

    def _seen(self) -> str:
        colours = self.graph.apply("Sub", self._crops, self.graph.constant(np.float32(GREY)))
        return self.graph.apply("Concat", colours, self._mesh, axis=1)

    def _details(self, seen: str, finest: str) -> str:
        """What the grid of twice as many cells adds to the scores of the classes."""
        graph = self.graph
        side = self._network.cell // 2
        entered = self._convolution(seen, "detail.enter", 3, side)
        known = self._larger(self._convolution(finest, "detail.coarser", 1))
        x = self._block(graph.apply("Relu", graph.apply("Add", entered, known)), "detail.0")
        return self._pixels(self._convolution(x, "detail.classes", 1), side)

    def _finest_grid(self, x: str) -> str:
        graph = self.graph
        features, network = self._trunk_features(), self._network
        grids = []
        for level, (stage, blocks) in enumerate(zip(network.stages, network.blocks, strict=True)):
            kernel, stride = (ENTER_KERNEL, network.cell) if level == 0 else (3, 2)
            x = self._convolution(x, f"{level}.enter", kernel, stride)
            if stage is not None:
                x = graph.apply("Add", x, self._convolution(features[stage], f"{level}.trunk", 1))
            x = graph.apply("Relu", x)
            for block in range(blocks):
                x = self._block(x, f"{level}.{block}")
            grids.append(x)
        for level in reversed(range(len(grids) - 1)):
            x = self._joined(grids[level], x, str(level))
        return x

    def _trunk_features(self) -> list[str]:
        """The trunk's features of the crops, which it sees at the size that it was trained for."""
        crops, factor = self._crops, self._network.map_size // MAP_SIZE
        if factor > 1:
            crops = self.graph.apply("AveragePool", crops, kernel_shape=[factor] * 2, strides=[factor] * 2)
        return trunk_features(self._checkpoint, self.graph, crops, len(TRUNK))

    def _block(self, x: str, name: str) -> str:
        y = self.graph.apply("Relu", self._convolution(x, f"{name}.first", 3))
        return self.graph.apply("Relu", self.graph.apply("Add", x, self._convolution(y, f"{name}.second", 3)))

    def _joined(self, fine: str, coarse: str, name: str) -> str:
        """A grid, as far as the coarser one lets it through, joined with that coarser one."""
        graph = self.graph
        both = graph.apply(
            "Add",
            self._convolution(fine, f"{name}.gate_fine", 1, 2),
            self._convolution(coarse, f"{name}.gate_coarse", 1),
        )
        opened = graph.apply("Sigmoid", self._convolution(graph.apply("Relu", both), f"{name}.gate", 1))
        passed = graph.apply("Mul", fine, self._larger(opened))
        below = self._larger(graph.apply("Relu", self._convolution(coarse, f"{name}.coarser", 1)))
        return graph.apply("Relu", self._convolution(graph.apply("Concat", passed, below, axis=1), f"{name}.join", 3))

    def _convolution(self, x: str, name: str, kernel: int, stride: int = 1) -> str:
        """A convolution of an activation whose range is recorded."""
        x = self.graph.kept(name, x)
        weight = self.graph.weight(self._arrays[f"{name}.weight"])
        return self.graph.convolution(x, weight, self._arrays[f"{name}.bias"], kernel, stride, padding=kernel // 2)

    def _larger(self, x: str) -> str:
        return self.graph.apply(
            "Resize",
            x,
            "",
            self.graph.constant(np.array([1, 1, 2, 2], np.float32)),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def _pixels(self, cells: str, side: int) -> str:
        """The pixels of each cell, `side` across, at their places, as torch's pixel shuffle has them."""
        return cells if side == 1 else self.graph.apply("DepthToSpace", cells, blocksize=side, mode="CRD")
