"""The refiner in eight bits: how near it stays, and when it is taken."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import DEEP3D_CAMERA
from deep3d.errors import RuntimeUnavailable
from deep3d.face_model import FaceModel
from deep3d.photo import read_photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.refiner import LandmarkRefiner, RefinerWeights, read_refiner, refiner_calibration, refiner_ranges
from deep3d.regression import Regressor
from deep3d.runtime import Choice, load_runtime


@pytest.fixture(scope="module")
def shipped(checkpoint) -> RefinerWeights:
    """Its refiner."""
    weights = read_refiner(checkpoint)
    assert weights is not None
    return weights


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """A face, and the same in half the light."""
    crop = Reconstructor.load(refinement="none")(read_photo("docs/sample/astronaut.jpg")).crop.image
    return np.stack([crop, crop // 2])


def copied(shipped: RefinerWeights, folder) -> RefinerWeights:
    """With a calibration in another folder, where there is none."""
    return replace(shipped, path=folder / shipped.path.name)


def test_eight_bits_move_landmarks_by_little(checkpoint, shipped, model: FaceModel, crops, tmp_path):
    # given ranges that were measured on the faces themselves
    weights = copied(shipped, tmp_path)
    exact = LandmarkRefiner.load(weights, model, Choice("openvino", "int8"), None)
    refiner_calibration(weights).write(refiner_ranges(weights, checkpoint, model, crops))
    rounded = LandmarkRefiner.load(weights, model, Choice("openvino", "int8"), None)
    # when
    faces = Regressor(load_runtime(checkpoint), checkpoint.info.crop_size)(crops).coefficients
    cameras = (DEEP3D_CAMERA,) * len(crops)
    here, there = exact(crops, faces, cameras), rounded(crops, faces, cameras)
    # then it differs, but by little of a pixel
    distance = np.linalg.norm(here.points - there.points, axis=2)
    assert 0 < distance.mean() < 0.15
    assert np.abs(np.log(here.deviation / there.deviation)).mean() < 0.05


def test_the_shipped_one_is_calibrated(shipped):
    assert refiner_calibration(shipped).is_readable


@pytest.mark.parametrize("beside", [Choice("openvino", "fp32"), Choice("onnx", "int8"), Choice("eager", "fp32")])
def test_ranges_are_not_even_read_where_nothing_computes_in_eight_bits(beside, shipped, model, tmp_path):
    weights = copied(shipped, tmp_path)
    refiner_calibration(weights).path.write_text("damaged")
    LandmarkRefiner.load(weights, model, beside, 1)


def test_ranges_of_other_weights_are_refused(shipped, model, tmp_path):
    weights = copied(shipped, tmp_path)
    written = refiner_calibration(shipped).path.read_text().replace(shipped.sha256, "0" * 64)
    refiner_calibration(weights).path.write_text(written)
    with pytest.raises(RuntimeUnavailable, match=r"refiner\.int8\.json: belongs to other weights; deep3d export"):
        LandmarkRefiner.load(weights, model, Choice("openvino", "int8"), 1)
