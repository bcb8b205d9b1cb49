"""Displacements are smooth, alike on both sides, zero at openings; none of them folds the surface."""

import numpy as np
import pytest

from deep3d.fitting.basis import SurfaceBasis
from deep3d.fitting.displacement import AMPLITUDE, free_displacements
from deep3d.fitting.free_shape import absorbed, unfolded
from deep3d.mesh import triangle_normals


@pytest.fixture(scope="module")
def basis(model) -> SurfaceBasis:
    return SurfaceBasis.of(model)


def test_they_have_the_amplitude_on_cheeks_and_none_off_the_skin(model):
    functions = free_displacements(model)
    deviation = np.sqrt((functions**2).sum(axis=(1, 2)))
    cheeks = model.markup.points.nearest[[2, 14]]
    assert (deviation[cheeks] > 0.3 * AMPLITUDE).all() and deviation.max() < 1.6 * AMPLITUDE
    assert deviation[model.skin < 0.5].max() == 0
    assert deviation[model.landmark_vertices[[60, 64, 37, 44]]].max() < 0.5 * AMPLITUDE  # mouth corners, lids


def test_both_sides_move_alike_in_part(model):
    functions = free_displacements(model)
    normals = model.normals(model.mean_shape[None])[0]
    along = np.einsum("vik,vi->vk", functions, normals)
    left = model.markup.points.nearest[[2, 3, 4]]
    right = model.mirror[left]
    correlation = (
        (along[left] * along[right]).sum(axis=1)
        / np.linalg.norm(along[left], axis=1)
        / np.linalg.norm(along[right], axis=1)
    )
    assert (correlation > 0.2).all() and (correlation < 0.95).all()


def test_coefficients_take_what_the_linear_model_can_say(model, basis):
    rng = np.random.default_rng(2)
    known = 0.1 * rng.normal(size=80)
    displacement = (basis.directions[..., :80] @ known).astype(np.float32)
    identity, rest = absorbed(basis, np.zeros(80, np.float32), displacement)
    skin = model.skin > 0.5
    assert np.linalg.norm(rest[skin]) < 0.15 * np.linalg.norm(displacement[skin])
    total = basis.directions[..., :80] @ identity + rest
    np.testing.assert_allclose(total, displacement, atol=1e-5)


def test_folds_are_found_damped_and_counted(model):
    vertices = model.mean_shape
    spike = np.zeros_like(vertices)
    vertex = model.markup.points.nearest[30]
    spike[vertex] = [0.4, 0.0, -0.1]
    damped, folds = unfolded(model, vertices, spike)
    assert folds > 0 and np.linalg.norm(damped[vertex]) < 0.5 * np.linalg.norm(spike[vertex])
    cosine = triangle_normals(vertices[None], model.triangles) * triangle_normals(
        (vertices + damped)[None], model.triangles
    )
    assert cosine.sum(axis=2).min() > 0.2


def test_smooth_displacements_stay_as_they_are(model, basis):
    shape = np.zeros(basis.directions.shape[2])
    shape[basis.linear + 1] = 1.0
    displacement = basis.displacement(shape)
    kept, folds = unfolded(model, model.mean_shape, displacement)
    np.testing.assert_array_equal(kept, displacement)
    assert folds == 0
