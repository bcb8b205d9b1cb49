"""Faces are found again from where their landmarks are seen."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.camera import DEEP3D_CAMERA, Camera, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis, Priors, fit_landmarks
from deep3d.fitting.iteration import apply_step, initial_state, jacobian_of, project_landmarks

EXACT = Priors(trust=100.0, identity=1.0)


@pytest.fixture(scope="module")
def basis(model) -> LandmarkBasis:
    return LandmarkBasis.of_vertices(model, range(0, 9000, 30))


@pytest.fixture(scope="module")
def faces() -> FaceCoefficients:
    """Three people turned by up to 35 degrees, of whom the second and third smile with open mouths."""
    rng = np.random.default_rng(5)
    vectors = np.zeros((3, 257), np.float32)
    coefficients = FaceCoefficients.from_vector(vectors)
    coefficients.identity[:] = rng.normal(size=(3, 80))
    coefficients.expression[1:, [26, 45, 46]] = [0.3, 0.8, 0.7]
    coefficients.rotation[:] = np.radians([[3, -8, 4], [-5, 35, 0], [10, 15, -20]])
    coefficients.translation[:] = [[0.1, 0, 0.2], [0, -0.1, 0], [0, 0, -0.5]]
    coefficients.lighting[:, 0] = 0.3
    return coefficients


def started_off(faces: FaceCoefficients) -> FaceCoefficients:
    """As a regressor might see them: mean people, pose off by some degrees and millimetres, half of the smile."""
    return replace(
        faces,
        identity=np.zeros_like(faces.identity),
        expression=faces.expression * 0.5,
        rotation=faces.rotation + np.float32(0.08),
        translation=faces.translation + np.float32(0.05),
    )


def seen(model: FaceModel, faces: FaceCoefficients, camera: Camera = DEEP3D_CAMERA) -> np.ndarray:
    vertices = place(model.shape(faces), faces.rotation, faces.translation)
    return project(vertices, camera)[:, 0:9000:30].astype(np.float64)


def test_exact_landmarks_give_back_pose_person_and_smile(model, basis, faces):
    points = seen(model, faces)
    fit = fit_landmarks(basis, points, np.ones(points.shape[:2]), started_off(faces), EXACT)
    assert fit.kept.all() and (fit.error < 0.1).all()
    assert_allclose(fit.coefficients.rotation, faces.rotation, atol=0.01)
    off = 100 * np.linalg.norm(model.shape(fit.coefficients) - model.shape(faces), axis=-1)  # millimetres
    mean = 100 * np.linalg.norm(model.shape(started_off(faces)) - model.shape(faces), axis=-1)
    assert (off.mean(axis=1) < 0.3 * mean.mean(axis=1)).all()
    assert_allclose(fit.coefficients.lighting, faces.lighting)


def test_the_camera_of_the_fit_projects_the_face_onto_the_landmarks(model, basis, faces):
    """Photographed from 40 centimetres, which the fixed camera cannot explain."""
    camera = Camera(focal_length_px=406.0)
    close = replace(faces, translation=faces.translation + np.array([0, 0, 6], np.float32))
    points = seen(model, close, camera)
    fit = fit_landmarks(basis, points, np.ones(points.shape[:2]), started_off(faces), EXACT)
    for number, own in enumerate(fit.cameras):
        again = seen(model, fit.coefficients[number], own)[0]
        assert np.linalg.norm(again - points[number], axis=-1).mean() < 0.5
        assert 330 < own.focal_length_px < 500


def test_doubtful_landmarks_do_not_pull(model, basis, faces):
    points = seen(model, faces)
    clean = fit_landmarks(basis, points, np.ones(points.shape[:2]), started_off(faces), EXACT)
    points[:, 100:150] += 60
    deviation = np.ones(points.shape[:2])
    deviation[:, 100:150] = 1e4
    fit = fit_landmarks(basis, points, deviation, started_off(faces), EXACT)
    assert_allclose(model.shape(fit.coefficients), model.shape(clean.coefficients), atol=0.05)


def test_less_trust_stays_nearer_to_the_mean(model, basis, faces):
    points = seen(model, faces) + np.random.default_rng(1).normal(0, 2, (3, 300, 2))
    sizes = [
        np.square(
            fit_landmarks(
                basis, points, np.full((3, 300), 2.0), started_off(faces), Priors(trust=trust)
            ).coefficients.identity
        ).sum()
        for trust in (1.0, 0.1, 0.001)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_weights_of_named_expressions_stay_weights(model, basis, faces):
    points = seen(model, faces) + np.random.default_rng(2).normal(0, 6, (3, 300, 2))
    fit = fit_landmarks(basis, points, np.ones((3, 300)), started_off(faces), EXACT)
    assert (fit.coefficients.expression[:, :53] >= -0.301).all() and (fit.coefficients.expression <= 1.301).all()


def test_a_fit_that_goes_astray_leaves_the_start(basis, faces):
    points = np.full((3, 300, 2), 112.0)
    points[1] = np.nan
    start = started_off(faces)
    fit = fit_landmarks(basis, points, np.ones((3, 300)), start)
    assert not fit.kept[1]
    assert_allclose(fit.coefficients.to_vector()[1], start.to_vector()[1])
    assert fit.cameras[1] == Camera()


def test_the_derivatives_are_those_of_the_projection(basis, faces):
    basis = replace(basis, directions=basis.directions.astype(np.float64))  # for small steps
    state = initial_state(faces)
    view = project_landmarks(basis, state)
    jacobian = jacobian_of(basis, state, view)
    for column in (0, 1, 2, 3, 4, 5, 6, 7, 40, 7 + 80 + 45):
        step = np.zeros((3, 7 + 144))
        step[:, column] = 1e-5
        moved = (project_landmarks(basis, apply_step(basis, state, step)).pixels - view.pixels).reshape(3, -1)
        assert_allclose(moved / 1e-5, jacobian[..., column], atol=0.02, err_msg=str(column))


def test_other_landmarks_are_refused(basis, faces):
    with pytest.raises(ShapeError, match=r"expected \(B, 300, 2\)"):
        fit_landmarks(basis, np.zeros((3, 68, 2)), np.ones((3, 68)), faces)


def test_the_68_landmarks_are_a_basis_too(model, faces):
    basis = LandmarkBasis.of_points(model, model.landmarks)
    placed = place(model.shape(faces), faces.rotation, faces.translation)
    points = project(model.landmarks(placed)).astype(np.float64)
    fit = fit_landmarks(basis, points, np.ones((3, 68)), started_off(faces), EXACT)
    assert (fit.error < 0.6).all()  # the priors hold against 136 numbers
