"""What a result says of itself."""

import numpy as np
import pytest

from deep3d.camera import project
from deep3d.coefficients import FaceCoefficients
from deep3d.confidence import Confidence, assess, shows_face
from deep3d.face_model import default_face_model

POINTS = np.asarray(project(default_face_model().landmarks(default_face_model().mean_shape[None])))[0]


def confidence(
    yaw: float = 0, near: float = 0, size: float = 4, deviation: float = 1.5, refined: bool = False, **parts: float
) -> Confidence:
    """Of the mean face seen from the front, or with something wrong."""
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.rotation[0, 1] = np.radians(yaw)
    face.translation[0, 2] = near
    deviations = np.full(68, deviation)
    deviations[48:] *= parts.get("lips", 1)
    inside = np.arange(68) >= 68 * parts.get("outside", 0)
    return assess(POINTS, deviations, refined, size, inside, face)


def test_a_good_photo_has_no_warnings():
    assert confidence().warnings == ()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"size": 0.3}, "pixels wide"),
        ({"outside": 0.1}, "edge"),
        ({"yaw": -70}, "turned far"),
        ({"lips": 6}, "mouth"),
        ({"near": 6.5}, "35 cm"),
        ({"deviation": 12}, "hard to read"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(wrong, word):
    warnings = confidence(**wrong).warnings
    assert [word in warning for warning in warnings].count(True) == 1
    assert all(warning.endswith(".") for warning in warnings)


def test_larger_deviations_mean_larger_errors():
    assert confidence(deviation=3).landmark_error > 1.5 * confidence(deviation=1.5).landmark_error


def test_the_same_deviation_means_more_from_the_refiner_which_has_learned_real_photos_by_heart():
    assert confidence(refined=True).landmark_error > 2 * confidence().landmark_error


def test_a_blurred_face_needs_a_detector_that_is_sure():
    expected = np.array([1.0, 11.9, 12.1, 17.9, 17.9, 18.1])
    score = np.array([0.5, 0.0, 0.97, 0.97, 0.99, 1.0])
    wanted = [True, True, False, False, True, False]
    assert shows_face(expected, True, score).tolist() == wanted
    assert shows_face(expected / 2, False, score).tolist() == wanted  # the regressor expects less of what is no face
