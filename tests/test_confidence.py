"""What a result says of itself."""

import numpy as np
import pytest

from deep3d.camera import project
from deep3d.coefficients import FaceCoefficients
from deep3d.confidence import DRAWN_REFINED, UNSHADED, Confidence, assess, shows_face, unshaded
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
    crops, points = np.broadcast_to(shaded_face(), (6, 224, 224, 3)), np.broadcast_to(POINTS, (6, *POINTS.shape))
    assert shows_face(expected, True, score, crops, points).tolist() == wanted
    # the regressor expects less of what is no face
    assert shows_face(expected / 2, False, score, crops, points).tolist() == wanted


def shaded_face() -> np.ndarray:
    """(224, 224, 3) uint8 without even areas."""
    y, x = np.mgrid[:224, :224]
    return np.repeat((128 + 80 * np.sin(x / 40) * np.cos(y / 40)).astype(np.uint8)[..., None], 3, axis=2)


def test_an_even_face_is_a_drawing_if_the_networks_doubt_it():
    drawn = np.full((224, 224, 3), 200, np.uint8)
    drawn[80:90, 60:160] = drawn[150:160, 80:140] = 20
    assert unshaded(drawn, POINTS) > UNSHADED > unshaded(shaded_face(), POINTS)
    expected = np.array([DRAWN_REFINED - 0.1, DRAWN_REFINED + 0.1])
    both = np.stack([drawn, drawn]), np.stack([POINTS, POINTS])
    assert shows_face(expected, True, np.ones(2), *both).tolist() == [True, False]


@pytest.mark.parametrize("covered", [np.s_[:90], np.s_[120:], np.s_[:, :112], np.s_[:, 112:]])
def test_a_cover_of_one_colour_does_not_make_a_drawing(covered):
    face = shaded_face()
    face[covered] = 90
    assert unshaded(face, POINTS) < UNSHADED


def test_an_even_wall_behind_a_profile_does_not_make_a_drawing():
    profile = shaded_face()
    profile[:, :100] = 128
    assert unshaded(profile, POINTS[:, :2] * [0.5, 1] + [105, 0]) < UNSHADED


def test_what_lies_beyond_the_photo_is_not_even_skin():
    half = shaded_face()
    half[:, :112] = 0
    assert unshaded(half, POINTS) < UNSHADED
    assert unshaded(np.zeros_like(half), POINTS) == 1
