"""Faces from landmarks alone: those that are projected from known faces, on any picture."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import LandmarksInvalid, ShapeError
from deep3d.face_model import FaceModel
from deep3d.landmarks import PLACEMENTS, Placement
from deep3d.photo import Photo
from deep3d.pipeline.from_landmarks import fit_photo
from deep3d.reconstruction import Reconstruction

PHOTO = Photo(np.full((448, 448, 3), 140, np.uint8), "wall.png", "0" * 64)


def landmarks(model: FaceModel, yaw: float, roll: float, placement: Placement = "mediapipe") -> np.ndarray:
    """Of a smiling person, in a photo of twice the crop's size."""
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.identity[:] = np.random.default_rng(3).normal(size=80)
    face.expression[0, 45:47] = 0.7
    face.rotation[0] = np.radians([5, yaw, roll])
    placed = place(model.shape(face), face.rotation, face.translation)
    points = {"mediapipe": model.landmarks, "fixed": model.markup.points}.get(placement)
    if points is None:
        rows = project(model.markup.jaw_rows(placed))
        points = model.markup.on_outline(model.markup.outline(rows, face.rotation[:, 2])[0])
    return project(points(placed))[0].astype(np.float64) * 2


def own(face: Reconstruction, placement: Placement) -> np.ndarray:
    return {
        "fixed": face.landmarks68,
        "contour": face.landmarks68_contour,
        "mediapipe": face.landmarks68_mediapipe,
    }[placement]


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (40, 0), (-60, 10), (10, -50)])
def test_pose_and_smile_are_found(model, yaw, roll, placement):
    points = landmarks(model, yaw, roll, placement)
    face = fit_photo(PHOTO, points, model, placement)
    assert_allclose([face.pose.yaw, face.pose.roll], [yaw, -roll], atol=6)
    assert np.linalg.norm(own(face, placement) - points, axis=1).mean() < 3
    assert face.coefficients.expression[0, 45:47].mean() > 0.25
    assert face.checkpoint_name is None


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("yaw", [-45, 45])
def test_placement_is_guessed_where_it_shows(model, yaw, placement):
    points = landmarks(model, yaw, 0, placement)
    guessed, told = fit_photo(PHOTO, points, model), fit_photo(PHOTO, points, model, placement)
    assert_allclose(guessed.coefficients.to_vector(), told.coefficients.to_vector())


def test_a_wrong_placement_costs_accuracy(model):
    points = landmarks(model, 0, 0, "contour")
    right, wrong = (fit_photo(PHOTO, points, model, each) for each in ("contour", "mediapipe"))
    true = landmarks(model, 0, 0, "fixed")
    error = [np.linalg.norm(face.landmarks68 - true, axis=1).mean() for face in (right, wrong)]
    assert error[0] < 0.6 * error[1]


def test_landmarks_in_another_order_are_refused(model):
    points = landmarks(model, 0, 0)
    shuffled = points.copy()
    shuffled[17:] = points[17:][np.random.default_rng(1).permutation(51)]
    with pytest.raises(LandmarksInvalid, match=r"wall\.png: these landmarks do not fit any face"):
        fit_photo(
            PHOTO, np.where(np.isin(np.arange(68), [30, 36, 39, 42, 45, 48, 54])[:, None], points, shuffled), model
        )


def test_unusable_landmarks_are_refused(model):
    with pytest.raises(ShapeError, match=r"\(68, 2\)"):
        fit_photo(PHOTO, np.zeros((5, 2)), model)
    with pytest.raises(LandmarksInvalid, match="not finite"):
        fit_photo(PHOTO, np.full((68, 2), np.nan), model)
