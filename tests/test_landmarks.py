import numpy as np
import pytest
import torch
from scipy.io import loadmat

from deep3d.landmarks import BROWS, EYES, INNER, JAW, LIPS, NOSE, five_points


def test_the_parts_cover_all_landmarks_once():
    numbers = np.arange(68)
    parts = [numbers[part] for part in (JAW, BROWS, NOSE, EYES, LIPS)]
    np.testing.assert_array_equal(np.concatenate(parts), numbers)
    np.testing.assert_array_equal(numbers[INNER], np.concatenate(parts[1:]))


def test_five_points_match_the_reference(shared):
    landmarks = loadmat(shared / "parity" / "bfm_indices" / "similarity_Lm3D_all.mat")["lm"]
    with np.load(shared / "parity" / "alignment.npz") as golden:
        np.testing.assert_allclose(five_points(landmarks), golden["standard_points"], atol=1e-6)


def test_five_points_lie_where_their_names_say(toy_face_model):
    landmarks = toy_face_model.landmarks(toy_face_model.mean_shape[None])
    left_eye, right_eye, nose, left_mouth, right_mouth = five_points(landmarks)[0, :, :2]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_mouth[1] < nose[1] < left_eye[1]
    assert left_eye[1] == pytest.approx(right_eye[1], abs=1e-5)


def test_five_points_are_the_same_in_torch():
    landmarks = np.random.default_rng(6).normal(size=(2, 68, 2))
    np.testing.assert_array_equal(five_points(torch.as_tensor(landmarks)), five_points(landmarks))
