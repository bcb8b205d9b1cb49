"""Images whose texels are finer than pixels."""

import numpy as np

from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.filtering import FilteringRasterizer


def places(size, texels):
    """(1, size, size, 2) UVs that go `texels` texels of 256 from pixel to pixel."""
    line = (np.arange(size, dtype=np.float32) + 0.5) * texels / 256
    return np.stack(np.meshgrid(line, 1 - line), axis=-1)[None]


def test_fine_strands_become_their_mean():
    """One sample of each pixel takes either a strand or what is between strands: a row of dots."""
    strands = np.tile(np.array([0, 255], np.float32), (256, 128))[None, ..., None]
    sampled, filtered = (kind().texture(strands, places(32, 5.5)) for kind in (CpuRasterizer, FilteringRasterizer))
    assert np.abs(sampled - 127.5).mean() > 60
    assert np.abs(filtered - 127.5).max() < 30


def test_large_texels_are_as_they_were():
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (1, 256, 256, 4)).astype(np.float32)
    assert np.array_equal(
        FilteringRasterizer().texture(image, places(32, 0.7)), CpuRasterizer().texture(image, places(32, 0.7))
    )


def test_pixels_of_another_part_are_not_mixed_in():
    image = np.zeros((1, 256, 256, 1), np.float32)
    image[:, :, 128:] = 255
    uv = np.full((1, 8, 8, 2), 0.25, np.float32)
    uv[:, 4, 4] = 0.75  # alone: none of its neighbours says how much of the image it covers
    assert set(np.unique(FilteringRasterizer().texture(image, uv))) == {0, 255}
