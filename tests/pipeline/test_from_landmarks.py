"""Faces from landmarks alone: those that are projected from known faces, on any picture."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.camera import DEEP3D_CAMERA, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import LandmarksInvalid, ShapeError
from deep3d.face_model import FaceModel, default_face_model
from deep3d.photo import Photo
from deep3d.pipeline.from_landmarks import fit_photo

PHOTO = Photo(np.full((448, 448, 3), 140, np.uint8), "wall.png", "0" * 64)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return default_face_model()


def landmarks(model: FaceModel, yaw: float, roll: float) -> np.ndarray:
    """Of a smiling person, in a photo of twice the crop's size."""
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.identity[:] = np.random.default_rng(3).normal(size=80)
    face.expression[0, 45:47] = 0.7
    face.rotation[0] = np.radians([5, yaw, roll])
    placed = place(model.shape(face), face.rotation, face.translation)
    return project(model.landmarks(placed), replace(DEEP3D_CAMERA))[0].astype(np.float64) * 2


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (40, 0), (-60, 10), (10, -50)])
def test_pose_and_smile_are_found(model, yaw, roll):
    points = landmarks(model, yaw, roll)
    face = fit_photo(PHOTO, points, model)
    assert_allclose([face.pose.yaw, face.pose.roll], [yaw, -roll], atol=6)
    assert np.linalg.norm(face.landmarks68 - points, axis=1).mean() < 3
    assert face.coefficients.expression[0, 45:47].mean() > 0.25
    assert face.checkpoint_name is None


def test_landmarks_in_another_order_are_refused(model):
    points = landmarks(model, 0, 0)
    shuffled = points.copy()
    shuffled[17:] = points[17:][np.random.default_rng(1).permutation(51)]
    with pytest.raises(LandmarksInvalid, match=r"wall\.png: no face has its landmarks like that"):
        fit_photo(
            PHOTO, np.where(np.isin(np.arange(68), [30, 36, 39, 42, 45, 48, 54])[:, None], points, shuffled), model
        )


def test_unusable_landmarks_are_refused(model):
    with pytest.raises(ShapeError, match=r"\(68, 2\)"):
        fit_photo(PHOTO, np.zeros((5, 2)), model)
    with pytest.raises(LandmarksInvalid, match="not finite"):
        fit_photo(PHOTO, np.full((68, 2), np.nan), model)
