"""Which pixels near the outline of a mesh show what lies behind the head: geodesic segmentation (Bai and Sapiro, 2007).

A fitted mesh never ends exactly where the head ends in the photo. Every pixel in doubt goes to the side, head or
background, that it reaches with the least change of colour on the way.
"""

from __future__ import annotations

import numba
import numpy as np

CORE = 0.9  # decimetres inside the outline from which a pixel surely shows the head: crowns are guessed
FRONT = 0.15  # likewise for facial skin that faces the camera: it is fitted better than the scalp
FRONT_COSINE = 0.8
OUTSIDE = 0.5  # decimetres outside the outline from which a pixel surely does not show the head
OUTSIDE_AT_BORDER = 0.25  # likewise at the border of the picture, for there may be nothing farther away
STEP_COST = 0.5  # of 255: a step without a change of colour
RELUCTANCE = 2.5  # times dearer for the background: hair must not be lost, even against a wall of much its colour
ROUNDS = 2


def background(colours: np.ndarray, front: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pixels of an (h, w, 3) picture that show the background.

    `front` (h, w) is the cosine of the angle between the normal of facial skin and the viewing direction, 0 elsewhere;
    `inside` and `outside` (h, w) are distances from the mesh's outline in decimetres, 0 on its other side.
    """
    head = (inside > CORE) | ((inside > FRONT) & (front > FRONT_COSINE))
    far = np.full(outside.shape, OUTSIDE, np.float32)
    far[[0, -1]] = far[:, [0, -1]] = OUTSIDE_AT_BORDER
    label = np.where(head, 1, np.where(outside > far, 2, 0)).astype(np.uint8)
    cost = np.where(label > 0, 0, np.inf).astype(np.float32)
    _grow(colours.astype(np.float32), label, cost)
    return label == 2


@numba.njit(cache=True, nogil=True)
def _grow(colours, label, cost):
    """Give each pixel the label of the seed with the cheapest path to it, by raster sweeps in both directions."""
    height, width = label.shape
    for sweep in range(2 * ROUNDS):
        step = 1 - 2 * (sweep % 2)
        for i in range(height):
            row = i if step > 0 else height - 1 - i
            for j in range(width):
                column = j if step > 0 else width - 1 - j
                if cost[row, column] == 0:  # a seed
                    continue
                for dr, dc in ((-step, -step), (-step, 0), (-step, step), (0, -step)):
                    y, x = row + dr, column + dc
                    if 0 <= y < height and 0 <= x < width and cost[y, x] < cost[row, column]:
                        change = np.float32(0)
                        for channel in range(3):
                            change += abs(colours[row, column, channel] - colours[y, x, channel])
                        length = np.float32(1.4 if dr != 0 and dc != 0 else 1.0)
                        dearness = np.float32(RELUCTANCE if label[y, x] == 2 else 1.0)
                        path = cost[y, x] + dearness * (change + length * np.float32(STEP_COST))
                        if path < cost[row, column]:
                            cost[row, column] = path
                            label[row, column] = label[y, x]
