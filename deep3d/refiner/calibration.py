"""Measures the activation ranges that the refiner needs for eight bits."""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.refiner.graph import observed
from deep3d.refiner.refiner import LandmarkRefiner
from deep3d.refiner.weights import RefinerWeights
from deep3d.regression.calibration import EXACT, ranges_beside
from deep3d.runtime.ranges import Range


def refiner_ranges(
    weights: RefinerWeights, checkpoint: Checkpoint, model: FaceModel, crops: np.ndarray
) -> dict[str, Range]:
    """The ranges on (N, 224, 224, 3) uint8 crops, in which the checkpoint's regressor finds the faces.

    Raises: CheckpointMismatch if the checkpoint is for another face model.
    """
    refiner = LandmarkRefiner.load(weights, model, EXACT, threads=None)

    def inputs(part: np.ndarray, faces: FaceCoefficients) -> tuple[np.ndarray, ...]:
        return refiner.inputs([*part], faces, refiner.placed(faces), (DEEP3D_CAMERA,) * len(part))

    return ranges_beside(observed(weights), inputs, checkpoint, model, crops)
