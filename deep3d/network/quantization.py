"""Eight-bit convolution weights with one scale for each output channel, and batch norms folded into them."""

from __future__ import annotations

import numpy as np

from deep3d.network.architecture import BATCH_NORM_EPSILON, Trunk

STORED, MULTIPLIED = 127, 64
"""The largest levels of weights in files, and of those that are multiplied: processors without instructions for
neural networks (AVX2) add two products with activations of up to 255 in 16 bits, which larger weights overflow."""
_SHARE = 0.48
"""Of stored levels for multiplied ones: with a half every odd one would lie midway between two, and the squared error
be a third larger."""
_CLIPPING = np.linspace(0.8, 1.0, 11, dtype=np.float32)  # of the largest weight, tried for the least squared error


def quantize(weight: np.ndarray, levels: int = STORED) -> tuple[np.ndarray, np.ndarray]:
    """Round (O, ...) weights to int8 of the same shape and (O,) float32 scales, with the least squared error.

    Clipping the few largest weights of a channel may cost less than a coarser step for all of them.
    """
    rows = weight.reshape(len(weight), -1).astype(np.float32)
    peak = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(np.float32).tiny * levels)
    scale = peak / levels
    least = np.full_like(scale, np.inf)
    for fraction in _CLIPPING:
        tried = peak * fraction / levels
        error = np.square(_round(rows, tried, levels) * tried - rows).sum(axis=1, keepdims=True)
        scale = np.where(error < least, tried, scale)
        least = np.minimum(error, least)
    return _round(rows, scale, levels).astype(np.int8).reshape(weight.shape), scale[:, 0]


def multiplied(levels: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stored weights, int8 (O, ...) with scales (O,), rounded to as few levels as `MULTIPLIED` allows."""
    share = np.float32(_SHARE)
    return np.rint(levels * share).astype(np.int8), scale / share


def dequantize(weight: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The float32 weights from (O, ...) int8 weights and (O,) scales."""
    return np.multiply(weight, scale.reshape(-1, *[1] * (weight.ndim - 1)), dtype=np.float32)


def fold_batch_norms(trunk: Trunk, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict of the same function in evaluation, with batch norms that only add their bias."""
    folded = arrays | neutral_batch_norms(trunk)
    for convolution in trunk.convolutions():
        weight, bias, mean, variance = (
            arrays[f"{convolution.batch_norm}.{entry}"].astype(np.float64)
            for entry in ("weight", "bias", "running_mean", "running_var")
        )
        gain = weight / np.sqrt(variance + BATCH_NORM_EPSILON)
        folded[convolution.name] = arrays[convolution.name] * gain.astype(np.float32)[:, None, None, None]
        folded[f"{convolution.batch_norm}.bias"] = (bias - mean * gain).astype(np.float32)
    return folded


def neutral_batch_norms(trunk: Trunk) -> dict[str, np.ndarray]:
    """The entries, except the biases, of batch norms that only add their bias."""
    neutral: dict[str, np.ndarray] = {}
    for convolution in trunk.convolutions():
        ones = np.ones(convolution.shape[0], np.float32)
        neutral[f"{convolution.batch_norm}.weight"] = ones
        neutral[f"{convolution.batch_norm}.running_mean"] = np.zeros_like(ones)
        neutral[f"{convolution.batch_norm}.running_var"] = ones - np.float32(BATCH_NORM_EPSILON)
        neutral[f"{convolution.batch_norm}.num_batches_tracked"] = np.zeros((), np.int64)
    return neutral


def _round(rows: np.ndarray, scale: np.ndarray, levels: int) -> np.ndarray:
    return np.clip(np.rint(rows / scale), -levels, levels)
