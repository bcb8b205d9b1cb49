"""Images drawn smaller than they are: the mean of what a pixel covers, where one sample of it would be a dot."""

from __future__ import annotations

import numba
import numpy as np

from deep3d.arrays import Array
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.kernels import sample_into

MOST = 8  # samples of a pixel along each of its sides
FARTHEST = 16.0  # texels from pixel to pixel: what is farther apart lies on another part of the mesh


class FilteringRasterizer(CpuRasterizer):
    """A `CpuRasterizer`, for numpy arrays, that filters images where their texels are finer than pixels."""

    def texture(self, image: Array, uv: Array) -> Array:
        """Mean colours of an image (B, h, w, C) over the pixels that have UVs (B, H, W, 2)."""
        out = np.empty((*uv.shape[:3], image.shape[3]), np.float32)
        for b in range(len(out)):
            sample_into(image[b], uv[b], out[b])
            _average_into(image[b], uv[b], out[b])
        return out


@numba.njit(cache=True, nogil=True)
def _average_into(image, uv, out):
    """Replace those colours (H, W, C) whose pixels cover several texels, by the mean of as many samples of them."""
    height, width, channels = image.shape
    size, one = np.array([width, height], np.float32), np.ones((1, 1, 2), np.float32)
    colour, total = np.empty((1, 1, channels), np.float32), np.empty(channels, np.float32)
    for row in range(uv.shape[0]):
        for column in range(uv.shape[1]):
            across, down = _step(uv, row, column, 0, 1), _step(uv, row, column, 1, 0)
            n = _samples(across, size)
            m = _samples(down, size)
            if n * m == 1:
                continue
            total[:] = 0
            for i in range(n * m):
                x, y = np.float32((i % n + 0.5) / n - 0.5), np.float32((i // n + 0.5) / m - 0.5)
                for k in range(2):
                    one[0, 0, k] = uv[row, column, k] + x * across[k] + y * down[k]
                sample_into(image, one, colour)
                total += colour[0, 0]
            out[row, column] = total / np.float32(n * m)


@numba.njit(cache=True, nogil=True, inline="always")
def _samples(step, size):
    """How many texels a step of UVs passes, from 1 to `MOST`."""
    texels = np.hypot(step[0] * size[0], step[1] * size[1])
    return min(max(int(np.ceil(texels - 0.25)), 1), MOST) if texels < FARTHEST else 1


@numba.njit(cache=True, nogil=True, inline="always")
def _step(uv, row, column, down, across):
    """The change of UVs from pixel to pixel: the smaller one of the two sides, since the other may be elsewhere."""
    best, far = (np.float32(0), np.float32(0)), np.float32(np.inf)
    for way in (-1, 1):
        y, x = row + way * down, column + way * across
        if 0 <= y < uv.shape[0] and 0 <= x < uv.shape[1]:
            u, v = way * (uv[y, x, 0] - uv[row, column, 0]), way * (uv[y, x, 1] - uv[row, column, 1])
            if u * u + v * v < far:
                best, far = (np.float32(u), np.float32(v)), u * u + v * v
    return best
