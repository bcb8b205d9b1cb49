import numpy as np
import pytest

from deep3d.hair.shown import usual_colour


def picture(*colours):
    """(40, 40, 3) of stripes of so many colours."""
    rng = np.random.default_rng(0)
    stripes = np.repeat(np.array(colours, float), -(-40 // len(colours)), axis=0)[:40]
    return np.clip(np.tile(stripes, (40, 1, 1)) * rng.uniform(0.9, 1.1, (40, 40, 1)), 0, 255)


def usual(*colours):
    return np.exp(usual_colour(picture(*colours), np.ones((40, 40), np.float32))) - 6


def test_brown_hair_under_a_bluish_gloss_is_brown():
    """Its median was mauve."""
    red, green, blue = usual((40, 26, 16), (60, 40, 26), (95, 80, 84), (110, 98, 104))
    assert red > 1.2 * green > 1.4 * blue


@pytest.mark.parametrize("colour", [(24, 24, 24), (150, 150, 150), (90, 60, 40), (210, 180, 130)])
def test_hair_of_one_colour_keeps_it(colour):
    np.testing.assert_allclose(usual(colour), colour, rtol=0.08, atol=2)


def test_dyed_hair_stays_dyed():
    red, green, blue = usual((160, 60, 170))
    assert min(red, blue) > 2 * green


def test_the_tint_of_the_light_does_not_make_hair_green_or_purple():
    for tinted in ((60, 66, 48), (56, 46, 56)):
        red, green, blue = usual(tinted)
        assert red >= green - 0.5 and green >= blue - 1


def test_little_hair_gives_its_mean():
    sure = np.zeros((40, 40), np.float32)
    sure[:2, :2] = 1
    np.testing.assert_allclose(np.exp(usual_colour(np.full((40, 40, 3), 90.0), sure)) - 6, 90, atol=1)
