"""The grid over which hair is described: rows of directions from the crown down, then of heights down to the shoulders.

A point of the grid lies on a ray: the upper rows look from the head's middle in directions between the crown and the
horizon, the lower ones look level from the upright axis through it. Columns go round the head; the middle one looks
straight ahead. Along its ray a point of the hair is found by one number, its distance: no hair can pass through itself.
"""

from __future__ import annotations

import numpy as np

COLUMNS = 72
UPPER, LOWER = 28, 24
ROWS = UPPER + LOWER
POINTS = ROWS * COLUMNS
MIDDLE = np.array([0.0, 0.35, -0.45])  # decimetres in model space, between the ears and above them
LOWEST = -2.2  # decimetres in model space, where the longest hair ends
POLE = 89.0  # degrees of elevation of the first row: directions straight up would all be one


def rays() -> tuple[np.ndarray, np.ndarray]:
    """Origins and unit directions (ROWS, COLUMNS, 3) of the grid's points in model space, decimetres."""
    azimuth = azimuths()
    elevation = np.radians(np.concatenate([np.linspace(90, 0, UPPER + 1)[:-1], np.zeros(LOWER)]))
    elevation[0] = np.radians(POLE)
    level, up = np.cos(elevation)[:, None], np.sin(elevation)[:, None]
    parts = level * np.sin(azimuth), np.broadcast_to(up, (ROWS, COLUMNS)), level * np.cos(azimuth)
    origins = np.tile(MIDDLE, (ROWS, COLUMNS, 1))
    origins[UPPER:, :, 1] = np.linspace(MIDDLE[1], LOWEST, LOWER)[:, None]
    return origins, np.stack(parts, axis=-1)


def azimuths() -> np.ndarray:
    """(COLUMNS,) radians to the right of the picture from straight ahead, ascending from -pi."""
    return np.arange(COLUMNS) * (2 * np.pi / COLUMNS) - np.pi


def neighbours() -> np.ndarray:
    """(POINTS, 4) numbers of the points above, below, to the left and to the right; at the ends of columns the own."""
    number = np.arange(POINTS).reshape(ROWS, COLUMNS)
    above = np.concatenate([number[:1], number[:-1]])
    below = np.concatenate([number[1:], number[-1:]])
    sides = np.roll(number, 1, axis=1), np.roll(number, -1, axis=1)
    return np.stack([above, below, *sides], axis=-1).reshape(POINTS, 4)
