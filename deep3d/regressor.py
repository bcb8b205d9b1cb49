"""From aligned crops to face coefficients, in batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.runtime import Runtime


@dataclass(frozen=True)
class Regressor:
    """Predicts the coefficients of faces in aligned crops."""

    runtime: Runtime
    crop_size: int = CROP_SIZE  # pixels a side that the network wants: a whole fraction of the crop's
    batch_size: int = 16  # most crops at a time: 10 MB of input, some 100 MB of activations

    def __call__(self, crops: np.ndarray) -> FaceCoefficients:
        """Coefficients of (B, 224, 224, 3) uint8 RGB crops, as numpy arrays; B may be zero.

        Raises: ShapeError if the crops have another shape or type.
        """
        if crops.ndim != 4 or crops.shape[1:] != (CROP_SIZE, CROP_SIZE, 3) or crops.dtype != np.uint8:
            raise ShapeError(
                f"crops: expected (B, {CROP_SIZE}, {CROP_SIZE}, 3) uint8, got {crops.shape} {crops.dtype}; align first"
            )
        vectors = [np.empty((0, COEFFICIENT_COUNT), np.float32)]
        for start in range(0, len(crops), self.batch_size):
            vectors.append(self.runtime(_network_input(crops[start : start + self.batch_size], self.crop_size)))
        return FaceCoefficients.from_vector(np.concatenate(vectors))


def _network_input(crops: np.ndarray, size: int) -> np.ndarray:
    """(B, H, W, 3) uint8 as (B, 3, size, size) float32 in [0, 1]; smaller pixels are averages, as in training."""
    count, side = len(crops), CROP_SIZE // size
    planes = crops.transpose(0, 3, 1, 2)
    if side > 1:
        planes = planes.reshape(count, 3, size, side, size, side).mean(axis=(3, 5), dtype=np.float32)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)
