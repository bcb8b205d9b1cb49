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
    damped, folds = unfolded(model, vertices[None], spike)
    assert folds > 0 and np.linalg.norm(damped[vertex]) < 0.5 * np.linalg.norm(spike[vertex])
    cosine = triangle_normals(vertices[None], model.triangles) * triangle_normals(
        (vertices + damped)[None], model.triangles
    )
    assert cosine.sum(axis=2).min() > 0.2


def test_smooth_displacements_stay_as_they_are(model, basis):
    shape = np.zeros(basis.directions.shape[2])
    shape[basis.linear + 1] = 1.0
    displacement = basis.displacement(shape)
    kept, folds = unfolded(model, model.mean_shape[None], displacement)
    np.testing.assert_array_equal(kept, displacement)
    assert folds == 0


@pytest.mark.parametrize("size", [0.02, 0.1, 1.0, np.nan])
def test_no_fold_is_left_however_wild_displacements_are(model, size):
    wild = size * np.random.default_rng(1).normal(size=model.mean_shape.shape).astype(np.float32)
    damped, folds = unfolded(model, model.mean_shape[None], wild)
    assert folds > 100 and np.isfinite(damped).all()
    moved = np.stack([model.mean_shape, model.mean_shape + damped])
    plain, turned = triangle_normals(moved, model.triangles)
    assert (plain * turned).sum(axis=1).min() > 0.2


def test_folds_of_an_expression_count_as_well(model):
    """A dent that a face at rest can have folds skin that an expression has narrowed."""
    narrow = model.mean_shape * np.array([0.2, 1, 1], np.float32)
    normals = model.normals(model.mean_shape[None])[0]
    flat = np.argmax(normals[:, 2] * (model.skin > 0.5))
    about = np.linalg.norm(model.mean_shape - model.mean_shape[flat], axis=1)
    dent = np.zeros_like(model.mean_shape)
    dent[:, 2] = -0.08 * np.exp(-0.5 * (about / 0.05) ** 2)
    at_rest = unfolded(model, model.mean_shape[None], dent)
    assert at_rest[1] == 0 and (at_rest[0] == dent).all()
    damped, folds = unfolded(model, np.stack([model.mean_shape, narrow]), dent)
    assert folds > 0 and np.abs(damped).max() < np.abs(dent).max()


def test_coefficients_describe_the_shape_best(model, basis):
    """No other identity is much nearer to a displaced face: neither of a few components nor by plain least squares."""
    rng = np.random.default_rng(5)
    shape = np.zeros(basis.directions.shape[2])
    shape[basis.linear :] = rng.normal(size=basis.displacements)
    identity, rest = absorbed(basis, np.zeros(80, np.float32), basis.displacement(shape))
    skin = model.skin > 0.5
    rows = basis.directions[skin, :, :80].reshape(-1, 80)
    left = rest[skin].ravel()
    closest = left - rows @ np.linalg.lstsq(rows, left, rcond=None)[0]
    assert np.linalg.norm(left) < 1.02 * np.linalg.norm(closest)
    assert np.linalg.norm(left) < 0.95 * np.linalg.norm(basis.displacement(shape)[skin])
    assert np.abs(identity).max() < 4
