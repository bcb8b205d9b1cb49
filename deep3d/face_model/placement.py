"""The 68 landmarks on a face model that comes with few of them or none: taken over from the open face model.

The open model's mean face is laid over the other one by what landmarks there are, then by all of its skin (iterative
closest points, Besl and McKay, 1992); what the known landmarks still differ by moves the unknown ones beside them too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import KDTree

from deep3d.face_model.files import default_face_model

ROUNDS = 20
OVERLAP = 0.8  # of the open model's skin has a counterpart: the other face may end before the ears
FEWEST_KNOWN = 4  # landmarks that say where the face is and how large
REACH = 0.2  # decimetres, how far around a known landmark its difference is believed
NOSE_TIP = 30


def place_landmarks(vertices: np.ndarray, triangles: np.ndarray, known: Mapping[int, int]) -> np.ndarray:
    """(68,) vertices of a mean face (V, 3), decimetres, y up, facing +z; `known` gives those of some landmarks."""
    used = np.unique(triangles)
    surface = vertices[used]
    tree = KDTree(surface)
    open_model = default_face_model()
    points = open_model.landmarks(open_model.mean_shape[None])[0]
    skin = open_model.mean_shape[open_model.skin > 0.5]
    numbers = np.array([*known], int)
    anchors = vertices[[*known.values()]]
    if len(known) >= FEWEST_KNOWN:
        motion = _similarity(points[numbers], anchors)
    else:
        motion = _Motion(np.eye(3), surface[surface[:, 2].argmax()] - points[NOSE_TIP])
    for _ in range(ROUNDS):
        distance, nearest = map(np.asarray, tree.query(motion(skin)))
        near = distance <= np.quantile(distance, OVERLAP)
        motion = _similarity(skin[near], surface[nearest[near]])
    placed = motion(points)
    if len(known):
        weight = np.exp(-((np.linalg.norm(placed[:, None] - placed[numbers], axis=-1) / REACH) ** 2))
        placed = placed + weight @ (anchors - placed[numbers]) / np.maximum(weight.sum(axis=1, keepdims=True), 1)
    chosen = used[tree.query(placed)[1]]
    chosen[numbers] = [*known.values()]
    return chosen


class _Motion:
    """A scaled rotation and a shift of points."""

    def __init__(self, turn: np.ndarray, shift: np.ndarray) -> None:
        self._turn, self._shift = turn, shift

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return points @ self._turn.T + self._shift


def _similarity(points: np.ndarray, targets: np.ndarray) -> _Motion:
    """The scaled rotation and shift from points (N, 3) to targets (Umeyama, 1991)."""
    middle, target_middle = points.mean(axis=0), targets.mean(axis=0)
    centred, target_centred = points - middle, targets - target_middle
    u, singular, vt = np.linalg.svd(target_centred.T @ centred)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (singular * signs).sum() / (centred**2).sum()
    turn = scale * (u * signs) @ vt
    return _Motion(turn, target_middle - turn @ middle)
