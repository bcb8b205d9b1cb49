"""Measures the activation ranges that the dense network needs for eight bits."""

from __future__ import annotations

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.dense.estimator import dense_input, mesh_maps
from deep3d.dense.graph import observed
from deep3d.dense.weights import DenseWeights
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.regression import Regressor
from deep3d.runtime import Choice, load_runtime
from deep3d.runtime.calibration import measure_ranges
from deep3d.runtime.ranges import Range

_BATCH = 8


def dense_ranges(
    weights: DenseWeights, checkpoint: Checkpoint, model: FaceModel, crops: np.ndarray
) -> dict[str, Range]:
    """The ranges on (N, 224, 224, 3) uint8 crops, in which the checkpoint's regressor finds the faces.

    Raises: CheckpointMismatch if the checkpoint is for another face model.
    """
    checkpoint.require_model(model.info)
    exact = Choice("onnx", "fp32")
    regressor = Regressor(load_runtime(checkpoint, exact.name, precision=exact.precision), checkpoint.info.crop_size)
    parts = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    return measure_ranges(observed(weights, checkpoint), (_inputs(regressor, model, part) for part in parts))


def _inputs(regressor: Regressor, model: FaceModel, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dense_input(crops, mesh_maps(model, regressor(crops).coefficients, (DEEP3D_CAMERA,) * len(crops)))
