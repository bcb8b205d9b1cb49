"""Smooth displacements of the skin beyond the linear model: the strongest functions of a Gaussian process on it.

A Gaussian process morphable model (Luethi et al., 2018): displacements along the smoothed mean normals, with a
covariance that falls with the distance of two points. Both sides of a face are correlated, so a visible side informs
the hidden one. There are none near lids, lips and nostrils, and at the end of the skin.
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.mesh import normalize

FUNCTIONS = 60  # kept
NODES = 360  # vertices for which the functions are computed
AMPLITUDE = 0.005  # decimetres, one standard deviation: about what scans show against linear models
REACH = 0.16  # decimetres that a displacement reaches
SYMMETRY = 0.5  # correlation of both sides
SMOOTHINGS = 12  # of the normals that displacements follow, each over the neighbouring triangles
STILL, MARGIN = 0.04, 0.08
"""Decimetres from openings and the skin's end: nothing moves within the first, because the thin triangles of lids and
lips would fold; displacements fade within the second."""


def free_displacements(model: FaceModel) -> np.ndarray:
    """(V, 3, M) float32 decimetres for one standard deviation each, most important first; zero off the skin."""
    fade = _fade(model)
    skin = np.flatnonzero(fade > 0)
    points = model.mean_shape[skin].astype(np.float64)
    nodes = _spread(points, min(NODES, len(points)))
    covariance = _covariance(points, points[nodes])
    values, vectors = np.linalg.eigh(covariance[nodes])
    strongest = np.argsort(values)[::-1][: min(FUNCTIONS, len(nodes))]
    functions = covariance @ (vectors[:, strongest] / np.sqrt(np.maximum(values[strongest], 1e-9)))  # Nystroem's
    normals = _smooth_normals(model)[skin]
    directions = np.zeros((len(model.mean_shape), 3, len(strongest)), np.float32)
    directions[skin] = normals[:, :, None] * (AMPLITUDE * fade[skin, None] * functions)[:, None]
    return directions


def _smooth_normals(model: FaceModel) -> np.ndarray:
    """Unit normals (V, 3) of the smoothed mean face, along which neighbours do not collide."""
    normals = model.normals(model.mean_shape[None])[0].astype(np.float64)
    for _ in range(SMOOTHINGS):
        total = np.zeros_like(normals)
        for corner in range(3):
            np.add.at(total, model.triangles[:, corner], normals[model.triangles].sum(axis=1))
        normals = normalize(total)
    return normals


def _covariance(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Covariance (N, M) of the sum of a field without symmetry and a symmetric one."""
    return _near(points, others) + SYMMETRY * _near(points, others * [-1, 1, 1])


def _near(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    squares = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * points @ others.T
    return np.exp(-0.5 * np.maximum(squares, 0) / REACH**2)


def _fade(model: FaceModel) -> np.ndarray:
    """(V,) from 0 at openings and the skin's end to 1 beyond the margin."""
    skin = model.skin > 0.5
    edge = np.zeros(len(skin), bool)
    mixed = skin[model.triangles].any(axis=1) & ~skin[model.triangles].all(axis=1)
    edge[model.triangles[mixed]] = True
    points = model.mean_shape.astype(np.float64)
    distance = np.full(len(skin), np.inf)
    chosen = np.flatnonzero(skin)
    border = points[edge]
    for start in range(0, len(chosen), 1024):
        part = chosen[start : start + 1024]
        squares = (points[part] ** 2).sum(axis=1)[:, None] + (border**2).sum(axis=1) - 2 * points[part] @ border.T
        distance[part] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    return np.where(skin, np.clip((distance - STILL) / MARGIN, 0, 1), 0)


def _spread(points: np.ndarray, count: int) -> np.ndarray:
    """Numbers (count,) of points that are far from each other (Gonzalez, 1985)."""
    chosen = np.zeros(count, np.int64)
    distance = np.full(len(points), np.inf)
    for number in range(1, count):
        distance = np.minimum(distance, ((points - points[chosen[number - 1]]) ** 2).sum(axis=1))
        chosen[number] = int(np.argmax(distance))
    return chosen
