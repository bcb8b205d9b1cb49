from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deep3d.alignment import align
from deep3d.drawing import draw_overlay, write_overlay
from deep3d.drawing.overlay import PANEL, VIEW_WIDTH, YAWS
from deep3d.rendering.cpu import CpuRasterizer

BACKGROUND = 233


@pytest.fixture(scope="module")
def row(toy_reconstruction):
    return draw_overlay(toy_reconstruction, CpuRasterizer())


def views(row):
    return [row[:, 2 * PANEL + n * VIEW_WIDTH :][:, :VIEW_WIDTH] for n in range(len(YAWS))]


def test_one_row_of_five_pictures(row):
    assert row.shape == (384, 2 * PANEL + 3 * VIEW_WIDTH, 3)
    assert row.dtype == np.uint8


def test_first_picture_is_the_window_of_the_photo_that_the_crop_shows(row, toy_reconstruction):
    inside = toy_reconstruction.crop.image.any(axis=2)
    photo = np.asarray(Image.fromarray(row[:, :PANEL]).resize((224, 224), Image.Resampling.BOX), float)
    difference = np.abs(photo - toy_reconstruction.crop.image)[inside]
    assert np.median(difference) <= 2


def test_background_lies_beyond_the_photo(toy_reconstruction):
    crop = align(toy_reconstruction.photo.pixels, toy_reconstruction.detection.landmarks + [180, 0])
    assert crop.left + 224 > crop.resized_width
    row = draw_overlay(replace(toy_reconstruction, crop=crop), CpuRasterizer())
    edge = (crop.resized_width - crop.left) * PANEL / 224
    assert (row[:, int(edge) + 2 : PANEL] == BACKGROUND).all()
    assert (row[:, : int(edge) - 2] != BACKGROUND).any(axis=2).mean() > 0.95


def test_the_mesh_covers_the_photo_where_the_face_is_and_nowhere_else(row, toy_reconstruction):
    changed = (row[:, :PANEL] != row[:, PANEL : 2 * PANEL]).any(axis=2)
    points = (toy_reconstruction.crop.to_crop(toy_reconstruction.landmarks68) + 0.5) * PANEL / 224
    for x, y in points.astype(int):
        assert changed[y, x]
    rows, columns = np.nonzero(changed)
    margin = 0.2 * np.ptp(points, axis=0).max()
    assert (columns > points[:, 0].min() - margin).all() and (columns < points[:, 0].max() + margin).all()
    assert (rows > points[:, 1].min() - 2 * margin).all() and (rows < points[:, 1].max() + margin).all()


def test_landmarks_are_dots_where_they_are(row, toy_reconstruction):
    panel = row[:, PANEL : 2 * PANEL].astype(int)
    points = (toy_reconstruction.crop.to_crop(toy_reconstruction.landmarks68) + 0.5) * PANEL / 224
    for x, y in points.astype(int):
        assert np.abs(panel[y, x] - [255, 176, 0]).max() < 60


def test_views_turn_the_face_to_the_named_side(toy_reconstruction, with_texture):
    # Red on the picture's right half of the face, green on its left half: turning the face to the right of the
    # picture hides its right half.
    size = len(toy_reconstruction.texture)
    texture = np.zeros((size, size, 3), np.uint8)
    texture[:, size // 2 :, 0] = 255
    texture[:, : size // 2, 1] = 255
    row = draw_overlay(with_texture(toy_reconstruction, texture), CpuRasterizer())
    shares = []
    for view in views(row):
        red = ((view[..., 0] > 200) & (view[..., 1] < 50)).sum()
        green = ((view[..., 1] > 200) & (view[..., 0] < 50)).sum()
        shares.append(red / (red + green))
    assert YAWS == (-45, 0, 45)
    assert shares[0] > shares[1] + 0.05 > shares[2] + 0.1


def test_views_are_upright_with_their_texture(toy_reconstruction, with_texture):
    size = len(toy_reconstruction.texture)
    texture = np.zeros((size, size, 3), np.uint8)
    texture[: size // 2] = 255, 0, 0  # v in the upper half: the brow
    texture[size // 2 :] = 0, 255, 0
    view = views(draw_overlay(with_texture(toy_reconstruction, texture), CpuRasterizer()))[1].astype(int)
    red, green = (view[..., 0] - view[..., 1] > 150).nonzero()[0], (view[..., 1] - view[..., 0] > 150).nonzero()[0]
    assert red.mean() < green.mean()
    assert len(red) > 1000 and len(green) > 1000


def test_views_stand_free_on_the_background(row):
    for view in views(row):
        border = np.concatenate([view[0], view[:, 0], view[:, -1]])
        assert (border == BACKGROUND).all()
        assert (view != BACKGROUND).any(axis=2).mean() > 0.2


def test_silhouettes_are_mixed_in_linear_light(toy_reconstruction, with_texture):
    black = with_texture(toy_reconstruction, np.zeros_like(toy_reconstruction.texture))
    view = views(draw_overlay(black, CpuRasterizer()))[1]
    mixed = view[(view > 0) & (view < BACKGROUND)]
    light = np.where(mixed <= 10, mixed / 255 / 12.92, ((mixed / 255 + 0.055) / 1.055) ** 2.4)
    behind = ((BACKGROUND / 255 + 0.055) / 1.055) ** 2.4
    # Any share of a pixel is as likely as another: half of the light is left, where a mixture of codes had 0.29 of it.
    assert len(mixed) > 1000 and len(np.unique(mixed)) > 50
    assert 0.42 < light.mean() / behind < 0.58


def test_black_and_white_faces_cover_the_same_share_of_each_pixel(toy_reconstruction, with_texture):
    texture = toy_reconstruction.texture
    behind = ((BACKGROUND / 255 + 0.055) / 1.055) ** 2.4
    shares = []
    for code in (0, 255):
        row = draw_overlay(with_texture(toy_reconstruction, np.full_like(texture, code)), CpuRasterizer())
        codes = views(row)[1][..., 0] / 255
        light = np.where(codes <= 10 / 255, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
        shares.append((light - behind) / (code / 255 - behind))
    assert ((shares[0] > 0) & (shares[0] < 1)).sum() > 300
    np.testing.assert_allclose(shares[0], shares[1], atol=0.03)  # half a code is 0.02 of white's distance


def test_the_file_is_a_jpeg_of_it(toy_reconstruction, row, tmp_path):
    write_overlay(toy_reconstruction, tmp_path)
    with Image.open(tmp_path / "overlay.jpg") as picture:
        assert picture.format == "JPEG"
        assert np.abs(np.asarray(picture, float) - row).mean() < 4
