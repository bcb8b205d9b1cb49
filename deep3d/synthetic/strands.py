"""Pixel kernel for what heads wear: strands and cloth with ragged borders, over what is painted already."""

from __future__ import annotations

import numba
import numpy as np

EDGE, ACROSS, ALONG, SECOND = range(4)
"""First columns of a vertex' attributes: decimetres inside the border, texture coordinates, share of the second
colour; then its red, green and blue."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_strands(
    picture, classes, label, behind, triangles, triangle, weights, depth, attributes, shift, second, look, fine, coarse
):
    """Draw the fragments over `picture` (H, W, 3), and their `label` into `classes` (H, W), where they are nearer.

    Pixel p shows the fragment at p + `shift` (H, W, 2), so that outlines are ragged. `look` are the opacity, the
    texture's contrast, the border's raggedness and half width in decimetres, and how strands differ in colour. The
    depth `behind` (H, W) is updated.
    """
    height, width = picture.shape[:2]
    opacity, contrast, ragged, soft, mixed = look
    for row in range(height):
        for column in range(width):
            r = min(max(int(row + shift[row, column, 0] + 0.5), 0), height - 1)
            c = min(max(int(column + shift[row, column, 1] + 0.5), 0), width - 1)
            t = triangle[r, c]
            if t < 0 or not depth[r, c] < behind[row, column]:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a, b = weights[r, c, 0], weights[r, c, 1]
            w = 1 - a - b
            x = a * attributes[i, 1] + b * attributes[j, 1] + w * attributes[k, 1]
            y = a * attributes[i, 2] + b * attributes[j, 2] + w * attributes[k, 2]
            grain, clump = _noise(fine, x, y), _noise(coarse, 0.37 * x, 0.37 * y)
            edge = a * attributes[i, 0] + b * attributes[j, 0] + w * attributes[k, 0]
            inside = (edge + ragged * (0.5 * grain + 0.5 * clump)) / soft
            share = opacity * min(max(0.5 + 0.5 * inside, 0.0), 1.0)
            if share <= 0:
                continue
            factor = max(1 + contrast * (0.7 * grain + 0.5 * clump), 0.05)
            other = a * attributes[i, 3] + b * attributes[j, 3] + w * attributes[k, 3] + mixed * grain
            other = min(max(other, 0.0), 1.0)
            for channel in range(3):
                value = a * attributes[i, 4 + channel] + b * attributes[j, 4 + channel] + w * attributes[k, 4 + channel]
                value = (value + other * value * (second[channel] - 1)) * factor
                picture[row, column, channel] += share * (value - picture[row, column, channel])
            if inside > 0:
                classes[row, column] = label
                behind[row, column] = depth[r, c]


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _noise(field, x, y):
    """A tiled noise field (N, N) at a place, bilinear."""
    size = field.shape[0]
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    x0, y0, x1, y1 = x0 % size, y0 % size, (x0 + 1) % size, (y0 + 1) % size
    above = field[y0, x0] * (1 - fx) + field[y0, x1] * fx
    below = field[y1, x0] * (1 - fx) + field[y1, x1] * fx
    return above * (1 - fy) + below * fy


@numba.njit(cache=True, nogil=True)
def halved(classes):
    """Classes (H / 2, W / 2) of blocks of two by two pixels: the one that most of them have."""
    small = np.empty((classes.shape[0] // 2, classes.shape[1] // 2), classes.dtype)
    for row in range(small.shape[0]):
        for column in range(small.shape[1]):
            a, b = classes[2 * row, 2 * column], classes[2 * row, 2 * column + 1]
            c, d = classes[2 * row + 1, 2 * column], classes[2 * row + 1, 2 * column + 1]
            small[row, column] = b if (b in (c, d) and a not in (c, d)) else (c if c == d and a != b else a)
    return small
