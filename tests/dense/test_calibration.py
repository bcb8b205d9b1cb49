"""The dense network in eight bits: how near it stays, and that the shipped one computes so."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.dense import DenseEstimator, DenseWeights, dense_calibration, dense_ranges, read_dense
from deep3d.face_model import FaceModel
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime import Choice


@pytest.fixture(scope="module")
def shipped(checkpoint) -> DenseWeights:
    """The network beside it."""
    weights = read_dense(checkpoint)
    assert weights is not None
    return weights


def test_eight_bits_change_maps_by_little(checkpoint, shipped, model: FaceModel, tmp_path):
    # given ranges that were measured on the face itself
    face = Reconstructor.load(refinement="none")("docs/sample/astronaut.jpg")
    crops = face.crop.image[None]
    weights = replace(shipped, path=tmp_path / shipped.path.name)
    exact = DenseEstimator.load(weights, checkpoint, model, Choice("openvino", "int8"), None)
    dense_calibration(weights, checkpoint).write(dense_ranges(weights, checkpoint, model, crops))
    rounded = DenseEstimator.load(weights, checkpoint, model, Choice("openvino", "int8"), None)
    # when
    here, there = (network(crops, face.coefficients, [face.camera]) for network in (exact, rounded))
    # then they differ, but by little
    distance = np.abs(here.surface.height - there.surface.height)[here.seen]
    assert 0 < distance.mean() < 0.005
    assert (here.classes.argmax(axis=-1) == there.classes.argmax(axis=-1)).mean() > 0.98


def test_the_shipped_one_is_calibrated(checkpoint, shipped):
    assert dense_calibration(shipped, checkpoint).is_readable
