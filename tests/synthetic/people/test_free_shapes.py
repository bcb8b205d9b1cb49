"""Shapes beyond the linear model: smooth, of the size that scans show, symmetric where they should be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.face_model import FaceModel
from deep3d.synthetic.mapped_heads import OCCLUDER, SKIN, MappedHeadGenerator
from deep3d.synthetic.people import free_shapes
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.synthetic.people.region_shapes import RegionShapes


@pytest.fixture(scope="module", params=[FreeShapes, RegionShapes])
def shapes(request, model):
    return request.param.of(model)


def face(model: FaceModel) -> np.ndarray:
    mean = model.mean_shape
    return (model.skin > 0.5) & (mean[:, 2] > 0) & (mean[:, 1] > -1)


def test_people_leave_the_linear_model_by_what_scans_do(model, shapes):
    rows = face(model)
    moved = shapes.draw(np.random.default_rng(1), 24)[:, rows] * 100
    basis = model.identity_basis.reshape(80, -1, 3)[:, rows].reshape(80, -1).T
    points = model.mean_shape[rows]
    rigid = [np.cross(axis, points).ravel() for axis in np.eye(3)] + [np.tile(axis, len(points)) for axis in np.eye(3)]
    system = np.column_stack([basis, *rigid])
    flat = moved.reshape(len(moved), -1).T
    left = flat - system @ np.linalg.lstsq(system, flat, rcond=None)[0]
    assert 0.3 < np.sqrt((left**2).sum() / left.shape[1] / rows.sum()) < 0.8


def test_displacements_are_smooth(model, shapes):
    moved = shapes.draw(np.random.default_rng(2), 4)
    a, b = model.triangles[:, 0], model.triangles[:, 1]
    length = np.linalg.norm(model.mean_shape[a] - model.mean_shape[b], axis=1)
    change = np.linalg.norm(moved[:, a] - moved[:, b], axis=2)
    assert (change < 0.35 * length + 1e-4).mean() > 0.99


def test_the_same_seed_gives_the_same_people(shapes):
    first, second = (shapes.draw(np.random.default_rng(5), 2) for _ in range(2))
    assert_allclose(first, second)
    assert np.abs(first[0] - first[1]).max() > 1e-3


def test_nobody_is_crooked_without_crookedness(model, monkeypatch):
    monkeypatch.setattr(free_shapes, "CROOKED", 0.0)
    two_sided = np.abs(model.mean_shape[model.mirror] * [-1, 1, 1] - model.mean_shape).max(axis=1) < 1e-4
    moved = FreeShapes.of(model).draw(np.random.default_rng(1), 3)
    assert two_sided.mean() > 0.9
    assert_allclose(moved[:, model.mirror][:, two_sided] * [-1, 1, 1], moved[:, two_sided], atol=1e-3)


def test_maps_show_the_displaced_head(model):
    shift = np.zeros((2, len(model.mean_shape), 3), np.float32)
    shift[..., 2] = 0.1
    plain = MappedHeadGenerator(model, 4, lambda rng, count: np.zeros_like(shift)).draw_mapped(2)
    nearer = MappedHeadGenerator(model, 4, lambda rng, count: shift).draw_mapped(2)

    assert_allclose(plain.classes.shape, (2, 112, 112))
    for heads in (plain, nearer):
        assert (heads.maps.covered & (heads.classes == SKIN)).mean() > 0.1
        assert not ((heads.classes == SKIN) & ~heads.maps.covered).any()
        assert heads.classes.max() <= OCCLUDER
    both = plain.maps.covered & nearer.maps.covered
    rise = (nearer.maps.height - plain.maps.height)[both]
    assert 0.02 < np.median(rise) < 0.13
