"""Reduced copies and sub-pixel crops of photos: every new pixel is the mean of evenly spaced samples.

Positions are continuous: the top-left pixel reaches from 0 to 1. A sample between pixels is bilinear.
"""

from __future__ import annotations

import numba
import numpy as np

_MOST_SAMPLES = 4  # along an axis of a new pixel: enough against aliasing, however large the photo is
_LOOSE = {"reassoc", "contract", "nsz"}  # allows reordered sums and fused multiply-add


def reduced(photo: np.ndarray, width: int, height: int) -> np.ndarray:
    """A copy (height, width, 3) uint8 of a whole photo (H, W, 3) uint8."""
    copy = np.empty((height, width, 3), np.uint8)
    box = np.array([0, 0, photo.shape[1], photo.shape[0]], np.float64)
    _resample(photo, box, copy, 0.5)
    return copy


@numba.njit(cache=True, nogil=True)
def crop_into(images, numbers, boxes, rows, crops):
    """Fill the given rows of crops (N, 3, S, S) float32, black beyond the image, from images (B, H, W, 3) uint8.

    `numbers` (M,) is the image of each box (M, 4) of left, top, right, bottom, and `rows` (M,) its crop.
    """
    for k in range(len(rows)):
        _resample(images[numbers[k]], boxes[k], crops[rows[k]].transpose(1, 2, 0), 0.0)


@numba.njit(cache=True, nogil=True, fastmath=_LOOSE)
def _resample(image, box, out, half):
    """Fill (h, w, 3) with the content of the box; `half` turns truncation into rounding."""
    height, width, _ = out.shape
    left, across, in_columns = _taps(box[0], box[2], width, image.shape[1])
    top, down, in_rows = _taps(box[1], box[3], height, image.shape[0])
    start, end = 3 * left[0], 3 * min(left[-1] + across.shape[1], image.shape[1])
    line = np.empty(end - start, np.float32)  # an image's columns, already weighted vertically
    for row in range(height):
        line[:] = 0
        for tap in range(in_rows):
            weight = down[row, tap]
            if weight > 0:
                source = image[top[row] + tap].reshape(-1)[start:end]
                for k in range(len(line)):
                    line[k] += weight * source[k]
        for column in range(width):
            red = green = blue = np.float32(half)
            place = 3 * left[column] - start
            for tap in range(in_columns):
                weight = across[column, tap]
                if weight > 0:
                    red += weight * line[place + 3 * tap]
                    green += weight * line[place + 3 * tap + 1]
                    blue += weight * line[place + 3 * tap + 2]
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = red, green, blue


@numba.njit(cache=True, nogil=True)
def _taps(low, high, size, length):
    """Which pixels of an axis make each of `size` cells between low and high: the first (size,), and weights (size, K).

    Weights are 0 beyond the image; the last result is K.
    """
    cell = max(high - low, 0.0) / size
    samples = min(max(1, int(np.ceil(cell))), _MOST_SAMPLES)
    first = np.empty(size, np.int64)
    weights = np.zeros((size, int(cell) + 3), np.float32)
    for k in range(size):
        for sample in range(samples):
            x = low + (k + (sample + 0.5) / samples) * cell - 0.5
            near = int(min(max(x, 0), length - 1))
            if sample == 0:
                first[k] = near
            if -1 <= x <= length:
                part = np.float32(min(max(x - near, 0.0), 1.0))
                weights[k, near - first[k]] += (1 - part) / samples
                weights[k, min(near + 1, length - 1) - first[k]] += part / samples
    return first, weights, weights.shape[1]
