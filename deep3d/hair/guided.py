"""Guided filtering (He, Sun and Tang, 2010): a mask takes over the edges of the picture that it belongs to."""

from __future__ import annotations

import numba
import numpy as np


class Guide:
    """A picture (h, w, 3) in [0, 1] by which masks are filtered: what does not depend on them is worked out once."""

    def __init__(self, picture: np.ndarray, radius: int, smoothness: float) -> None:
        self._picture, self._radius = np.ascontiguousarray(picture, np.float32), radius
        moments = _boxes(_products(self._picture), radius)
        self._mean, self._inverse = moments[..., :3], _inverses(moments, np.float32(smoothness))

    def __call__(self, mask: np.ndarray) -> np.ndarray:
        """A mask (h, w) as a locally linear function of the picture."""
        shared = _boxes(_weighted(self._picture, np.ascontiguousarray(mask, np.float32)), self._radius)
        lines = _boxes(_lines(shared, self._mean, self._inverse), self._radius)
        return np.clip(np.einsum("hwc,hwc->hw", lines[..., :3], self._picture) + lines[..., 3], 0, 1)


@numba.njit(cache=True, nogil=True)
def _products(picture):
    """(h, w, 9) the channels, and the products of any two of them."""
    height, width = picture.shape[:2]
    out = np.empty((height, width, 9), np.float32)
    for row in range(height):
        for column in range(width):
            r, g, b = picture[row, column]
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = r, g, b
            out[row, column, 3], out[row, column, 4], out[row, column, 5] = r * r, r * g, r * b
            out[row, column, 6], out[row, column, 7], out[row, column, 8] = g * g, g * b, b * b
    return out


@numba.njit(cache=True, nogil=True)
def _weighted(picture, mask):
    """(h, w, 4) the channels times the mask, and the mask."""
    out = np.empty((*mask.shape, 4), np.float32)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            value = mask[row, column]
            for k in range(3):
                out[row, column, k] = picture[row, column, k] * value
            out[row, column, 3] = value
    return out


@numba.njit(cache=True, nogil=True)
def _inverses(moments, smoothness):
    """(h, w, 6) the upper halves of the inverse covariances of colours, with `smoothness` on their diagonals."""
    height, width = moments.shape[:2]
    out = np.empty((height, width, 6), np.float32)
    for row in range(height):
        for column in range(width):
            m = moments[row, column]
            rr, rg, rb = m[3] - m[0] * m[0] + smoothness, m[4] - m[0] * m[1], m[5] - m[0] * m[2]
            gg, gb, bb = m[6] - m[1] * m[1] + smoothness, m[7] - m[1] * m[2], m[8] - m[2] * m[2] + smoothness
            first, second, third = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
            scale = 1 / (rr * first + rg * second + rb * third)
            inverse = out[row, column]
            inverse[0], inverse[1], inverse[2] = first * scale, second * scale, third * scale
            inverse[3], inverse[4] = (rr * bb - rb * rb) * scale, (rg * rb - rr * gb) * scale
            inverse[5] = (rr * gg - rg * rg) * scale
    return out


@numba.njit(cache=True, nogil=True)
def _lines(shared, mean, inverse):
    """(h, w, 4) slopes and offset of the line that fits the mask best around each pixel."""
    height, width = mean.shape[:2]
    out = np.empty((height, width, 4), np.float32)
    for row in range(height):
        for column in range(width):
            r, g, b = mean[row, column]
            level, i = shared[row, column, 3], inverse[row, column]
            x, y = shared[row, column, 0] - r * level, shared[row, column, 1] - g * level
            z = shared[row, column, 2] - b * level
            first, second = i[0] * x + i[1] * y + i[2] * z, i[1] * x + i[3] * y + i[4] * z
            third = i[2] * x + i[4] * y + i[5] * z
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = first, second, third
            out[row, column, 3] = level - first * r - second * g - third * b
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _boxes(values, radius):
    """Means (h, w, C) over squares of 2 radius + 1 pixels, at borders over what the picture has of them.

    Sums along whole rows, which the compiler makes vectors of: running sums take four times as long.
    """
    height, width, channels = values.shape
    rows, out = values.reshape(height, width * channels), np.empty_like(values)
    border = radius * channels
    line = np.zeros(width * channels + 2 * border, np.float32)
    inner = line[border : border + width * channels]
    for row in range(height):
        first, last = max(row - radius, 0), min(row + radius, height - 1)
        inner[:] = 0
        for other in range(first, last + 1):
            source = rows[other]
            for n in range(len(inner)):
                inner[n] += source[n]
        total = out[row].reshape(width * channels)
        total[:] = 0
        for step in range(2 * radius + 1):
            source = line[step * channels : step * channels + width * channels]
            for n in range(len(total)):
                total[n] += source[n]
        for column in range(width):
            columns = min(column + radius, width - 1) - max(column - radius, 0) + 1
            share = np.float32(1 / ((last - first + 1) * columns))
            for k in range(channels):
                out[row, column, k] *= share
    return out
