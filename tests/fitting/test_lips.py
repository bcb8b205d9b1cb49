import numpy as np

from deep3d.camera import place, project
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis, fit_landmarks, read_mouths, trusted_deviation
from deep3d.fitting.lips import OPPOSITE

NOISE = 0.3  # crop pixels


def face(model: FaceModel, **weights: float) -> FaceCoefficients:
    coefficients = FaceCoefficients.from_vector(np.zeros((1, COEFFICIENT_COUNT), np.float32))
    for name, weight in weights.items():
        coefficients.expression[0, model.expression_names.index(name)] = weight
    return coefficients


def landmarks(model: FaceModel, coefficients: FaceCoefficients) -> np.ndarray:
    """(1, 68, 2) crop pixels."""
    shape = model.shape(coefficients)[:, model.landmark_vertices]
    return project(place(shape, coefficients.rotation, coefficients.translation))


def gap(points: np.ndarray) -> float:
    """Mean gap between the lips, in widths of the mouth."""
    width = np.linalg.norm(points[0, 48] - points[0, 54])
    return float(np.mean([np.linalg.norm(points[0, a] - points[0, b]) for a, b in OPPOSITE]) / width)


def fitted(model: FaceModel, points: np.ndarray, deviation: np.ndarray, start: FaceCoefficients) -> FaceCoefficients:
    basis = LandmarkBasis.of_vertices(model, model.landmark_vertices.tolist())
    believed = read_mouths(points, trusted_deviation(deviation), start, model.expression_names)
    return fit_landmarks(basis, *believed).coefficients


def test_lips_that_touch_are_closed(model):
    true = face(model, mouthClose=0.1)
    rng = np.random.default_rng(1)
    for _ in range(5):
        points = landmarks(model, true) + rng.normal(0, NOISE, (1, 68, 2))
        points[0, 65:68, 1] += 2 * NOISE  # the gap that scattered landmarks leave
        fit = fitted(model, points, np.full((1, 68), NOISE), face(model))
        assert gap(landmarks(model, fit)) < 0.015


def test_an_open_mouth_stays_open(model):
    true = face(model, jawOpen=0.3)
    seen = landmarks(model, true)
    fit = fitted(model, seen, np.full((1, 68), NOISE), face(model))
    assert abs(gap(landmarks(model, fit)) - gap(seen)) < 0.02 and gap(seen) > 0.1


def test_a_covered_mouth_is_shut(model):
    seen = landmarks(model, face(model, jawOpen=0.4, mouthUpperUp_L=0.5))
    deviation = np.full((1, 68), NOISE)
    deviation[:, 48:] *= 3
    fit = fitted(model, seen, deviation, face(model, jawOpen=0.4))
    assert gap(seen) > 0.1 and gap(landmarks(model, fit)) < 0.04


def test_arguments_stay_as_they_were(model):
    start, deviation = face(model, jawOpen=0.4), np.full((1, 68), NOISE)
    points = landmarks(model, face(model))
    before = points.copy(), deviation.copy(), start.to_vector()
    read_mouths(points, deviation, start, model.expression_names)
    for now, then in zip((points, deviation, start.to_vector()), before):
        np.testing.assert_array_equal(now, then)
