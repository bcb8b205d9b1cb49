"""What the tests of the dense network share: random weights, and the shipped checkpoint that they stand on."""

from __future__ import annotations

import numpy as np
import pytest

from deep3d.dense import SLIM, DenseWeights, dense_path
from deep3d.dense.layers import array_shapes
from deep3d.face_model import FaceModel
from deep3d.network.companions import CompanionInfo


@pytest.fixture(scope="session")
def info(model: FaceModel) -> CompanionInfo:
    return CompanionInfo("toy_dense", "1", "toy 1", model.info.sha256, "none", "MIT", "2026-11-29")


@pytest.fixture(scope="session")
def arrays() -> dict[str, np.ndarray]:
    """Random weights of a slim network that keep signals alive."""
    rng = np.random.default_rng(3)
    return {
        name: (rng.normal(size=shape) * np.sqrt(1.0 / max(np.prod(shape[1:]), 1))).astype(np.float32)
        if len(shape) == 4
        else 0.1 * rng.normal(size=shape).astype(np.float32)
        for name, shape in array_shapes(SLIM).items()
    }


@pytest.fixture(scope="session")
def weights(checkpoint, info, arrays) -> DenseWeights:
    return DenseWeights(dense_path(checkpoint), "0" * 64, checkpoint.path, info, SLIM, arrays)
