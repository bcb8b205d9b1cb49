"""Gaussian blur: the same as scipy's, in one channel and in several."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from deep3d.texture.blur import blur_radius, gaussian


@pytest.mark.parametrize("deviation", [0.7, 2.0, 9.5])
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3), (7, 5, 4)])
def test_blur_is_that_of_scipy(shape: tuple[int, ...], deviation: float) -> None:
    picture = np.random.default_rng(1).random(shape).astype(np.float32)

    blurred = gaussian(picture, deviation)

    expected = ndimage.gaussian_filter(picture, (deviation, deviation, 0)[: len(shape)])
    assert blurred.dtype == np.float32
    np.testing.assert_allclose(blurred, expected, atol=1e-6)


def test_pixels_beyond_the_radius_have_no_effect() -> None:
    dot = np.zeros((31, 31), np.float32)
    dot[15, 15] = 1

    seen = np.argwhere(gaussian(dot, 1.5) > 0)

    assert np.abs(seen - 15).max() == blur_radius(1.5)
