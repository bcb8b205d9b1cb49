"""Several photos of a person give one identity, nearer to the truth than any of them alone."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis, Priors, fit_landmarks, fit_together, landmarks

POINTS = range(0, 9000, 30)
LOUD = Priors(trust=1.0, identity=1.0)  # landmarks whose errors have nothing to do with each other


@pytest.fixture(scope="module")
def basis(model) -> LandmarkBasis:
    return LandmarkBasis.of_vertices(model, POINTS)


@pytest.fixture(scope="module")
def views() -> FaceCoefficients:
    """One person from the left, the front and the right, smiling once."""
    vectors = np.zeros((3, 257), np.float32)
    views = FaceCoefficients.from_vector(vectors)
    views.identity[:] = np.random.default_rng(3).normal(size=80)
    views.expression[1, [45, 46]] = 0.7
    views.rotation[:, 1] = np.radians([-50, 0, 50])
    return views


@pytest.fixture(scope="module")
def points(model, views) -> np.ndarray:
    """Where the landmarks are seen, give or take a pixel."""
    seen = project(place(model.shape(views), views.rotation, views.translation))[:, list(POINTS)]
    return seen + np.random.default_rng(4).normal(0, 1, seen.shape)


def start_of(views: FaceCoefficients) -> FaceCoefficients:
    return replace(views, identity=np.zeros_like(views.identity), rotation=views.rotation + np.float32(0.05))


def error(model: FaceModel, identity: np.ndarray, views: FaceCoefficients) -> float:
    return float(np.linalg.norm(model.neutral_shape(identity - views.identity[:1]) - model.mean_shape, axis=-1).mean())


def test_together_they_know_more_than_each(model, basis, views, points):
    deviation = np.ones(points.shape[:2])
    alone = fit_landmarks(basis, points, deviation, start_of(views), LOUD).coefficients.identity
    fit = fit_together(basis, points, deviation, start_of(views), np.zeros(3, int), LOUD)
    together = fit.coefficients.identity
    assert fit.kept.all() and np.ptp(together, axis=0).max() == 0
    assert error(model, together[:1], views) < 0.85 * min(error(model, each[None], views) for each in alone)
    assert fit.coefficients.expression[1, 45:47].mean() > fit.coefficients.expression[[0, 2], 45:47].mean() + 0.3


def test_people_apart_are_fitted_as_if_alone(basis, views, points, monkeypatch):
    monkeypatch.setattr(landmarks, "SETTLED", 0.02)  # together, all steps are taken
    deviation = np.ones(points.shape[:2])
    apart = fit_together(basis, points, deviation, start_of(views), np.arange(3))
    alone = fit_landmarks(basis, points, deviation, start_of(views))
    assert_allclose(apart.coefficients.to_vector(), alone.coefficients.to_vector(), atol=2e-3)


def test_steps_that_are_left_out_would_change_little(basis, views, points, monkeypatch):
    deviation = np.ones(points.shape[:2])
    early = fit_landmarks(basis, points, deviation, start_of(views))
    monkeypatch.setattr(landmarks, "SETTLED", 0.0)
    late = fit_landmarks(basis, points, deviation, start_of(views))
    assert 0 < np.abs(early.coefficients.to_vector() - late.coefficients.to_vector()).max() < 0.01


def test_a_doubtful_photo_hardly_counts(basis, views, points):
    deviation = np.ones(points.shape[:2])
    two = fit_together(basis, points[:2], deviation[:2], start_of(views[:2]), np.zeros(2, int), LOUD)
    wrong = points.copy()
    wrong[2] += np.random.default_rng(5).normal(0, 8, wrong[2].shape)
    believed = fit_together(basis, wrong, deviation, start_of(views), np.zeros(3, int), LOUD)
    deviation[2] = 1e4
    three = fit_together(basis, wrong, deviation, start_of(views), np.zeros(3, int), LOUD)
    apart = [fit.coefficients.identity[0] - two.coefficients.identity[0] for fit in (three, believed)]
    assert np.linalg.norm(apart[0]) < 0.3 * np.linalg.norm(apart[1])


def test_landmarks_that_are_no_numbers_leave_their_person_alone(basis, views, points):
    broken = points.copy()
    broken[0] = np.nan
    fit = fit_together(basis, broken, np.ones(points.shape[:2]), start_of(views), np.array([0, 1, 1]))
    assert fit.kept.tolist() == [False, True, True]
    assert_allclose(fit.coefficients.identity[0], 0)


def test_each_photo_needs_a_person(basis, views, points):
    with pytest.raises(ShapeError, match="B people"):
        fit_together(basis, points, np.ones(points.shape[:2]), start_of(views), np.zeros(2, int))
