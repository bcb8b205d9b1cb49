"""The three networks of MTCNN (Zhang et al., 2016) with the weights of facenet-pytorch (MIT licence), torch-free."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from deep3d.assets import asset
from deep3d.errors import CheckpointInvalid, CheckpointMissing
from deep3d.runtime.graph import Graph
from deep3d.runtime.onnx import OnnxNetwork
from deep3d.tensor_file import read_tensors

WEIGHTS = "mtcnn.safetensors"
_MEAN, _SPAN = 127.5, 128.0  # the networks see (pixel - mean) / span
_BATCH = 128  # crops at a time at most, which bounds the memory
_STEP = 4  # crops come in multiples of it


class Proposals(NamedTuple):
    """What P-Net says of each of its windows of 12 pixels, two pixels apart."""

    offsets: np.ndarray  # (B, 4, H, W) of the edges, as parts of the window
    scores: np.ndarray  # (B, H, W) probabilities


class MtcnnNetworks:
    """Pictures of (B, H, W, 3) RGB from 0 to 255 in, float32 or uint8; the networks are loaded once."""

    def __init__(self, threads: int | None = None) -> None:
        """Raises: CheckpointMissing, CheckpointInvalid."""
        weights = _read_weights(asset("checkpoints", WEIGHTS))
        self._pnet, self._rnet, self._onet = (OnnxNetwork(build(weights), threads) for build in (_pnet, _rnet, _onet))

    def pnet(self, images: np.ndarray) -> Proposals:
        """What the first network says of (B, H, W, 3) uint8 images of at least 12 pixels a side."""
        offsets, probability = self._pnet(images)
        return Proposals(offsets, probability[:, 1])

    def rnet(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Offsets (N, 4) of the edges and scores (N,) of (N, 24, 24, 3) float32 crops."""
        offsets, probability = _in_batches(self._rnet, crops)
        return offsets, probability[:, 1]

    def onet(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Offsets (N, 4), landmarks (N, 5, 2) in the crop's unit square, and scores (N,) of (N, 48, 48, 3) crops."""
        offsets, landmarks, probability = _in_batches(self._onet, crops)
        return offsets, landmarks.reshape(-1, 2, 5).transpose(0, 2, 1), probability[:, 1]


def _in_batches(network: OnnxNetwork, crops: np.ndarray) -> list[np.ndarray]:
    """The outputs for all crops; the networks only ever see a few numbers of crops, for which they are soon ready."""
    filled = np.zeros((max(_next_multiple(len(crops), _STEP), _STEP), *crops.shape[1:]), crops.dtype)
    filled[: len(crops)] = crops
    parts = [network(filled[start : start + _BATCH]) for start in range(0, len(filled), _BATCH)]
    return [np.concatenate(part)[: len(crops)] for part in zip(*parts, strict=True)]


def _next_multiple(number: int, step: int) -> int:
    return -(-number // step) * step


def _read_weights(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_tensors(path).arrays
    except OSError as error:
        raise CheckpointMissing(f"{path}: the detector's weights are not there ({error.strerror})") from error
    except ValueError as error:
        raise CheckpointInvalid(f"{path}: damaged ({error}); fetch it again") from error


def _pnet(weights: dict[str, np.ndarray]) -> bytes:
    net = _Layers("pnet", weights, np.uint8, ("B", "H", "W", 3))
    x = net.convolution(net.images, "1")
    x = net.pool(x, 2, 2)
    x = net.convolution(x, "2")
    x = net.convolution(x, "3")
    probability = net.graph.apply("Softmax", net.convolution(x, "4_1"), axis=1)
    return net.graph.serialize({"offsets": net.convolution(x, "4_2"), "probability": probability})


def _rnet(weights: dict[str, np.ndarray]) -> bytes:
    net = _Layers("rnet", weights, np.float32, ("B", 24, 24, 3))
    x = net.pool(net.convolution(net.images, "1"), 3, 2)
    x = net.pool(net.convolution(x, "2"), 3, 2)
    x = net.dense(net.flat(net.convolution(x, "3")), "4")
    probability = net.graph.apply("Softmax", net.dense(x, "5_1"), axis=1)
    return net.graph.serialize({"offsets": net.dense(x, "5_2"), "probability": probability})


def _onet(weights: dict[str, np.ndarray]) -> bytes:
    net = _Layers("onet", weights, np.float32, ("B", 48, 48, 3))
    x = net.pool(net.convolution(net.images, "1"), 3, 2)
    x = net.pool(net.convolution(x, "2"), 3, 2)
    x = net.pool(net.convolution(x, "3"), 2, 2)
    x = net.dense(net.flat(net.convolution(x, "4")), "5")
    probability = net.graph.apply("Softmax", net.dense(x, "6_1"), axis=1)
    outputs = {"offsets": net.dense(x, "6_2"), "landmarks": net.dense(x, "6_3"), "probability": probability}
    return net.graph.serialize(outputs)


class _Layers:
    """The layers that the three networks are made of, by facenet-pytorch's numbers."""

    def __init__(self, name: str, weights: dict[str, np.ndarray], dtype: type, shape: tuple[int | str, ...]) -> None:
        self.graph = Graph(name)
        self._weights = {key.partition(".")[2]: value for key, value in weights.items() if key.startswith(name)}
        images = self.graph.apply("Transpose", self.graph.input("images", shape, dtype), perm=[0, 3, 1, 2])
        self.images = images if dtype is np.float32 else self.graph.apply("Cast", images, to=1)

    def convolution(self, x: str, number: str) -> str:
        weight, bias = self._weights[f"conv{number}.weight"], self._weights[f"conv{number}.bias"]
        if number == "1":  # the scaling of the pixels is folded into it: nothing is padded
            bias = bias - weight.sum(axis=(1, 2, 3)) * np.float32(_MEAN / _SPAN)
            weight = weight / np.float32(_SPAN)
        y = self.graph.convolution(x, self.graph.constant(weight), bias, weight.shape[2])
        return self._rectified(y, number, (-1, 1, 1))

    def pool(self, x: str, size: int, stride: int) -> str:
        return self.graph.apply("MaxPool", x, kernel_shape=[size] * 2, strides=[stride] * 2, ceil_mode=1)

    def flat(self, x: str) -> str:
        """Columns before rows before channels, as in the framework that the weights were first trained in."""
        return self.graph.apply("Flatten", self.graph.apply("Transpose", x, perm=[0, 3, 2, 1]))

    def dense(self, x: str, number: str) -> str:
        weight, bias = self._weights[f"dense{number}.weight"], self._weights[f"dense{number}.bias"]
        y = self.graph.apply("Gemm", x, self.graph.constant(weight), self.graph.constant(bias), transB=1)
        return self._rectified(y, number, (-1,))

    def _rectified(self, x: str, number: str, shape: tuple[int, ...]) -> str:
        slope = self._weights.get(f"prelu{number}.weight")
        return x if slope is None else self.graph.apply("PRelu", x, self.graph.constant(slope.reshape(shape)))
