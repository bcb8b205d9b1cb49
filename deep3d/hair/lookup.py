"""Values of grids, noises and masks between their points, and where a texel of the disk lies, for compiled loops."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, inline="always")
def place_in_grid(i, j, size, rows_of):
    """Row of the grid, and turns round the head, of the texel in row `i` and column `j` of a disk.

    `rows_of`: radius of the first row in the disk, and distance between rows.
    """
    half = np.float32(size) / np.float32(2)
    x, y = (np.float32(j + 0.5) - half) / half, (half - np.float32(i + 0.5)) / half  # v runs up
    radius = np.sqrt(x * x + y * y) / np.float32(2 * 0.49)
    azimuth = np.arctan2(-x, y) * np.float32(1 / (2 * np.pi))  # 0 where the first column is
    return (radius - rows_of[0]) / rows_of[1], azimuth if azimuth >= 0 else azimuth + np.float32(1)


@numba.njit(cache=True, nogil=True, inline="always")
def share_at(point, core, to_core, low, high):
    """How far the photo shows hair at a point of the grid."""
    column, row = point[0] * to_core[0] + to_core[1], point[1] * to_core[0] + to_core[2]
    return point[2] * step_between(value_at(core, column, row), low, high)


@numba.njit(cache=True, nogil=True, inline="always")
def limited(colour):
    """A colour within 0..255."""
    return min(max(colour, np.float32(0)), np.float32(255))


@numba.njit(cache=True, nogil=True, inline="always")
def step_between(x, low, high):
    """From 0 at `low` smoothly to 1 at `high`."""
    t = min(max((x - low) / (high - low), np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


@numba.njit(cache=True, nogil=True, inline="always")
def grid_at(grid, row, column, out):
    """The first attributes of a grid between its points, as many as there is room for."""
    top, below, fy = between(row, grid.shape[0])
    left, right, fx = round_the_head(column, grid.shape[1])
    one = np.float32(1)
    for k in range(len(out)):
        above = grid[top, left, k] + fx * (grid[top, right, k] - grid[top, left, k])
        under = grid[below, left, k] + fx * (grid[below, right, k] - grid[below, left, k])
        out[k] = (one - fy) * above + fy * under


@numba.njit(cache=True, nogil=True, inline="always")
def noise_at(noise, row, column):
    """The value of a noise that goes round the head."""
    top, below, fy = between(row, noise.shape[0])
    left, right, fx = round_the_head(column, noise.shape[1])
    above = noise[top, left] + fx * (noise[top, right] - noise[top, left])
    under = noise[below, left] + fx * (noise[below, right] - noise[below, left])
    return above + fy * (under - above)


@numba.njit(cache=True, nogil=True, inline="always")
def between(row, rows):
    """The two rows about one, which ends at the first and last, and the share of the second."""
    row = min(max(row, np.float32(0)), np.float32(rows - 1))
    top = min(np.uint32(row), np.uint32(rows - 2))
    return top, np.uint32(top + 1), row - np.float32(top)


@numba.njit(cache=True, nogil=True, inline="always")
def round_the_head(column, columns):
    """The two columns about one from 0 to `columns`, which is the first again, and the share of the second.

    No remainders: divisions would take half of the time of a picture.
    """
    left = np.uint32(column)
    share = column - np.float32(left)
    left = left if left < columns else np.uint32(left - columns)
    right = np.uint32(left + 1)
    return left, right if right < columns else np.uint32(0), share


@numba.njit(cache=True, nogil=True, inline="always")
def value_at(values, x, y):
    """The value (h, w) at column x, row y; the border's go on outside."""
    height, width = values.shape
    x = min(max(x, np.float32(0)), np.float32(width - 1.001))
    y = min(max(y, np.float32(0)), np.float32(height - 1.001))
    column, row = np.uint32(x), np.uint32(y)  # numba checks signed indices for negative values
    fx, fy = x - np.float32(column), y - np.float32(row)
    above = values[row, column] + fx * (values[row, column + 1] - values[row, column])
    below = values[row + 1, column] + fx * (values[row + 1, column + 1] - values[row + 1, column])
    return above + fy * (below - above)
