"""Sampling colours from a part of a photo, reduced by a whole number if its resolution is higher than needed."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True)
class Picture:
    """A rectangle of a photo, each of its pixels the mean of step x step photo pixels."""

    pixels: np.ndarray  # (h, w, 3) uint8
    origin: np.ndarray  # (2,) photo pixel (x, y) at the centre of its first pixel
    step: int

    @classmethod
    def cut(cls, photo: np.ndarray, left: int, top: int, right: int, bottom: int) -> Picture:
        """Columns left to right and rows top to bottom of an (H, W, 3) uint8 photo, ends not included."""
        return cls(photo[top:bottom, left:right], np.array([left, top], np.float64), 1)

    def reduce(self, step: int) -> Picture:
        """The same rectangle with `step` times fewer pixels across."""
        pixels = _box(self.pixels, step) if step > 1 else np.ascontiguousarray(self.pixels)
        return Picture(pixels, self.origin + self.step * (step - 1) / 2, self.step * step)

    def positions(self, photo_pixels: np.ndarray) -> np.ndarray:
        """The positions of (n, 2) photo pixels in this picture."""
        return (photo_pixels - self.origin) / self.step

    def sample(self, photo_pixels: np.ndarray) -> np.ndarray:
        """Colours (n, 3) float32 at (n, 2) photo pixels, bilinear; the border's colours go on outside."""
        return _sample(self.pixels, self.positions(photo_pixels).astype(np.float32))

    def resample(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Colours (h, w, 3) float32 of a grid with photo columns (w,) and rows (h,), as `sample` gives them."""
        columns, rows = ((line - start) / self.step for line, start in zip((across, down), self.origin))
        return resampled(self.pixels, columns, rows)


def resampled(values: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(h, w, C) float32 of values (H, W, C) at columns (w,) and rows (h,), bilinear; the border's go on outside."""
    height, width = values.shape[:2]
    left, top = (np.clip(line, 0, count - 1).astype(np.float32) for line, count in ((across, width), (down, height)))
    return _resampled(np.ascontiguousarray(values).reshape(height, -1), left, top, values.shape[2])


@numba.njit(cache=True, nogil=True, inline="always")
def bilinear(image, x, y):
    """Red, green and blue of a uint8 image at float32 column x, row y; the border's colours go on outside."""
    height, width = image.shape[:2]
    x = min(max(x, np.float32(0)), np.float32(width - 1))
    y = min(max(y, np.float32(0)), np.float32(height - 1))
    column, row = np.uint32(x), np.uint32(y)  # numba checks signed indices for negative values
    right, below = np.uint32(min(column + 1, width - 1)), np.uint32(min(row + 1, height - 1))
    fx, fy = x - np.float32(column), y - np.float32(row)
    one = np.float32(1)
    w00, w01, w10, w11 = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
    red = w00 * image[row, column, 0] + w01 * image[row, right, 0]
    red += w10 * image[below, column, 0] + w11 * image[below, right, 0]
    green = w00 * image[row, column, 1] + w01 * image[row, right, 1]
    green += w10 * image[below, column, 1] + w11 * image[below, right, 1]
    blue = w00 * image[row, column, 2] + w01 * image[row, right, 2]
    blue += w10 * image[below, column, 2] + w11 * image[below, right, 2]
    return red, green, blue


@numba.njit(cache=True, nogil=True)
def _sample(image, positions):
    colours = np.empty((len(positions), 3), np.float32)
    for v in range(len(positions)):
        colours[v] = bilinear(image, positions[v, 0], positions[v, 1])
    return colours


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _resampled(rows, across, down, channels):
    """Rows (H, W C), down, then across: what lies between two rows is worked out along whole rows."""
    last, end = len(rows) - 1, rows.shape[1] // channels - 1
    out = np.empty((len(down), len(across), channels), np.float32)
    line = np.empty(rows.shape[1], np.float32)
    for i in range(len(down)):
        top = int(down[i])
        above, below, share = rows[top], rows[min(top + 1, last)], down[i] - np.float32(top)
        for n in range(len(line)):
            line[n] = above[n] + share * (np.float32(below[n]) - np.float32(above[n]))
        for j in range(len(across)):
            left = int(across[j])
            first, second, part = left * channels, min(left + 1, end) * channels, across[j] - np.float32(left)
            for k in range(channels):
                out[i, j, k] = line[first + k] + part * (line[second + k] - line[first + k])
    return out


@numba.njit(cache=True, nogil=True)
def _box(image, step):
    """Mean of step x step pixels; the last row and column take what is left."""
    height, width = (image.shape[0] + step - 1) // step, (image.shape[1] + step - 1) // step
    small = np.empty((height, width, 3), np.uint8)
    line = np.empty((width, 3), np.int64)
    for row in range(height):
        line[:] = 0
        rows = min(step, image.shape[0] - row * step)
        for y in range(row * step, row * step + rows):
            for column in range(width):
                for x in range(column * step, min(column * step + step, image.shape[1])):
                    for channel in range(3):
                        line[column, channel] += image[y, x, channel]
        for column in range(width):
            count = rows * min(step, image.shape[1] - column * step)
            for channel in range(3):
                small[row, column, channel] = (line[column, channel] + count // 2) // count
    return small
