"""Depth to mesh: what is seen becomes triangles, what is not does not, and bad maps are refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import deep3d
from deep3d.camera import Camera
from deep3d.dense import PinholeCamera
from deep3d.errors import DepthInvalid

SIZE = 80
CAMERA = PinholeCamera(400.0, 400.0, 40.0, 40.0)


def plane(distance: float = 1000.0) -> np.ndarray:
    return np.full((SIZE, SIZE), distance)


def ball_before_a_wall() -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    reach = np.hypot(rows - 40, columns - 40) / 25
    return np.where(reach < 1, 900 - 40 * np.sqrt(np.clip(1 - reach**2, 0, 1)), 1100.0)


def normals(mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.triangles[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def test_a_plane_is_where_the_camera_saw_it_and_faces_it():
    mesh = deep3d.depth_to_mesh(plane(), CAMERA)

    assert len(mesh.vertices) == SIZE**2 and len(mesh.triangles) == 2 * (SIZE - 1) ** 2
    assert_allclose(mesh.vertices[0], [-100, 100, -1000])
    assert (normals(mesh)[:, 2] > 0).all()
    assert_allclose(mesh.uv[0], [0.5 / SIZE, 1 - 0.5 / SIZE])


def test_all_cameras_mean_the_same():
    own = deep3d.depth_to_mesh(plane(), Camera(400.0, 40.0, 40.0))
    matrix = deep3d.depth_to_mesh(plane(), np.array([[400, 0, 40], [0, 400, 40], [0, 0, 1.0]]))
    assert_allclose(own.vertices, matrix.vertices)


def test_no_triangle_spans_a_jump():
    mesh = deep3d.depth_to_mesh(ball_before_a_wall(), CAMERA)
    depth = -mesh.vertices[mesh.triangles, 2]
    assert np.ptp(depth, axis=1).max() < 20
    assert depth.min() < 870 and depth.max() == pytest.approx(1100)


@pytest.mark.parametrize("hole", [np.nan, np.inf, 0.0, -5.0])
def test_holes_stay_unless_they_are_to_be_filled(hole):
    depth = plane() + np.mgrid[:SIZE, :SIZE][0]
    whole = deep3d.depth_to_mesh(depth, CAMERA)
    depth[20:30, 40:50] = hole

    open_mesh = deep3d.depth_to_mesh(depth, CAMERA)
    filled = deep3d.depth_to_mesh(depth, CAMERA, fill_holes=True)

    assert len(open_mesh.vertices) == SIZE**2 - 100
    assert_allclose(filled.vertices, whole.vertices, rtol=1e-6)


def test_holes_at_the_border_are_no_holes():
    depth = plane()
    depth[:10] = np.nan
    assert len(deep3d.depth_to_mesh(depth, CAMERA, fill_holes=True).vertices) == SIZE * (SIZE - 10)


def test_specks_in_the_air_are_left_out():
    depth = plane()
    depth[50:53, 50:53] = 500.0
    mesh = deep3d.depth_to_mesh(depth, CAMERA)
    assert (mesh.vertices[:, 2] < -900).all()


def test_whole_numbers_need_a_scale():
    levels = np.full((SIZE, SIZE), 10_000, np.uint16)
    with pytest.raises(DepthInvalid, match=r"whole numbers need a scale; say what one step means"):
        deep3d.depth_to_mesh(levels, CAMERA)
    assert_allclose(
        deep3d.depth_to_mesh(levels, CAMERA, scale=0.1).vertices, deep3d.depth_to_mesh(plane(), CAMERA).vertices
    )


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        (np.zeros((4, 4, 3)), r"expected \(H, W\)"),
        (np.full((9, 9), np.nan), "no pixel of it is a number above 0 that can be a depth"),
        (np.full((9, 9), "x"), "expected numbers"),
        (np.where(np.indices((9, 9)).sum(axis=0) % 2, 100.0, 900.0), "check its scale"),
    ],
)
def test_maps_without_a_surface_are_refused(depth, message):
    with pytest.raises(DepthInvalid, match=message):
        deep3d.depth_to_mesh(depth, PinholeCamera(400.0, 400.0, 4.0, 4.0))


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (np.eye(4), "3 x 3 matrix of intrinsics"),
        (np.diag([-400.0, 400.0, 1.0]), "focal lengths must be above 0"),
        (np.array([[np.nan, 0, 4], [0, 400, 4], [0, 0, 1]]), "all its numbers finite"),
        (np.array([[400, 0, 4000], [0, 400, 40], [0, 0, 1.0]]), "far outside the 80 x 80 map"),
        (np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]), "focal length of 1 does not fit a map of 80 pixels"),
        (np.array([[1e9, 0, 40], [0, 1e9, 40], [0, 0, 1]]), r"focal length of 1e\+09 does not fit"),
        ("a camera", "3 x 3 matrix of numbers"),
    ],
)
def test_cameras_that_cannot_have_seen_the_map_are_refused(camera, message):
    with pytest.raises(DepthInvalid, match=message):
        deep3d.depth_to_mesh(plane(), camera)


@pytest.mark.parametrize("focal", [0.0, -400.0, np.inf, np.nan])
def test_a_pinhole_needs_a_focal_length(focal):
    with pytest.raises(DepthInvalid, match="focal lengths must be above 0"):
        PinholeCamera(focal, 400.0, 40.0, 40.0)


@pytest.mark.parametrize("scale", [-1, 0, np.nan, "0.1"])
def test_a_scale_must_be_above_zero(scale):
    with pytest.raises(DepthInvalid, match=f"scale: {scale} is not a number above 0"):
        deep3d.depth_to_mesh(plane(), CAMERA, scale=scale)


def test_masked_pixels_and_depths_beyond_single_precision_are_holes():
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[30:40, 30:40] = True
    expected = deep3d.depth_to_mesh(np.where(hidden, np.nan, plane()), CAMERA)
    for depth in (np.ma.masked_array(plane(), hidden), np.where(hidden, 1e60, plane())):
        mesh = deep3d.depth_to_mesh(depth, CAMERA)
        assert np.isfinite(mesh.vertices).all()
        assert_allclose(mesh.vertices, expected.vertices)
