"""The three networks of MTCNN (Zhang et al., 2016) with the weights of facenet-pytorch (MIT licence).

They are so small that a framework's overhead exceeds the computation, and their first layers have too few channels for
its kernels. Here each channel of a picture is one flat row of pixels, line after line, so a convolution is a sum of
shifted rows, and the processor's vectors run along the pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from numpy.lib.stride_tricks import as_strided

from deep3d.errors import CheckpointInvalid, CheckpointMissing
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors

WEIGHTS = "mtcnn.safetensors"
_MEAN, _SPAN = 127.5, 128.0  # the networks see (pixel - mean) / span
_BATCH = 64  # crops at a time at most, which bounds the memory
_STRIP = 2048  # pixels of a plane at a time: with their sums they stay in the processor's first cache
_LOOSE = {"reassoc", "contract", "nsz"}  # allows reordered sums and fused multiply-add


class Proposals(NamedTuple):
    """P-Net's output for its windows of 12 pixels, two pixels apart."""

    offsets: np.ndarray  # (B, 4, H, W) of the edges, as parts of the window
    scores: np.ndarray  # (B, H, W) probabilities


class _Planes(NamedTuple):
    """B pictures of C channels."""

    values: np.ndarray  # (B, C, (height - 1) * pitch + width) float32
    height: int
    width: int
    pitch: int  # from one line to the next; values between the lines are undefined

    def lines(self) -> np.ndarray:
        """A view (B, C, height, width)."""
        image, channel, pixel = self.values.strides
        shape = (*self.values.shape[:2], self.height, self.width)
        return as_strided(self.values, shape, (image, channel, self.pitch * pixel, pixel), writeable=False)


class MtcnnNetworks:
    """Takes RGB pictures with values from 0 to 255; reads the weights once."""

    def __init__(self) -> None:
        """Raises: CheckpointMissing, CheckpointInvalid."""
        weights = _read_weights(asset("checkpoints", WEIGHTS))
        self._pnet = _Layers("pnet", weights).proposing()
        self._rnet, self._onet = _Layers("rnet", weights), _Layers("onet", weights)

    def pnet(self, images: np.ndarray) -> Proposals:
        """The first network's output for (B, H, W, 3) uint8 images of at least 12 pixels a side."""
        return Proposals(*_propose(images, *self._pnet))

    def rnet(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Offsets (N, 4) of the edges and scores (N,) of (N, 3, 24, 24) float32 crops."""
        parts = [self._refine(crops[start : start + _BATCH]) for start in _starts(crops)]
        offsets, scores = map(np.concatenate, zip(*parts, strict=True))
        return offsets, scores

    def onet(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Offsets (N, 4), landmarks (N, 5, 2) in the crop's unit square, and scores (N,) of (N, 3, 48, 48) crops."""
        parts = [self._decide(crops[start : start + _BATCH]) for start in _starts(crops)]
        offsets, landmarks, scores = map(np.concatenate, zip(*parts, strict=True))
        return offsets, landmarks.reshape(-1, 2, 5).transpose(0, 2, 1), scores

    def _refine(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        net = self._rnet
        x = net.pool(net.slide(_planes(crops), "1"), "1", 3)
        x = net.pool(net.multiply(x, "2"), "2", 3)
        x = net.dense(net.rectify(net.multiply(x, "3"), "3").lines(), "4")
        return net.dense(x, "5_2"), _probability(net.dense(x, "5_1"))

    def _decide(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        net = self._onet
        x = net.pool(net.slide(_planes(crops), "1"), "1", 3)
        x = net.pool(net.multiply(x, "2"), "2", 3)
        x = net.pool(net.multiply(x, "3"), "3", 2)
        x = net.dense(net.rectify(net.multiply(x, "4"), "4").lines(), "5")
        return net.dense(x, "6_2"), net.dense(x, "6_3"), _probability(net.dense(x, "6_1"))


def _starts(crops: np.ndarray) -> range:
    """Where batches begin; there is always one, for the shapes of its results."""
    return range(0, max(len(crops), 1), _BATCH)


def _read_weights(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_tensors(path).arrays
    except OSError as error:
        raise CheckpointMissing(f"{path}: the detector's weights are missing ({error.strerror})") from error
    except ValueError as error:
        raise CheckpointInvalid(f"{path}: damaged ({error}); fetch it again") from error


class _Layers:
    """The layers of the three networks, with facenet-pytorch's weights."""

    def __init__(self, name: str, weights: dict[str, np.ndarray]) -> None:
        # Copies, since numba would compile everything once more for arrays that cannot be written to.
        own = {key.partition(".")[2]: value.copy() for key, value in weights.items() if key.startswith(name)}
        # The scaling of the pixels is folded into the first convolution: nothing is padded.
        own["conv1.bias"] = own["conv1.bias"] - own["conv1.weight"].sum(axis=(1, 2, 3)) * np.float32(_MEAN / _SPAN)
        own["conv1.weight"] = own["conv1.weight"] / np.float32(_SPAN)
        self._weights = own

    def proposing(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """P-Net's layers for `_propose`: weights, bias and slope of three, then weights and bias."""
        own = self._weights
        sliding = [
            (_flat_kernels(own[f"conv{n}.weight"]), own[f"conv{n}.bias"], own[f"prelu{n}.weight"]) for n in (1, 2, 3)
        ]
        weights, bias = (np.concatenate([own[f"conv4_{n}.{entry}"] for n in (2, 1)]) for entry in ("weight", "bias"))
        return *sliding, (weights.reshape(len(weights), -1), bias)

    def slide(self, x: _Planes, number: str) -> _Planes:
        """The sums of a 3 x 3 convolution: for few channels and many pixels."""
        weight = self._weights[f"conv{number}.weight"]
        height, width = x.height - 2, x.width - 2
        sums = np.empty((len(x.values), len(weight), (height - 1) * x.pitch + width), np.float32)
        _slide(x.values, _flat_kernels(weight), x.pitch, sums)
        return _Planes(sums, height, width, x.pitch)

    def multiply(self, x: _Planes, number: str) -> _Planes:
        """The sums of a convolution as one product of matrices: for many channels and few pixels."""
        weight = self._weights[f"conv{number}.weight"]
        size = weight.shape[2]
        height, width = x.height - size + 1, x.width - size + 1
        length = (height - 1) * x.pitch + width
        image, channel, pixel = x.values.strides
        shape = (*x.values.shape[:2], size, size, length)
        shifted = as_strided(x.values, shape, (image, channel, x.pitch * pixel, pixel, pixel), writeable=False)
        flat = weight.reshape(len(weight), -1)
        sums = flat @ shifted.reshape(len(x.values), flat.shape[1], length)
        return _Planes(sums, height, width, x.pitch)

    def rectify(self, sums: _Planes, number: str) -> _Planes:
        """The sums, in their place, with bias and slope."""
        _rectify(sums.values, self._weights[f"conv{number}.bias"], self._weights[f"prelu{number}.weight"])
        return sums

    def pool(self, sums: _Planes, number: str, size: int) -> _Planes:
        """Maxima of rectified sums in windows two pixels apart, the last of which may reach beyond the edge."""
        height, width = (max(-(-(side - size) // 2), 0) + 1 for side in (sums.height, sums.width))
        pooled = np.empty((*sums.values.shape[:2], height * width), np.float32)
        bias, slope = self._weights[f"conv{number}.bias"], self._weights[f"prelu{number}.weight"]
        windows = pooled.reshape(*pooled.shape[:2], height, width)
        _pool(sums.values, bias, slope, sums.pitch, sums.width, size, windows)
        return _Planes(pooled, height, width, width)

    def dense(self, x: np.ndarray, number: str) -> np.ndarray:
        """(B, N) of features (B, M) or of pictures (B, C, H, W)."""
        weight, bias = self._weights[f"dense{number}.weight"], self._weights[f"dense{number}.bias"]
        if x.ndim == 4:  # columns before rows before channels, as in the framework that the weights were trained in
            x = x.transpose(0, 3, 2, 1).reshape(len(x), weight.shape[1])
        y = x @ weight.T + bias
        slope = self._weights.get(f"prelu{number}.weight")
        return y if slope is None else np.where(y > 0, y, slope * y)


def _flat_kernels(weight: np.ndarray) -> np.ndarray:
    """(N, C, 9) weights of a 3 x 3 convolution (N, C, 3, 3)."""
    return weight.reshape(*weight.shape[:2], 9)


def _planes(pictures: np.ndarray) -> _Planes:
    """(B, C, H, W) float32 pictures."""
    count, channels, height, width = pictures.shape
    return _Planes(pictures.reshape(count, channels, height * width), height, width, width)


def _probability(logits: np.ndarray) -> np.ndarray:
    """Softmax probability of the second of two classes (B, 2, ...), without overflow."""
    return (1 + np.tanh((logits[:, 1] - logits[:, 0]) / 2)) / 2


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _propose(images, first, second, third, judging):
    """Offsets (B, 4, h, w) and scores (B, h, w) of P-Net's windows in images (B, H, W, 3).

    One kernel, since it runs at many sizes; for the smaller ones, separate calls would cost more than the work.
    """
    count, height, width = images.shape[:3]
    planes = np.empty((count, 3, height * width), np.float32)
    for image in range(count):
        for row in range(height):
            for column in range(width):
                for channel in range(3):
                    planes[image, channel, row * width + column] = images[image, row, column, channel]

    weights, bias, slope = first
    sums = np.empty((count, len(weights), (height - 3) * width + width - 2), np.float32)
    _slide(planes, weights, width, sums)
    tall, wide = (height - 1) // 2, (width - 1) // 2
    pooled = np.empty((count, len(weights), tall, wide), np.float32)
    _pool(sums, bias, slope, width, width - 2, 2, pooled)

    weights, bias, slope = second
    features = np.empty((count, len(weights), (tall - 3) * wide + wide - 2), np.float32)
    _slide(pooled.reshape(count, -1, tall * wide), weights, wide, features)
    _rectify(features, bias, slope)
    weights, bias, slope = third
    finer = np.empty((count, len(weights), (tall - 5) * wide + wide - 4), np.float32)
    _slide(features, weights, wide, finer)
    _rectify(finer, bias, slope)

    return _judge(finer, judging, tall, wide)


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _judge(finer, judging, tall, wide):
    """Offsets and scores of windows by the last features (B, C, N) of a grid of `tall` by `wide`."""
    count = len(finer)
    weights, bias = judging
    offsets = np.empty((count, 4, tall - 4, wide - 4), np.float32)
    scores = np.empty((count, tall - 4, wide - 4), np.float32)
    judged = np.empty((len(weights), finer.shape[2]), np.float32)
    for image in range(count):
        for number in range(len(weights)):
            total = judged[number]
            total[:] = bias[number]
            for channel in range(finer.shape[1]):
                weight, feature = weights[number, channel], finer[image, channel]
                for k in range(len(total)):
                    total[k] += weight * feature[k]
        for row in range(tall - 4):
            line = judged[:, row * wide : row * wide + wide - 4]
            offsets[image, :, row] = line[:4]
            for column in range(wide - 4):
                difference = line[5, column] - line[4, column]  # see `_probability`
                scores[image, row, column] = (1 + np.tanh(difference / 2)) / 2
    return offsets, scores


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _slide(planes, weights, pitch, sums):
    """Sums (B, N, L) of 3 x 3 products of planes (B, C, K), of weights (N, C, 9); N is even."""
    for image in range(len(planes)):
        for start in range(0, sums.shape[2], _STRIP):
            count = min(_STRIP, sums.shape[2] - start)
            for number in range(0, len(weights), 2):  # two at once: every loaded pixel is used twice
                first, second = sums[image, number], sums[image, number + 1]
                first, second = first[start : start + count], second[start : start + count]
                first[:] = 0
                second[:] = 0
                for channel in range(planes.shape[1]):
                    plane = planes[image, channel]
                    above, here, below = plane[start:], plane[start + pitch :], plane[start + 2 * pitch :]
                    a0, a1, a2, a3, a4, a5, a6, a7, a8 = _nine(weights[number, channel])
                    b0, b1, b2, b3, b4, b5, b6, b7, b8 = _nine(weights[number + 1, channel])
                    for k in range(count):
                        first[k] += (
                            a0 * above[k]
                            + a1 * above[k + 1]
                            + a2 * above[k + 2]
                            + a3 * here[k]
                            + a4 * here[k + 1]
                            + a5 * here[k + 2]
                            + a6 * below[k]
                            + a7 * below[k + 1]
                            + a8 * below[k + 2]
                        )
                        second[k] += (
                            b0 * above[k]
                            + b1 * above[k + 1]
                            + b2 * above[k + 2]
                            + b3 * here[k]
                            + b4 * here[k + 1]
                            + b5 * here[k + 2]
                            + b6 * below[k]
                            + b7 * below[k + 1]
                            + b8 * below[k + 2]
                        )


@numba.njit(inline="always")
def _nine(weight):
    return weight[0], weight[1], weight[2], weight[3], weight[4], weight[5], weight[6], weight[7], weight[8]


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _rectify(planes, bias, slope):
    """Add the bias to planes (B, C, K), then multiply negative values by the slope (PReLU)."""
    for image in range(len(planes)):
        for channel in range(planes.shape[1]):
            plane, shift, fall = planes[image, channel], bias[channel], slope[channel]
            for k in range(len(plane)):
                value = plane[k] + shift
                plane[k] = value if value > 0 else fall * value


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _pool(sums, bias, slope, pitch, width, size, pooled):
    """Fill (B, C, h, w) with the largest of windows of 2 or 3 pixels a side of planes (B, C, K), rectified before.

    Maxima are taken along whole planes, of which only those at the windows' corners are used.
    """
    count, height = sums.shape[2], pooled.shape[2]
    value = np.full(count + (size - 1) * pitch, -np.inf, np.float32)  # nothing behind the last line
    tall = np.empty(count, np.float32)
    last = pooled.shape[3] - 1
    inside = 2 * last + size <= width  # all of the last window
    for image in range(len(sums)):
        for channel in range(sums.shape[1]):
            plane, shift, fall = sums[image, channel], bias[channel], slope[channel]
            for k in range(count):
                level = plane[k] + shift
                value[k] = level if level > 0 else fall * level
            here, below, lowest = value, value[pitch:], value[(size - 1) * pitch :]
            for k in range(count):
                tall[k] = max(here[k], below[k], lowest[k])
            for row in range(height):
                line, target = tall[2 * row * pitch :], pooled[image, channel, row]
                for x in range(last):
                    target[x] = max(line[2 * x], line[2 * x + 1], line[2 * x + size - 1])
                target[last] = max(line[2 * last], line[2 * last + size - 2])
                if inside:
                    target[last] = max(target[last], line[2 * last + size - 1])
