from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.alignment import STANDARD_POINTS, align, crop_parameters
from deep3d.camera import DEEP3D_CAMERA, project
from deep3d.errors import AlignmentFailed, ShapeError


def face_points(scale: float, x: float, y: float) -> np.ndarray:
    """Five points of an upright frontal face: pixels per unit of the standard points, place of their origin."""
    return STANDARD_POINTS[:, :2] * [scale, -scale] + [x, y]


def smooth_photo(width: int, height: int) -> np.ndarray:
    """A gradient: red grows by 0.2 a column, green by 0.2 a row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([0.2 * columns, 0.2 * rows, np.full_like(rows, 90)], axis=-1).round().astype(np.uint8)


def pillow_crop(photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What Deep3DFaceRecon does: resize the photo as a whole, then cut the window out."""
    _, left, up, width, height = crop_parameters(points, photo.shape[1], photo.shape[0])
    resized = Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized.crop((left, up, left + 224, up + 224)))


@pytest.fixture(scope="module")
def golden(shared) -> dict[str, np.ndarray]:
    with np.load(shared / "parity" / "alignment.npz") as archive:
        return dict(archive)


def test_standard_points_are_the_reference_ones(golden):
    assert np.array_equal(STANDARD_POINTS.astype(np.float32), golden["standard_points"])


def test_example_photos_match_the_reference(shared, golden):
    exact = 0
    for number, name in enumerate(golden["name"]):
        photo = np.asarray(Image.open(shared / "parity" / "photos" / str(name)).convert("RGB"))
        crop = align(photo, golden["raw_points"][number])
        np.testing.assert_allclose(crop.trans_params, golden["trans_params"][number], rtol=1e-6)
        np.testing.assert_allclose(crop.aligned_points, golden["aligned_points"][number], atol=1e-3, rtol=0)
        if hashlib.sha256(photo.tobytes()).hexdigest() == golden["pixel_sha256"][number]:
            assert np.array_equal(crop.image, golden["crop"][number]), name
            exact += 1
    assert exact >= 8  # the PNG files, which every decoder reads alike


# Not taller than twice the width: above that, newer Pillows resize down before across.
@pytest.mark.parametrize(
    ("width", "height", "scale", "x", "y"),
    [
        (640, 480, 102.0, 300.4, 200.7),  # resized by 1
        (640, 480, 60.0, 320.0, 240.0),  # enlarged
        (900, 1300, 400.0, 500.0, 610.0),  # reduced, prime-ish sizes
        (907, 1301, 911.3, 20.0, 30.0),  # a face cut by the top left corner
        (350, 351, 333.0, 349.0, 350.0),  # and by the bottom right one
        (97, 61, 480.0, 50.0, 30.0),  # the photo is smaller than the face
    ],
)
def test_crop_has_the_bytes_of_pillow(width, height, scale, x, y):
    photo = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    points = face_points(scale, x, y)
    crop = align(photo, points)
    assert np.array_equal(crop.image, pillow_crop(photo, points))


def test_crop_of_a_view_equals_crop_of_its_copy():
    photo = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    points = face_points(120, 210, 140)
    assert np.array_equal(align(photo[:, ::-1], points).image, align(photo[:, ::-1].copy(), points).image)


def test_map_to_photo_is_where_the_pixels_come_from():
    # given a photo whose colours tell the position
    photo = smooth_photo(1200, 900)
    # when a face is cropped at about a third of its size
    crop = align(photo, face_points(300, 613.3, 421.8))
    # then the map agrees with the colours to within rounding
    rows, columns = np.mgrid[20:200, 20:200]
    expected = crop.to_photo(np.stack([columns, rows], axis=-1))
    seen = crop.image[rows, columns, :2] / 0.2
    assert np.abs(seen - expected).mean() < 1.5
    assert abs((seen - expected).mean()) < 0.3  # half a crop pixel would be 1.5


def test_maps_are_inverse_and_equal_the_matrix():
    crop = align(smooth_photo(500, 700), face_points(180.5, 240.2, 333.3))
    points = np.random.default_rng(2).uniform(-50, 300, (4, 5, 2))
    np.testing.assert_allclose(crop.to_crop(crop.to_photo(points)), points, atol=1e-9)
    homogeneous = np.concatenate([points, np.ones((4, 5, 1))], axis=-1) @ crop.matrix.T
    np.testing.assert_allclose(crop.to_photo(points), homogeneous[..., :2], atol=1e-9)


def test_photo_camera_equals_projection_then_map():
    crop = align(smooth_photo(500, 700), face_points(180.5, 240.2, 333.3))
    vertices = np.random.default_rng(3).uniform(-1, 1, (1, 20, 3))
    expected = crop.to_photo(project(vertices, DEEP3D_CAMERA))[0]
    homogeneous = np.column_stack([vertices[0], np.ones(20)]) @ crop.photo_camera(DEEP3D_CAMERA).T
    np.testing.assert_allclose(homogeneous[:, :2] / homogeneous[:, 2:], expected, atol=1e-9)


def test_beyond_the_photo_is_black():
    crop = align(np.full((200, 200, 3), 255, np.uint8), face_points(102, 0, 0))
    assert crop.left < 0
    assert crop.up < 0
    assert not crop.image[: -crop.up].any()
    assert not crop.image[:, : -crop.left].any()
    assert (crop.image[-crop.up :, -crop.left :] == 255).all()


def test_crop_parameters_are_those_of_align():
    points = face_points(211, 300, 280)
    crop = align(smooth_photo(640, 480), points)
    expected = (crop.scale, crop.left, crop.up, crop.resized_width, crop.resized_height)
    assert crop_parameters(points, 640, 480) == expected


def test_shift_is_how_far_the_corners_of_the_crop_move():
    points = face_points(40, 200, 150)
    crop = align(smooth_photo(400, 300), points)
    assert crop.shift(points) < 1
    aside, larger = points + [9.0, 0.0], face_points(44, 200, 150)
    for other in (aside, larger):
        there = align(smooth_photo(400, 300), other)
        corners = np.array([[-0.5, -0.5], [223.5, 223.5]])
        moved = np.abs(crop.to_crop(there.to_photo(corners)) - corners).max()
        assert moved > 9
        assert_allclose(crop.shift(other), moved, atol=1.5)  # resized sizes are whole numbers
    with pytest.raises(AlignmentFailed):
        crop.shift(np.zeros((5, 2)))


def test_small_face_in_a_huge_photo_needs_no_huge_copy():
    # given a face that would enlarge the whole photo to 40 gigapixels
    photo = np.zeros((4000, 4000, 3), np.uint8)
    # when it is cropped, then memory does not run out
    assert align(photo, face_points(2.1, 2000, 2000)).image.shape == (224, 224, 3)


@pytest.mark.parametrize(
    "points",
    [
        np.full((5, 2), 100.0),  # coincident
        np.full((5, 2), np.nan),
        face_points(100, np.inf, 100),
        face_points(0.5, 100, 100),  # smaller than a pixel
        face_points(1e6, 100, 100),
        face_points(100, 5000, 100),  # beside the photo
        face_points(100, 100, -5000),
    ],
)
def test_impossible_points_fail_clearly(points):
    with pytest.raises(AlignmentFailed, match=r"^five points: [^\n]+$"):
        align(smooth_photo(300, 300), points)


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"five points: expected shape \(5, 2\), got \(68, 2\)"):
        crop_parameters(np.zeros((68, 2)), 300, 300)
    with pytest.raises(ShapeError, match="photo: expected"):
        align(np.zeros((300, 300), np.uint8), face_points(100, 150, 150))
    with pytest.raises(ShapeError, match="float64"):
        align(np.zeros((300, 300, 3)), face_points(100, 150, 150))
