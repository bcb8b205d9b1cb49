"""Measures the activation ranges that the refiner needs for eight bits."""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.refiner.graph import observed
from deep3d.refiner.refiner import LandmarkRefiner
from deep3d.refiner.weights import RefinerWeights
from deep3d.regression import Regressor
from deep3d.runtime import Choice, load_runtime
from deep3d.runtime.calibration import measure_ranges
from deep3d.runtime.ranges import Range

_BATCH = 8


def refiner_ranges(
    weights: RefinerWeights, checkpoint: Checkpoint, model: FaceModel, crops: np.ndarray
) -> dict[str, Range]:
    """The ranges on (N, 224, 224, 3) uint8 crops, in which the checkpoint's regressor finds the faces.

    Raises: CheckpointMismatch if the checkpoint is for another face model.
    """
    checkpoint.require_model(model.info)
    exact = Choice("onnx", "fp32")
    regressor = Regressor(load_runtime(checkpoint, exact.name, precision=exact.precision), checkpoint.info.crop_size)
    refiner = LandmarkRefiner.load(weights, model, exact, threads=None)
    parts = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    return measure_ranges(observed(weights), (_inputs(refiner, regressor, part) for part in parts))


def _inputs(refiner: LandmarkRefiner, regressor: Regressor, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    faces = regressor(crops).coefficients
    return refiner.inputs([*crops], faces, refiner.placed(faces), (DEEP3D_CAMERA,) * len(crops))
