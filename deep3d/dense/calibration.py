"""Measures the activation ranges that the dense network needs for eight bits."""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.dense.estimator import dense_input, mesh_maps
from deep3d.dense.graph import observed
from deep3d.dense.weights import DenseWeights
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.regression.calibration import ranges_beside
from deep3d.runtime.ranges import Range


def dense_ranges(
    weights: DenseWeights, checkpoint: Checkpoint, model: FaceModel, crops: np.ndarray
) -> dict[str, Range]:
    """The ranges of a U-Net on (N, 224, 224, 3) uint8 crops, in which the checkpoint's regressor finds the faces.

    Raises: CheckpointMismatch if the checkpoint is for another face model.
    """

    def inputs(part: np.ndarray, faces: FaceCoefficients) -> tuple[np.ndarray, ...]:
        size = weights.architecture.map_size
        return dense_input(part, mesh_maps(model, faces, (DEEP3D_CAMERA,) * len(part), size))

    return ranges_beside(observed(weights, checkpoint), inputs, checkpoint, model, crops)
