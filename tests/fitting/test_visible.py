"""The visible surface: its points lie where pixels show them, and its derivatives are those of small steps."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import DEEP3D_CAMERA, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.fitting.basis import SurfaceBasis
from deep3d.fitting.colours import OCCLUSION, ColourCue, SmoothPhoto
from deep3d.fitting.iteration import initial_state, project_landmarks
from deep3d.fitting.reflectance import ColourPriors, Reflectance
from deep3d.fitting.unknowns import Equations, FittedFace
from deep3d.fitting.visible import VisibleSurface

STRIDE = 9


@pytest.fixture(scope="module")
def face() -> FaceCoefficients:
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.identity[:] = np.random.default_rng(5).normal(size=80)
    face.rotation[:] = np.radians([[4, 20, -3]])
    return face


def seen(model, face, displacement=None) -> tuple[SurfaceBasis, VisibleSurface]:
    basis = SurfaceBasis.of(model)
    state = initial_state(face, displacements=basis.displacements)
    if displacement is not None:
        state.shape[0, basis.linear :] = displacement
    vertices = model.shape(face)[0] + basis.displacement(state.shape[0])
    surface = VisibleSurface.seen(basis, vertices, face, DEEP3D_CAMERA, state.shape[0], STRIDE)
    assert surface is not None
    return basis, surface


def test_points_lie_at_their_pixels(model, face):
    basis, surface = seen(model, face)
    pixels = project_landmarks(surface.points, initial_state(face, displacements=basis.displacements)).pixels[0]
    off = (pixels - STRIDE // 2) / STRIDE
    np.testing.assert_allclose(off, np.rint(off), atol=2e-3)


def test_normals_turn_as_their_derivatives_say(model, face):
    basis, surface = seen(model, face)
    step = np.zeros(basis.directions.shape[2])
    step[[0, 7, 40, basis.identities + 45, basis.linear, basis.linear + 9]] = 0.02
    moved = FaceCoefficients.from_vector(face.to_vector())
    moved = replace(
        moved,
        identity=moved.identity + step[None, :80].astype(np.float32),
        expression=moved.expression + step[None, 80:144].astype(np.float32),
    )
    vertices = model.shape(moved)[0] + basis.displacement(step)
    normals = model.normals(vertices[None])[0]
    true = (normals[surface.corners] * surface.weights[..., None]).sum(axis=1)
    before = model.normals(model.shape(face))[0]
    start = (before[surface.corners] * surface.weights[..., None]).sum(axis=1)
    told = surface.normal_directions @ step.astype(np.float32)
    error = np.linalg.norm(true - start - told, axis=1)
    assert np.median(error) < 0.05 * np.median(np.linalg.norm(told, axis=1))


def test_displaced_points_are_where_the_surface_is(model, face):
    displacement = np.zeros(60)
    displacement[3] = 2.0
    basis, surface = seen(model, face, displacement)
    vertices = model.shape(face)[0] + basis.displacement(surface.shape)
    expected = (vertices[surface.corners] * surface.weights[..., None]).sum(axis=1)
    for points, shape in [(surface.points, surface.shape), (surface.linear_points, surface.shape[: basis.linear])]:
        found = points.mean + points.directions @ shape.astype(np.float32)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_equations_point_where_the_colours_differ_less(model, face):
    """The gradient is that of the robust energy, by finite differences of each kind of unknown."""
    basis, surface = seen(model, face)
    rng = np.random.default_rng(0)
    photo = rng.uniform(0, 255, (28, 28, 3)).repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8)
    cue = ColourCue(SmoothPhoto(photo), model, Reflectance.of(face), ColourPriors())
    fitted = FittedFace(initial_state(face, displacements=basis.displacements), Reflectance.of(face), OCCLUSION)
    equations = cue.equations(surface, fitted)
    step = 1e-4 * equations.gradient / np.linalg.norm(equations.gradient)
    before, after = (cue.difference(surface, each) for each in (fitted, fitted.apply_step(basis, step)))
    assert after < before
    assert not equations.gradient[7 + basis.linear : -108].any()  # shading is no witness of displacements


def test_shorter_equations_are_about_the_first_unknowns():
    long, short = Equations(np.eye(3), np.zeros(3)), Equations(np.full((2, 2), 5.0), np.ones(2))
    for both in (long + short, short + long):
        np.testing.assert_array_equal(both.normal, [[6, 5, 0], [5, 6, 0], [0, 0, 1]])
        np.testing.assert_array_equal(both.gradient, [1, 1, 0])


def test_pixels_see_the_points_that_project_there(model, face):
    _, surface = seen(model, face)
    placed = place(model.shape(face), face.rotation, face.translation)
    points = (placed[:, surface.corners] * surface.weights[..., None]).sum(axis=2)
    assert len(points[0]) > 100
    assert np.abs(project(points)[0] % STRIDE - STRIDE // 2).max() < 0.02
