"""Morphology of masks: distances, connected pieces, growing and shrinking, blurring (scipy, typed)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from deep3d.hair.grid import COLUMNS
from deep3d.texture.view import distance_to


def distance(mask: np.ndarray) -> np.ndarray:
    """Pixels (h, w) from each pixel of a mask to the nearest one outside of it, 0 outside; to a twelfth (chamfer)."""
    return distance_to(~mask)


def pieces(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """The number, from 1, of the piece that each pixel of a mask belongs to, 0 outside, and how many there are."""
    found: Any = ndimage.label(mask)
    return found


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask and all within so many steps across and down."""
    return np.asarray(ndimage.binary_dilation(mask, iterations=pixels), np.bool_)


def shrunk(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask without all within so many steps of its border."""
    return np.asarray(ndimage.binary_erosion(mask, iterations=pixels), np.bool_)


def square_in(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the largest square within a mask that has a middle pixel."""
    inside: Any = ndimage.distance_transform_cdt(np.pad(mask, 1), "chessboard")
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    reach = int(inside[row, column]) - 1
    return slice(int(row) - 1 - reach, int(row) + reach), slice(int(column) - 1 - reach, int(column) + reach)


def blurred_round(values: np.ndarray, points: float) -> np.ndarray:
    """A grid whose columns go round the head, blurred."""
    sides: Any = ("nearest", "wrap")
    return np.asarray(ndimage.gaussian_filter(values, points, mode=sides))


def widened(values: np.ndarray) -> np.ndarray:
    """The greatest of values (POINTS,) at each point of the grid and the eight round it."""
    sides: Any = ("nearest", "wrap")
    return np.asarray(ndimage.maximum_filter(values.reshape(-1, COLUMNS), 3, mode=sides)).reshape(values.shape)
