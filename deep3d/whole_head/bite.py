"""Keep teeth behind the lips: a linear model moves each on its own, and in wide smiles one comes through the other."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from deep3d.whole_head.parts import Parts

NEAR = 0.05  # decimetres across, within which skin is in front of a point
NEIGHBOURS = 3  # vertices of the skin whose mean depth counts
MARGIN = 0.02  # decimetres between lips and teeth
FARTHEST = 0.15  # decimetres that an arch is moved back
STRAY = 98  # percentile of what comes through that is kept behind


def behind_lips(points: np.ndarray, skin: np.ndarray, parts: Parts) -> np.ndarray:
    """The parts' points (P, 3), each arch as far back as it has to be; `skin` (V, 3) are the model's vertices."""
    if len(parts.lips) < NEIGHBOURS:
        return points
    lips = skin[parts.lips]
    tree, back = KDTree(lips[:, :2]), points.copy()
    for arch in (1, 2):
        rows = np.flatnonzero(parts.arch == arch)
        distance, place = tree.query(points[rows, :2], NEIGHBOURS, distance_upper_bound=NEAR)
        covered = np.isfinite(np.asarray(distance)).all(axis=1)
        if covered.any():
            before = lips[np.asarray(place)[covered], 2].mean(axis=1)
            through = np.percentile(points[rows[covered], 2] - before + MARGIN, STRAY)
            back[rows, 2] -= np.clip(through, 0, FARTHEST)
    return back
