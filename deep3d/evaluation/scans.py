"""Scan-to-mesh error of predicted face meshes, in millimetres.

A similarity transform takes the predicted mesh to the scan: first by least squares on the 51 inner landmarks, then by
25 rounds of ICP (Besl and McKay, 1992) from every fourth scan point to 120,000 points sampled on the mesh, the worst 5%
of pairs left out of each fit. The error of a scan point is its distance, along the mesh normal, to the nearest sampled
point. Told are the median over heads of the median error, and the mean over heads of the mean error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from deep3d.errors import ShapeError
from deep3d.evaluation.datasets import HeadSet
from deep3d.evaluation.landmarks import Progress
from deep3d.landmarks import INNER

SAMPLES = 120_000  # points on the mesh
SAMPLING_SEED = 0
ROUNDS = 25  # of ICP
KEPT = 0.95  # share of the pairs that each fit uses
SCAN_STRIDE = 4  # every fourth scan point is measured


@dataclass(frozen=True)
class PredictedMesh:
    """What is predicted for one photo in which a face was found."""

    vertices_mm: np.ndarray  # (V, 3) millimetres, in any pose
    triangles: np.ndarray  # (T, 3) vertex numbers
    landmark_vertices: np.ndarray  # (68,) vertex numbers


MeshPredictor = Callable[[Sequence[Path]], Iterable[PredictedMesh | None]]
"""Gives one result per photo, in order, None where no face is found. Lazy ones let progress be seen."""


@dataclass(frozen=True)
class ScanErrors:
    """Errors of N heads in millimetres, NaN where no face was found."""

    photos: tuple[str, ...]  # N file names
    median: np.ndarray  # (N,) over the scan points of a head
    mean: np.ndarray  # (N,)


@dataclass(frozen=True)
class Similarity:
    """The map x -> scale * rotation @ x + translation."""

    scale: float
    rotation: np.ndarray  # (3, 3)
    translation: np.ndarray  # (3,)

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) that the map takes to `points`."""
        return (points - self.translation) @ self.rotation / self.scale

    @classmethod
    def fit(cls, source: np.ndarray, target: np.ndarray) -> Similarity:
        """The map that takes (N, 3) source points to target points with least squared error (Umeyama, 1991); N >= 3."""
        source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
        centred = source - source_mean
        u, singular, vt = np.linalg.svd((target - target_mean).T @ centred)
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])  # no reflection
        rotation = u * signs @ vt
        scale = float((singular * signs).sum() / (centred**2).sum())
        return cls(scale, rotation, target_mean - scale * rotation @ source_mean)


def evaluate_scans(predict: MeshPredictor, dataset: HeadSet, progress: Progress | None = None) -> ScanErrors:
    """Compare predicted meshes with the scans of a head set.

    Raises: ShapeError if a prediction does not have the documented shapes.
    """
    count = len(dataset.photos)
    errors = np.full((2, count), np.nan)
    for row, (mesh, scan) in enumerate(zip(predict(dataset.photos), dataset.scans, strict=True)):
        if mesh is not None:
            distances = scan_to_mesh(mesh, scan[::SCAN_STRIDE], scan[dataset.scan_landmarks])
            errors[:, row] = np.median(distances), distances.mean()
        if progress is not None:
            progress(row + 1, count)
    return ScanErrors(tuple(photo.name for photo in dataset.photos), *errors)


def scan_to_mesh(mesh: PredictedMesh, scan: np.ndarray, scan_landmarks: np.ndarray) -> np.ndarray:
    """Errors (S,) in millimetres of (S, 3) scan points whose inner landmarks are (51, 3).

    The samples stay in the mesh's own frame and the scan is brought to them, so that one search tree serves all rounds;
    the fits are the same, for the best map from moved points is the best map from the points themselves.

    Raises: ShapeError if the prediction does not have the documented shapes.
    """
    vertices = _checked(mesh)
    points, normals = sample_surface(vertices, mesh.triangles)
    tree = KDTree(points, balanced_tree=False)
    placement = Similarity.fit(vertices[mesh.landmark_vertices[INNER]], scan_landmarks)
    for _ in range(ROUNDS):
        distance, nearest = _nearest(tree, placement.inverse(scan))
        kept = distance < np.quantile(distance, KEPT)
        placement = Similarity.fit(points[nearest[kept]], scan[kept])
    placed = placement.inverse(scan)
    _, nearest = _nearest(tree, placed)
    return placement.scale * np.abs(np.sum((placed - points[nearest]) * normals[nearest], axis=1))


def sample_surface(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points spread uniformly over a surface and the unit normals there, each (120000, 3), always the same ones."""
    generator = np.random.default_rng(SAMPLING_SEED)
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    doubled_area = np.linalg.norm(normals, axis=1)
    chosen = generator.choice(len(triangles), SAMPLES, p=doubled_area / doubled_area.sum())
    weights = generator.random((2, SAMPLES))
    weights = np.where(weights.sum(axis=0) > 1, 1 - weights, weights)[..., None]  # fold the parallelogram in half
    points = a[chosen] + weights[0] * (b - a)[chosen] + weights[1] * (c - a)[chosen]
    return points, normals[chosen] / (doubled_area[chosen, None] + 1e-12)


def _nearest(tree: KDTree, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) to the nearest point of the tree, and its number (N,)."""
    distance, index = tree.query(points)
    return np.asarray(distance), np.asarray(index)


def _checked(mesh: PredictedMesh) -> np.ndarray:
    """The vertices in double precision, once all shapes are as documented."""
    vertices = np.asarray(mesh.vertices_mm, np.float64)
    for name, shape in [("vertices", vertices.shape), ("triangles", mesh.triangles.shape)]:
        if len(shape) != 2 or shape[1] != 3:
            raise ShapeError(f"{name} of a predicted mesh: expected shape (N, 3), got {shape}")
    if mesh.landmark_vertices.shape != (68,):
        raise ShapeError(f"landmark vertices: expected shape (68,), got {mesh.landmark_vertices.shape}")
    return vertices
