"""The interfaces of the three networks; tests and other programs may bring their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deep3d.camera import Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.detection.detector import Detection, Effort, WhichFaces
from deep3d.regression import DenseLandmarks, Regression


class Detector(Protocol):
    """Finds faces."""

    def detect(
        self, photos: Sequence[np.ndarray], faces: WhichFaces, effort: Effort = "search"
    ) -> list[list[Detection]]:
        """The faces of each (H, W, 3) uint8 RGB photo, the largest first; a "glance" finds only easy ones."""
        ...


class CropRegressor(Protocol):
    """Predicts the face in each crop."""

    def __call__(self, crops: np.ndarray) -> Regression:
        """The coefficients and dense landmarks of (B, 224, 224, 3) uint8 RGB crops; B may be zero."""
        ...


class Refiner(Protocol):
    """Finds the dense landmarks of roughly known faces."""

    def __call__(
        self, crops: Sequence[np.ndarray], coefficients: FaceCoefficients, cameras: Sequence[Camera]
    ) -> DenseLandmarks:
        """The landmarks of B faces, in pixels of their crops."""
        ...


@dataclass(frozen=True)
class Networks:
    """The networks of a reconstructor."""

    detector: Detector
    regressor: CropRegressor
    refiner: Refiner | None = None
