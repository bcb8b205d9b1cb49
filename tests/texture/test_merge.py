"""Textures of several photos become one: the better photo of each texel, in one light."""

import numpy as np
import pytest

from deep3d.errors import ShapeError
from deep3d.texture import Atlas, Texture, merge_textures
from deep3d.texture.merge import sharpness

SIZE = 64


@pytest.fixture
def atlas(toy_face_model) -> Atlas:
    return Atlas.of(toy_face_model, SIZE)


@pytest.fixture
def skin() -> np.ndarray:
    """A smooth face with spots."""
    rows, columns = np.indices((SIZE, SIZE))
    spots = 25 * (np.sin(rows / 2) * np.sin(columns / 2) > 0.5)
    return np.stack([150 + spots, 110 + spots, 90 + spots], axis=2).astype(np.uint8)


def left_and_right() -> tuple[np.ndarray, np.ndarray]:
    """Weights of two views that overlap in the middle."""
    left = np.clip(1.5 - np.arange(SIZE) / (SIZE / 2), 0, 1) * np.ones((SIZE, 1))
    weight = (255 * left).astype(np.uint8)
    return weight, np.ascontiguousarray(weight[:, ::-1])


def test_two_half_views_of_another_light_make_a_whole(toy_face_model, atlas, skin):
    left, right = left_and_right()
    dark = (skin * 0.6).astype(np.uint8)
    hidden = np.full_like(skin, 40)
    textures = [
        Texture(np.where(left[..., None] > 0, skin, hidden), left),
        Texture(np.where(right[..., None] > 0, dark, hidden), right),
    ]
    merged = merge_textures(textures, np.array([1.0, 0.8]), toy_face_model)
    charts = atlas.triangle >= 0
    difference = np.abs(merged.astype(int) - skin)[charts].mean(axis=1)
    assert np.median(difference) < 4 and np.quantile(difference, 0.9) < 15  # the dark half was 60 darker


def test_the_sharper_photo_has_the_detail(toy_face_model, atlas, skin):
    sure = np.full((SIZE, SIZE), 255, np.uint8)
    blurred = Texture(np.broadcast_to(skin.mean(axis=(0, 1)), skin.shape).astype(np.uint8), sure)
    sharp = Texture(skin, sure)
    assert sharpness(sharp) > 5 * sharpness(blurred)
    merged = merge_textures([blurred, sharp], np.ones(2), toy_face_model)
    charts = atlas.triangle >= 0
    assert np.abs(merged.astype(int) - skin)[charts].mean() < 2


def test_what_nobody_shows_is_as_the_first_filled_it(toy_face_model, atlas, skin):
    shown = np.zeros((SIZE, SIZE), np.uint8)
    shown[: SIZE // 2] = 255
    textures = [Texture(skin, shown), Texture(skin // 2, shown)]
    merged = merge_textures(textures, np.array([1.0, 0.5]), toy_face_model)
    unseen = (atlas.triangle >= 0) & (shown == 0)
    np.testing.assert_allclose(merged[unseen], skin[unseen], atol=1)


def test_one_photo_stays_as_it_is(toy_face_model, atlas, skin):
    merged = merge_textures([Texture(skin, left_and_right()[0])], np.ones(1), toy_face_model)
    charts = atlas.triangle >= 0
    np.testing.assert_allclose(merged[charts], skin[charts], atol=1)


def test_textures_of_one_size_are_wanted(toy_face_model, skin):
    texture = Texture(skin, np.full((SIZE, SIZE), 255, np.uint8))
    other = Texture(skin[::2, ::2], np.full((SIZE // 2, SIZE // 2), 255, np.uint8))
    for textures, quality in (([], np.ones(0)), ([texture], np.ones(2)), ([texture, other], np.ones(2))):
        with pytest.raises(ShapeError, match="of one size and a quality each"):
            merge_textures(textures, quality, toy_face_model)
