"""Depth maps of other networks, which know neither scale nor offset."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import deep3d
from deep3d.errors import DepthInvalid
from deep3d.pipeline.relative_depth import metric_depth
from deep3d.reconstruction import Reconstruction

WALL = 3_000.0  # millimetres


@pytest.fixture(scope="module")
def face() -> Reconstruction:
    return deep3d.Reconstructor.load(refinement="landmarks")("docs/sample/astronaut.jpg")


@pytest.fixture(scope="module")
def true(face) -> np.ndarray:
    """The head before a wall, millimetres."""
    depth = deep3d.depth_map(face, face.photo)
    return np.where(depth > 0, depth, WALL)


def relative(depth: np.ndarray) -> np.ndarray:
    """As MiDaS gives it."""
    return 40_000 / depth + 7


def test_scale_and_offset_are_found_under_a_cover(face, true):
    covered = true.copy()
    column, row = face.landmarks68[30].astype(int)
    covered[row : row + 30, column - 40 : column + 40] = 300  # a hand before the mouth
    found = metric_depth(relative(covered), face).depth
    assert_allclose(found, covered, rtol=0.003)


def test_a_small_map_is_enough(face, true):
    smaller = true[2::4, 2::4]
    found = metric_depth(relative(smaller), face).depth
    assert_allclose(found, smaller, rtol=0.001)


@pytest.mark.parametrize("smaller", [1, 2])
def test_the_mesh_lies_on_the_photo(face, true, smaller):
    metric = metric_depth(relative(true[::smaller, ::smaller]), face)
    mesh = deep3d.depth_to_mesh(metric.depth, metric.camera)
    # the points of the head, in the camera's frame, are those of the reconstruction
    matrix = face.crop.photo_camera(face.camera)
    points = mesh.vertices / 100 + [0, 0, face.camera.distance]
    projected = points @ matrix[:, :3].T + matrix[:, 3]
    height, width = true.shape
    expected = mesh.uv * [width, height] - 0.5
    expected[:, 1] = height - 1 - expected[:, 1]
    assert_allclose(projected[:, :2] / projected[:, 2:], expected, atol=smaller)


def test_what_lies_beyond_endless_depth_has_none(face, true):
    sky = relative(true)
    sky[:5] = -500
    assert np.isnan(metric_depth(sky, face).depth[:5]).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda inverse: -inverse, "near points need large values"),
        (lambda inverse: np.ones_like(inverse), "near points need large values"),
        (lambda inverse: inverse[:, :-60], "do not fit the photo's 512 x 512"),
        (lambda inverse: np.full_like(inverse, np.nan), "0 of its pixels show the face"),
        (lambda inverse: inverse[..., None], r"expected numbers \(H, W\)"),
        (lambda inverse: inverse.astype(str), "expected numbers"),
    ],
)
def test_maps_of_something_else_are_refused(face, true, spoil, message):
    with pytest.raises(DepthInvalid, match=message):
        metric_depth(spoil(relative(true)), face)
