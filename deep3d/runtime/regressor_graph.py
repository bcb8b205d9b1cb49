"""The regressor network of a checkpoint as an ONNX graph, in float32 or with convolutions in eight bits.

In eight bits a convolution multiplies int8 weights, one scale for each output channel, with uint8 activations, one
range for each tensor. Layers with numeric results keep their precision: the seven heads and the votes. So do the
activations of the last block. They are a hundred times larger for rare faces, and cancel in the heads: eight bits would
either clip these or be too coarse for all other faces.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.network.architecture import HEAD_WIDTHS, OFFSET_PIXELS, TRUNKS, Convolution
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.graph import Graph
from deep3d.runtime.ranges import Range


def regressor_graph(checkpoint: Checkpoint, ranges: Mapping[str, Range] | None = None) -> bytes:
    """The file of a network from `crops` (B, 3, S, S) to `vectors` (B, 257 + 3 N), as `Runtime` describes them.

    With `ranges`, the range of each activation of `observed`, it computes in eight bits.
    """
    builder = _Builder(checkpoint, Graph(checkpoint.info.name, ranges))
    return builder.graph.serialize({"vectors": builder.vectors()})


def observed(checkpoint: Checkpoint) -> Graph:
    """The float32 network, with the activations whose ranges eight bits need."""
    builder = _Builder(checkpoint, Graph(checkpoint.info.name))
    builder.vectors()
    return builder.graph


def trunk_features(checkpoint: Checkpoint, graph: Graph, crops: str, stages: int) -> list[str]:
    """The first stages of a checkpoint's trunk for `crops` (B, 3, S, S) of a graph, for other networks in it.

    Features at a quarter, an eighth, ... of the size.
    """
    return _Builder(checkpoint, graph, crops).features(stages)


class _Builder:
    """Walks through the network once."""

    def __init__(self, checkpoint: Checkpoint, graph: Graph, crops: str | None = None) -> None:
        folded = checkpoint.folded()
        self.graph = graph
        self._checkpoint = folded
        self._trunk = TRUNKS[folded.info.trunk]
        self._convolutions = {convolution.name: convolution for convolution in self._trunk.convolutions()}
        self._dense = len(folded.dense_vertices)
        self._cells = folded.info.crop_size // 8  # a side of the grid of votes
        stage, last = len(self._trunk.depths), self._trunk.depths[-1] - 1
        self._last_block = f"backbone.layer{stage}.{last}"
        self._before_last_block = f"backbone.layer{stage}.{last - 1}"
        size = folded.info.crop_size
        self._crops = self.graph.input("crops", ("B", 3, size, size)) if crops is None else crops

    def vectors(self) -> str:
        graph = self.graph
        features = self.features(len(self._trunk.depths))
        coefficients = self._heads(graph.apply("GlobalAveragePool", features[-1]))
        if not self._dense:
            return coefficients
        return graph.apply("Concat", coefficients, self._dense_landmarks(features[1], features[2]), axis=1)

    def features(self, stages: int) -> list[str]:
        """The features of each of the first stages."""
        graph = self.graph
        crops = graph.kept("crops", self._crops)
        x = self._relu("backbone.conv1", self._batch_normed(crops, "backbone.conv1.weight", stride=2))
        x = graph.apply("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        features = []
        for stage, depth in enumerate(self._trunk.depths[:stages], start=1):
            for block in range(depth):
                x = self._block(x, f"backbone.layer{stage}.{block}", stride=2 if stage > 1 and block == 0 else 1)
            features.append(x)
        return features

    def _block(self, x: str, prefix: str, stride: int) -> str:
        """A residual block; the stride is on the first 3 x 3 convolution."""
        count = 3 if self._trunk.bottleneck else 2
        strided = 2 if self._trunk.bottleneck else 1
        y = x
        for number in range(1, count + 1):
            y = self._batch_normed(y, f"{prefix}.conv{number}.weight", stride if number == strided else 1)
            if number < count:
                y = self._relu(f"{prefix}.conv{number}", y)
        if (shortcut := f"{prefix}.downsample.0.weight") in self._convolutions:
            x = self._batch_normed(x, shortcut, stride)
        return self._relu(prefix, self.graph.apply("Add", y, x))

    def _batch_normed(self, x: str, name: str, stride: int) -> str:
        """A convolution of the trunk; of its folded batch norm only a bias remains."""
        convolution: Convolution = self._convolutions[name]
        size = convolution.shape[2]
        bias = self._checkpoint.array(f"{convolution.batch_norm}.bias")
        return self.graph.convolution(x, self._weight(name), bias, size, stride, padding=size // 2)

    def _heads(self, feature: str) -> str:
        weights, biases = (
            np.concatenate([self._checkpoint.array(f"final_layers.{head}.{entry}") for head in range(len(HEAD_WIDTHS))])
            for entry in ("weight", "bias")
        )
        joined = self.graph.convolution(feature, self.graph.constant(weights), biases, size=1)
        return self.graph.apply("Flatten", joined)

    def _dense_landmarks(self, eighth: str, sixteenth: str) -> str:
        """`network.DenseHead`."""
        graph, cells = self.graph, self._cells
        coarse = graph.apply(
            "Resize",
            self._plain(sixteenth, "dense.coarse"),
            "",
            graph.constant(np.array([1, 1, 2, 2], np.float32)),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        mixed = self._relu("dense.fine", graph.apply("Add", self._plain(eighth, "dense.fine"), coarse))
        mixed = graph.apply("Relu", self._plain(mixed, "dense.mix"))
        votes = graph.convolution(
            mixed,
            graph.constant(self._checkpoint.array("dense.votes.weight")),
            self._checkpoint.array("dense.votes.bias"),
            size=1,
        )
        grid = graph.constant(np.array([0, 4, self._dense, cells * cells]))
        quarters = graph.split("Split", 4, graph.apply("Reshape", votes, grid), axis=1)
        weight, across, down, deviation = quarters
        weight = graph.apply("Softmax", weight, axis=-1)
        centers = ((np.arange(cells) + 0.5) * (CROP_SIZE / cells) - 0.5).astype(np.float32)
        votes = [
            self._offset(np.tile(centers, cells), across),
            self._offset(np.repeat(centers, cells), down),
            deviation,
        ]
        last = graph.constant(np.array([-1]))
        means = [graph.apply("ReduceSum", graph.apply("Mul", weight, vote), last) for vote in votes]
        return graph.apply(
            "Flatten", graph.apply("Transpose", graph.apply("Concat", *means, axis=1), perm=[0, 2, 1, 3])
        )

    def _offset(self, centers: np.ndarray, offset: str) -> str:
        scaled = self.graph.apply("Mul", offset, self.graph.constant(np.float32(OFFSET_PIXELS)))
        return self.graph.apply("Add", scaled, self.graph.constant(centers))

    def _plain(self, x: str, name: str) -> str:
        """A convolution with a bias."""
        size = self._checkpoint.stored[f"{name}.weight"].shape[2]
        return self.graph.convolution(
            x, self._weight(f"{name}.weight"), self._checkpoint.array(f"{name}.bias"), size, padding=size // 2
        )

    def _relu(self, name: str, x: str) -> str:
        """A ReLU; its result is an observed activation, named after the layer before it."""
        rectified = self.graph.apply("Relu", x)
        if name == self._before_last_block or name.startswith(self._last_block):
            return rectified
        return self.graph.kept(name, rectified)

    def _weight(self, name: str) -> str:
        rounded = self._checkpoint.quantized(name)
        if rounded is None:
            return self.graph.weight(self._checkpoint.array(name))
        return self.graph.rounded_weight(*rounded)
