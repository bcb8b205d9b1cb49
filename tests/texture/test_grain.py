"""Grain of skin: as strong as the photo's, no larger where texels are."""

from __future__ import annotations

import numpy as np
import pytest

from deep3d.texture.grain import SHARE, TAIL, noise, strength
from deep3d.texture.sampling import Picture


def test_noise_is_fainter_and_finer_where_texels_are_large():
    length = np.ones((128, 128), np.float32)
    length[:, 64:] = 3
    grain = noise(length) * np.float32(TAIL / 127)
    usual, large = grain[:, :64], grain[:, 64:]
    assert usual.std() == pytest.approx(1, abs=0.1)
    assert large.std() == pytest.approx(1 / 3, abs=0.05)
    likeness = [np.corrcoef(part[1:].ravel(), part[:-1].ravel())[0, 1] for part in (usual, large)]
    assert likeness[0] > 0.7 > 0.4 > likeness[1]
    np.testing.assert_array_equal(noise(length), noise(length))


@pytest.mark.parametrize("deviation", [0.0, 0.03])
def test_strength_is_that_of_the_photo(deviation):
    """Features are outliers."""
    rng = np.random.default_rng(1)
    photo = 150 * np.exp(deviation * rng.standard_normal((80, 80, 1))) * np.ones(3)
    photo[20:22] = 20
    places = np.stack(np.meshgrid(np.arange(5, 75), np.arange(5, 75)), axis=2).reshape(-1, 2).astype(float)
    picture = Picture.cut(photo.round().astype(np.uint8), 0, 0, 80, 80)
    assert strength(picture, places) == pytest.approx(SHARE * deviation, abs=0.003)
    assert strength(picture, places[:10]) == 0
