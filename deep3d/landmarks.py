"""The 68 Multi-PIE landmarks in the order of the iBUG 300-W annotation, and the five alignment points from them."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.errors import ShapeError

Placement = Literal["fixed", "contour", "mediapipe"]
"""Placement of the 68 in a list: fixed points of the 300-W markup (AFLW2000-3D), with the jaw on the visible outline
(300-W, dlib), or MediaPipe's."""
PLACEMENTS: tuple[Placement, ...] = get_args(Placement)

JAW = slice(0, 17)
BROWS = slice(17, 27)
NOSE = slice(27, 36)
EYES = slice(36, 48)
LIPS = slice(48, 68)
INNER_LIPS = slice(60, 68)
INNER = slice(17, 68)
"""The 51 landmarks without the jaw line."""

MIRROR = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),
)
"""The landmark on the other side of the face, of each of the 68; midline landmarks are their own."""


def five_points(landmarks68: Array) -> Array:
    """Five alignment points (..., 5, d) of (..., 68, d) landmarks: the rule of Deep3DFaceRecon.

    Order: eye on the image left, eye on the image right, nose tip, mouth corner image left, mouth corner image right.
    """
    xp = array_namespace(landmarks68)
    left_eye = (landmarks68[..., 36, :] + landmarks68[..., 39, :]) / 2
    right_eye = (landmarks68[..., 42, :] + landmarks68[..., 45, :]) / 2
    return xp.stack(
        [left_eye, right_eye, landmarks68[..., 30, :], landmarks68[..., 48, :], landmarks68[..., 54, :]],
        axis=-2,
    )


def box_size(landmarks68: np.ndarray) -> np.ndarray:
    """Square root of width times height (...) of the tight box round (..., 68, 2) landmarks."""
    return np.sqrt(np.prod(landmarks68.max(axis=-2) - landmarks68.min(axis=-2), axis=-1))


def landmark_errors(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distances (68,) of two (68, 2) landmark sets in percent of the reference's box.

    Raises: ShapeError if a set is not (68, 2).
    """
    for name, points in [("predicted", predicted), ("reference", reference)]:
        if np.shape(points) != (68, 2):
            raise ShapeError(f"{name} landmarks: expected shape (68, 2), got {np.shape(points)}")
    return 100 * np.linalg.norm(predicted - reference, axis=1) / box_size(reference)
