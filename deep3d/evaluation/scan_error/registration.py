"""Alignment of scans and meshes, and their distances.

Similarity transforms by least squares (Umeyama, 1991), iterated closest points (Besl and McKay, 1992), and distances
along the normals of a surface sampled so densely that no search within triangles is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

SAMPLES = 120_000  # points on a mesh
SAMPLING_SEED = 0
ROUNDS = 25  # of ICP


@dataclass(frozen=True)
class Similarity:
    """The map x -> scale * rotation @ x + translation."""

    scale: float
    rotation: np.ndarray  # (3, 3)
    translation: np.ndarray  # (3,)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """The images of (N, 3) points."""
        return self.scale * points @ self.rotation.T + self.translation

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """The points (N, 3) whose images are `points`."""
        return (points - self.translation) @ self.rotation / self.scale

    @classmethod
    def fit(
        cls, source: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None, scaled: bool = True
    ) -> Similarity:
        """The least-squares map from (N, 3) source points to target points (Umeyama, 1991); N >= 3.

        `weight` (N,) are the weights of the pairs; without `scaled` the map is rigid.
        """
        share = np.full(len(source), 1 / len(source)) if weight is None else weight / weight.sum()
        source_mean, target_mean = share @ source, share @ target
        centred = source - source_mean
        u, singular, vt = np.linalg.svd(((target - target_mean) * share[:, None]).T @ centred)
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])  # no reflection
        rotation = u * signs @ vt
        scale = float((singular * signs).sum() / (share @ centred**2).sum()) if scaled else 1.0
        return cls(scale, rotation, target_mean - scale * rotation @ source_mean)


class Surface:
    """A triangle mesh as a dense set of points with normals."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        self.points, self.normals = sample_surface(vertices, triangles)
        self._tree = KDTree(self.points, balanced_tree=False)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance (N,) from (N, 3) points to the nearest sample, and its number (N,)."""
        distance, index = self._tree.query(points)
        return np.asarray(distance), np.asarray(index)

    def distances(self, points: np.ndarray, placement: Similarity) -> np.ndarray:
        """Distances (N,) of (N, 3) points from the placed surface, along its normals."""
        own = placement.inverse(points)
        _, nearest = self.nearest(own)
        return placement.scale * np.abs(np.sum((own - self.points[nearest]) * self.normals[nearest], axis=1))


def register(surface: Surface, scan: np.ndarray, start: Similarity, kept: float = 1.0) -> Similarity:
    """The placement of a surface on (N, 3) scan points by ICP; each round leaves out the worst pairs.

    The samples stay in the mesh's frame and the scan moves, so that one search tree serves all rounds. The fits are
    the same: the best map from moved points is the best map from the points themselves.
    """
    placement = start
    for _ in range(ROUNDS):
        distance, nearest = surface.nearest(placement.inverse(scan))
        used = distance <= np.quantile(distance, kept)
        placement = Similarity.fit(surface.points[nearest[used]], scan[used])
    return placement


def sample_surface(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points spread uniformly over a surface and their unit normals, each (120000, 3), the same at every call."""
    generator = np.random.default_rng(SAMPLING_SEED)
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    doubled_area = np.linalg.norm(normals, axis=1)
    chosen = generator.choice(len(triangles), SAMPLES, p=doubled_area / doubled_area.sum())
    weights = generator.random((2, SAMPLES))
    weights = np.where(weights.sum(axis=0) > 1, 1 - weights, weights)[..., None]  # fold the parallelogram in half
    points = a[chosen] + weights[0] * (b - a)[chosen] + weights[1] * (c - a)[chosen]
    return points, normals[chosen] / (doubled_area[chosen, None] + 1e-12)
