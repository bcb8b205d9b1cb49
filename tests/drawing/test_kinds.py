"""Each kind of picture: what its colours say, on heads that are nearer, farther and turned."""

from dataclasses import replace

import numpy as np
import pytest

import deep3d
from deep3d.alignment import STANDARD_POINTS, align
from deep3d.camera import DEEP3D_CAMERA, Pose
from deep3d.coefficients import FaceCoefficients
from deep3d.detection.detector import Detection
from deep3d.drawing.error import MOST
from deep3d.drawing.heads import drawn_heads
from deep3d.drawing.landmarks import hidden_landmarks
from deep3d.drawing.legend import heat
from deep3d.drawing.maps import normalised_coordinates
from deep3d.drawing.shading import LINEAR
from deep3d.errors import ShapeError
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction

HEIGHT, WIDTH = 300, 420
KINDS = [
    deep3d.draw_landmarks,
    deep3d.draw_dense,
    deep3d.draw_surface,
    deep3d.draw_albedo,
    deep3d.draw_wireframe,
    deep3d.draw_error,
    deep3d.draw_uncertainty,
    deep3d.draw_pose,
]
MAPS = [deep3d.draw_depth, deep3d.draw_pncc, deep3d.draw_normals]


@pytest.fixture(scope="module")
def photo():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([60 + columns * 120 // WIDTH, 90 + rows * 80 // HEIGHT, (rows + columns) % 90 + 80], axis=2)
    return Photo(pixels.astype(np.uint8), "group.jpg", "0" * 64)


@pytest.fixture(scope="module")
def head(photo):
    model = deep3d.default_face_model()

    def make(column=200.0, size=60.0, **angles):
        """A head in the middle of the photo; `size` is in pixels for a unit of the standard points."""
        five = np.array([column, 150]) + STANDARD_POINTS[:, :2] * [size, -size]
        vector = np.zeros((1, 257), np.float32)
        pose = Pose(**({"yaw": 0.0, "pitch": 0.0, "roll": 0.0} | angles))
        vector[:, 224:227] = pose.to_rotation()
        vector[:, 227:254] = np.tile(np.array([0.0, 0, 0, 0, 0, 0, 0, 0, 0]), 3)
        return Reconstruction(
            photo=photo,
            detection=Detection(np.zeros(4), 1.0, five),
            crop=align(photo.pixels, five),
            coefficients=FaceCoefficients.from_vector(vector),
            face_model=model,
            camera=DEEP3D_CAMERA,
            checkpoint_name=None,
            checkpoint_sha256=None,
            timings_ms={},
            covariance=np.eye(144) / 400,
        )

    return make


@pytest.mark.parametrize("draw", KINDS)
def test_the_photo_changes_where_the_head_is_and_nowhere_else(draw, head, photo):
    face = head()
    before = photo.pixels.copy()
    picture = draw(face, photo)
    np.testing.assert_array_equal(photo.pixels, before)
    assert picture.shape == photo.pixels.shape and picture.dtype == np.uint8
    low, high = face.to_photo(face.vertices)[:, :2].min(axis=0), face.to_photo(face.vertices)[:, :2].max(axis=0)
    changed = np.argwhere((picture != photo.pixels).any(axis=2))[:, ::-1]
    legend = (changed[:, 0] < 200) & (changed[:, 1] > HEIGHT - 30)
    margin = 60 if draw is deep3d.draw_pose else 3
    assert len(changed) > 100
    assert ((changed > low - margin) & (changed < high + margin)).all(axis=1)[~legend].all()


@pytest.mark.parametrize("draw", [*KINDS, *MAPS])
def test_no_face_and_faces_outside_of_the_picture_leave_it_as_it_is(draw, head, photo):
    outside = replace(head(), crop=replace(head().crop, left=-5000))
    for faces in ([], [outside]):
        picture = draw(faces, photo)
        kept = photo.pixels if draw in KINDS else np.zeros_like(photo.pixels)
        if draw in (deep3d.draw_error, deep3d.draw_uncertainty):
            picture, kept = picture[:250], kept[:250]  # there is a legend below
        np.testing.assert_array_equal(picture, kept)


def test_a_picture_of_another_kind_is_refused(head):
    with pytest.raises(ShapeError, match=r"expected \(H, W, 3\) uint8"):
        deep3d.draw_landmarks(head(), np.zeros((20, 20), np.uint8))


def test_nearer_faces_are_drawn_before_farther_ones_in_whatever_order_they_come(head, photo):
    near, far = head(size=70.0), head(column=230.0, size=40.0)
    for faces in ([near, far], [far, near]):
        assert [each.face for each in drawn_heads(faces, HEIGHT, WIDTH)] == [far, near]
        alone, both = deep3d.draw_surface(near, photo, 1.0), deep3d.draw_surface(faces, photo, 1.0)
        (drawn,) = drawn_heads(near, HEIGHT, WIDTH)
        inside = np.zeros((HEIGHT, WIDTH), bool)
        covered = drawn.triangle >= 0
        drawn.window(inside)[1:-1, 1:-1] = (
            covered[1:-1, 1:-1] & covered[:-2, 1:-1] & covered[2:, 1:-1] & covered[1:-1, :-2] & covered[1:-1, 2:]
        )
        same = (alone == both).all(axis=2)
        assert same[inside].mean() > 0.99
        assert not same[~inside].all()


def test_a_turned_head_hides_the_landmarks_of_its_far_side(head):
    right_cheek_away = drawn_heads(head(yaw=-60.0), HEIGHT, WIDTH)[0]  # the face looks to the left of the picture
    hidden = hidden_landmarks(right_cheek_away)
    assert hidden[0:4].all() and not hidden[9:15].any()
    assert not hidden_landmarks(drawn_heads(head(), HEIGHT, WIDTH)[0])[17:68].any()


def test_hidden_landmarks_are_rings_and_seen_ones_full(head, photo):
    face = head(yaw=-60.0, size=90.0)
    picture = deep3d.draw_landmarks(face, photo).astype(int)
    points = np.rint(face.landmarks68).astype(int)
    yellow = np.array([255, 214, 10])
    seen, hidden = (np.abs(picture[points[n, 1], points[n, 0]] - yellow).max() for n in (12, 1))
    assert seen < 20 and hidden > 35


def test_depth_is_in_millimetres_and_zero_beside_the_head(head, photo):
    face = head(yaw=20.0)
    depth = deep3d.depth_map(face, photo)
    assert depth[0, 0] == 0 and depth.dtype == np.float32
    column, row, decimetres = face.to_photo(face.face_model.markup.points(face.vertices[None])[0])[30]
    assert depth[round(row), round(column)] == pytest.approx(100 * decimetres, abs=3)
    assert 900 < depth[depth > 0].min() < depth.max() < 1200


def test_of_depth_the_nearest_point_is_white_and_a_legend_tells_the_farthest(head, photo):
    picture = deep3d.draw_depth(head(), photo)
    depth = deep3d.depth_map(head(), photo)
    assert (picture[depth == depth[depth > 0].min()] == 255).all()
    assert picture[-60:, :250].max() > 200  # the legend


def test_pncc_tells_where_on_the_mean_face_a_pixel_lies(head, photo):
    face = head(size=90.0)
    picture = deep3d.draw_pncc(face, photo)
    code = face.face_model.markup.points(normalised_coordinates(face.face_model)[None])[0]
    for n in (30, 36, 45, 57):  # nose, eyes, lips
        column, row = np.rint(face.landmarks68[n]).astype(int)
        assert np.abs(picture[row, column] / 255 - code[n]).max() < 0.03


def test_normals_point_where_the_surface_faces(head, photo):
    face = head(yaw=35.0, size=90.0)
    picture = deep3d.draw_normals(face, photo)
    (drawn,) = drawn_heads(face, HEIGHT, WIDTH)
    vertices = np.flatnonzero(drawn.shows(drawn.points, 0.002) & (face.placed_normals[:, 2] > 0.6))[::37]
    columns, rows = np.rint(drawn.points[vertices, :2]).astype(int).T
    seen = picture[rows, columns] / 127.5 - 1
    agreement = (seen * face.placed_normals[vertices]).sum(axis=1)
    assert np.median(agreement) > 0.97
    assert np.linalg.norm(seen, axis=1) == pytest.approx(1, abs=0.02)


def test_albedo_has_the_models_own_colours(head, photo):
    face = head(size=90.0)
    picture = deep3d.draw_albedo(face, photo)
    column, row = np.rint(face.landmarks68[33]).astype(int)
    (drawn,) = drawn_heads(face, HEIGHT, WIDTH)
    colour = drawn.interpolate(face.albedo)[row - drawn.top, column - drawn.left]
    assert np.abs(picture[row, column] - 255 * colour).max() < 6


def test_error_is_dark_where_the_model_explains_the_photo_and_bright_where_it_does_not(head, photo):
    from deep3d.lighting import shade

    face = head(size=80.0)
    (drawn,) = drawn_heads(face, HEIGHT, WIDTH)
    lit = shade(face.albedo[None], face.placed_normals[None], face.coefficients.lighting)[0]
    explained = photo.pixels.copy()
    seen = drawn.triangle >= 0
    drawn.window(explained)[seen] = np.rint(255 * np.clip(drawn.interpolate(lit)[seen], 0, 1))
    column, row = np.rint(face.landmarks68[30]).astype(int)
    assert np.abs(deep3d.draw_error(face, explained)[row, column].astype(int) - heat(np.array(0.0))).max() <= 8
    off = np.clip(explained.astype(int) + 2 * int(MOST), 0, 255).astype(np.uint8)
    off = np.where(off - explained > MOST, off, explained - int(MOST)).astype(np.uint8)
    assert deep3d.draw_error(face, off)[row, column].sum() > 500


def test_the_pose_is_drawn_as_axes_and_told_in_degrees(head, photo):
    face = head(yaw=50.0, size=50.0)
    picture = deep3d.draw_pose(face, photo).astype(int)
    blue = np.argwhere(np.abs(picture - [80, 150, 255]).max(axis=2) < 12)
    root = face.landmarks68[27]
    assert len(blue) > 20 and blue[:, 1].mean() > root[0] + 3  # the face looks to the right of the picture
    assert (picture >= 230).all(axis=2).sum() > 20  # words


def test_textures_stand_side_by_side(toy_reconstruction):
    row = deep3d.draw_uv_texture([toy_reconstruction, toy_reconstruction])
    np.testing.assert_array_equal(row, np.concatenate([toy_reconstruction.texture] * 2, axis=1))


def test_a_turntable_turns_once_round(toy_reconstruction):
    frames = [*deep3d.draw_turntable([toy_reconstruction, toy_reconstruction], frames=4, size=64)]
    assert [frame.shape for frame in frames] == [(64, 128, 3)] * 4
    np.testing.assert_array_equal(frames[0][:, :64], frames[0][:, 64:])
    assert (frames[0] != frames[2]).any()


def test_light_tables_are_those_of_srgb():
    codes = np.arange(256) / 255
    exact = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(LINEAR, exact, atol=1e-6)


def test_uncertainty_is_brighter_where_less_is_known(head, photo):
    sure, unsure = head(), replace(head(), covariance=np.eye(144) / 50)
    (drawn,) = drawn_heads(sure, HEIGHT, WIDTH)
    pictures = [drawn.window(deep3d.draw_uncertainty(face, photo))[drawn.triangle >= 0] for face in (sure, unsure)]
    assert pictures[1].mean() > pictures[0].mean() + 20
    unfitted = replace(head(), covariance=None)
    assert (deep3d.draw_uncertainty(unfitted, photo)[:250] == photo.pixels[:250]).all()
