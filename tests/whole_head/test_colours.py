import numpy as np
import pytest

from deep3d.whole_head.colours import DARKEST, GREY, USUAL, commonest

SKIN, SHIRT, JACKET = (200, 150, 120), (230, 230, 235), (40, 45, 80)
LEVEL = float(np.array(SKIN) @ GREY)


def seen(colours, clothes, skin):
    return USUAL.with_shirt(colours, clothes, skin, 64, LEVEL).shirt


@pytest.fixture
def picture():
    """A face, a white collar below it, and a jacket; masks of clothes and skin as the network gives them."""
    colours = np.zeros((100, 80, 3), np.float32)
    clothes, skin = np.zeros((100, 80), np.float32), np.zeros((100, 80), np.float32)
    colours[10:50, 20:60], skin[10:50, 20:60] = SKIN, 1
    colours[50:100], clothes[50:100] = JACKET, 0.9
    colours[50:58, 18:62] = SHIRT
    return colours, clothes, skin


def test_a_collar_is_seen_beside_the_skin(picture):
    collar, body = seen(*picture) * LEVEL
    assert np.allclose(collar, SHIRT, atol=1) and np.allclose(body, JACKET, atol=1)


def test_where_no_collar_is_seen_it_is_of_the_same_cloth(picture):
    colours, clothes, skin = picture
    colours[50:58] = JACKET
    collar, body = seen(colours, clothes, skin)
    assert np.allclose(collar, body)


def test_hardly_any_clothes_are_none(picture):
    colours, clothes, skin = picture
    clothes[51:] = 0
    clothes[:, 50:] = 0
    assert USUAL.with_shirt(colours, clothes, skin, 64, LEVEL) is USUAL
    assert USUAL.with_shirt(colours, clothes, 0 * skin, 64, LEVEL) is USUAL


def test_folds_of_a_black_suit_show(picture):
    colours, clothes, skin = picture
    colours[50:] = 0
    assert np.allclose(seen(colours, clothes, skin) @ GREY, DARKEST, atol=1e-3)


def test_a_tie_or_stripes_do_not_mix_with_the_cloth():
    colours = np.concatenate([np.full((70, 3), 30.0), np.full((30, 3), 220.0)])
    colours += np.random.default_rng(0).normal(0, 3, colours.shape)
    assert np.allclose(commonest(colours), 30, atol=2)


LIPS = np.array([[10.0, 20], [30, 12], [50, 20], [30, 28]])


def mouth(between):
    photo = np.full((40, 60, 3), SKIN, np.uint8)
    photo[10:31, 8:53] = between
    return photo


def test_teeth_are_as_bright_as_between_the_lips():
    teeth = USUAL.with_teeth(mouth((240, 230, 215)), LIPS, LEVEL).enamel
    assert teeth is not None and np.allclose(teeth * LEVEL, (240, 230, 215), atol=1)


@pytest.mark.parametrize("between", [(60, 20, 20), (120, 80, 70)])
def test_a_dark_mouth_or_a_tongue_has_no_teeth(between):
    assert USUAL.with_teeth(mouth(between), LIPS, LEVEL) is USUAL


def test_shut_lips_or_lips_outside_the_photo_show_none():
    shut = LIPS * [1, 0] + [0, 20]
    assert USUAL.with_teeth(mouth((240, 230, 215)), shut, LEVEL) is USUAL
    assert USUAL.with_teeth(mouth((240, 230, 215)), LIPS + 100, LEVEL) is USUAL
