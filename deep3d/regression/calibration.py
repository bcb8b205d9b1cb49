"""Activation ranges of the networks that look at faces which the regressor has found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.regression.regressor import Regressor
from deep3d.runtime import Choice, load_runtime
from deep3d.runtime.calibration import measure_ranges
from deep3d.runtime.graph import Graph
from deep3d.runtime.ranges import Range

EXACT = Choice("onnx", "fp32")
_BATCH = 8


def ranges_beside(
    network: Graph,
    inputs: Callable[[np.ndarray, FaceCoefficients], tuple[np.ndarray, ...]],
    checkpoint: Checkpoint,
    model: FaceModel,
    crops: np.ndarray,
) -> dict[str, Range]:
    """The ranges of an observed network on (N, 224, 224, 3) uint8 crops, in which a checkpoint's regressor finds faces.

    `inputs` gives the network's inputs for B crops and the faces in them.

    Raises: CheckpointMismatch if the checkpoint is for another face model.
    """
    checkpoint.require_model(model.info)
    regressor = Regressor(load_runtime(checkpoint, EXACT.name, precision=EXACT.precision), checkpoint.info.crop_size)
    parts = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    return measure_ranges(network, (inputs(part, regressor(part).coefficients) for part in parts))
