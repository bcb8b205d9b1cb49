"""A reconstructor with random weights, which is as fast as any."""

from __future__ import annotations

from pathlib import Path

import pytest

from deep3d.detection.detector import FaceDetector
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.regression import Regressor
from deep3d.runtime import load_runtime

SAMPLE = Path(__file__).parents[2] / "docs" / "sample" / "astronaut.jpg"


@pytest.fixture(scope="session")
def content() -> bytes:
    """The bytes of a photo."""
    return SAMPLE.read_bytes()


@pytest.fixture(scope="session")
def toy_reconstructor(arkit_face_model: FaceModel, toy_checkpoint: Checkpoint) -> Reconstructor:
    """Finds faces and gives each a random shape."""
    regressor = Regressor(load_runtime(toy_checkpoint, "onnx"), toy_checkpoint.info.crop_size)
    return Reconstructor(arkit_face_model, FaceDetector(), regressor, toy_checkpoint)
