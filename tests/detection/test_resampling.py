"""Reduced copies and crops between pixels."""

import numpy as np
import pytest

from deep3d.detection.resampling import crop_into, reduced


def _crop(image: np.ndarray, box: list[float], size: int) -> np.ndarray:
    """(size, size, 3) of one box."""
    crops = np.full((2, 3, size, size), np.nan, np.float32)
    crop_into(image[None], np.zeros(1, np.int64), np.array([box], np.float64), np.array([1]), crops)
    assert np.isnan(crops[0]).all()  # the other rows are somebody else's
    return crops[1].transpose(1, 2, 0)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_whole_factors_give_the_means_of_blocks(factor: int):
    photo = np.random.default_rng(factor).integers(0, 256, (12 * factor, 20 * factor, 3), np.uint8)
    means = photo.reshape(12, factor, 20, factor, 3).mean(axis=(1, 3))
    assert np.abs(reduced(photo, 20, 12) - means).max() <= 0.501


def test_a_huge_photo_is_seen_evenly():
    """Stripes narrower than a new pixel leave their mean, a slope its course."""
    photo = np.zeros((700, 1900, 3), np.uint8)
    photo[:, ::2, 0] = 200
    photo[..., 1] = np.linspace(0, 250, 700)[:, None]
    copy = reduced(photo, 38, 14).astype(float)
    assert np.abs(copy[..., 0] - 100).max() <= 1
    middles = np.interp((np.arange(14) + 0.5) * 50 - 0.5, np.arange(700), photo[:, 0, 1])
    assert np.abs(copy[..., 1] - middles[:, None]).max() <= 1.5


def test_crops_lie_between_pixels():
    y, x = np.mgrid[:60, :90]
    image = np.stack([2 * x, 3 * y, x + y], axis=2).astype(np.uint8)
    for left, top, side, size in ((10.3, 5.7, 40.0, 24), (20.25, 30.5, 9.0, 48)):
        crop = _crop(image, [left, top, left + side, top + side], size)
        middle = (np.arange(size) + 0.5) * side / size - 0.5
        expected_x, expected_y = np.meshgrid(left + middle, top + middle)
        expected = np.stack([2 * expected_x, 3 * expected_y, expected_x + expected_y], axis=2)
        np.testing.assert_allclose(crop, expected, atol=1e-3)


def test_crops_are_black_beyond_the_image():
    image = np.full((30, 40, 3), 90, np.uint8)
    crop = _crop(image, [-10.0, -20.0, 30.0, 20.0], 40)
    assert (crop[21:, 11:] > 89.99).all()
    assert (crop[:19] == 0).all()
    assert (crop[:, :9] == 0).all()
    assert (_crop(image, [100.0, 100.0, 130.0, 130.0], 24) == 0).all()
