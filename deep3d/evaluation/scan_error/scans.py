"""Scan-to-mesh error of predicted face meshes, in millimetres.

A similarity transform takes the predicted mesh to the scan: first by least squares on the 51 inner landmarks, then by
25 rounds of ICP from every fourth scan point to 120,000 points sampled on the mesh, the worst 5% of pairs left out of
each fit. The error of a scan point is its distance, along the mesh normal, to the nearest sampled point. The
figures are the median over heads of the median error, and the mean over heads of the mean error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from deep3d.datasets.frozen import HeadSet
from deep3d.errors import DatasetError, ShapeError
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Groups, Measurement, PredictedMesh, Progress
from deep3d.evaluation.scan_error.registration import Similarity, Surface, register
from deep3d.evaluation.skin_tone import group_by_skin_tone
from deep3d.landmarks import INNER

KEPT = 0.95  # share of the pairs that each fit uses
SCAN_STRIDE = 4  # every fourth scan point is measured
ICP_POINTS = 5000  # of the face in a dense scan, for the alignment; all points are measured
FEWEST_POINTS = 100  # of the face in a dense scan
COLUMNS = (("median", "median"), ("median", "p90"), ("mean", "mean"), ("mean", "p90"))

ScanDistances = Callable[[PredictedMesh, int], np.ndarray]
"""Errors (S,) in millimetres of the scan points of the photo with that number."""


def head_benchmark(dataset: HeadSet) -> Benchmark:
    """The frozen heads, also by skin tone."""
    groups = group_by_skin_tone(dataset.photos, dataset.landmarks)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        return evaluate_scans(predictor.predict_meshes(dataset.photos), dataset, groups, progress)

    return Benchmark("heads", "Heads: scan-to-mesh error in millimetres.", COLUMNS, measure, decimals=3)


def evaluate_scans(
    meshes: Iterable[PredictedMesh | None],
    dataset: HeadSet,
    groups: Groups | None = None,
    progress: Progress | None = None,
) -> Measurement:
    """Compare the mesh predicted for each photo with the scans of a head set.

    Raises: ShapeError if a prediction does not have the documented shapes.
    """

    def distances(mesh: PredictedMesh, row: int) -> np.ndarray:
        scan = dataset.scans[row]
        return scan_to_mesh(mesh, scan[::SCAN_STRIDE], scan[dataset.scan_landmarks])

    return measure_scans(meshes, dataset.photos, distances, groups, progress)


def measure_scans(
    meshes: Iterable[PredictedMesh | None],
    photos: Sequence[Path],
    distances: ScanDistances,
    groups: Groups | None = None,
    progress: Progress | None = None,
) -> Measurement:
    """Median, mean and root mean square of the distances of each photo's scan, and of all points together."""
    errors = {name: np.full(len(photos), np.nan) for name in ("median", "mean", "rms")}
    points = [np.empty(0)]
    for row, (mesh, _) in enumerate(zip(meshes, photos, strict=True)):
        if mesh is not None:
            found = distances(mesh, row)
            points.append(found)
            errors["median"][row], errors["mean"][row] = np.median(found), found.mean()
            errors["rms"][row] = np.sqrt((found**2).mean())
        if progress is not None:
            progress(row + 1, len(photos))
    together = np.concatenate(points)
    figures = {"median of all points": np.median, "mean of all points": np.mean, "deviation of all points": np.std}
    return Measurement(
        tuple(photos),
        errors,
        groups or {},
        {name: float(figure(together)) for name, figure in figures.items()} if len(together) else {},
    )


def scan_to_mesh(mesh: PredictedMesh, scan: np.ndarray, scan_landmarks: np.ndarray) -> np.ndarray:
    """Errors (S,) in millimetres of (S, 3) scan points whose inner landmarks are (51, 3).

    Raises: ShapeError if the prediction does not have the documented shapes.
    """
    vertices = checked_vertices(mesh)
    surface = Surface(vertices, mesh.triangles)
    start = Similarity.fit(vertices[mesh.landmark_vertices[INNER]], scan_landmarks)
    return surface.distances(scan, register(surface, scan, start, KEPT))


def register_face(surface: Surface, face: np.ndarray, start: Similarity, kept: float = 1.0) -> Similarity:
    """The placement of a surface on the face cut out of a dense scan, (N, 3) points in millimetres, using some of them.

    Raises: DatasetError if too few points remain.
    """
    if len(face) < FEWEST_POINTS:
        raise DatasetError(
            f"a scan: only {len(face)} points lie near the points picked on it; both must be in millimetres"
        )
    return register(surface, face[:: max(1, len(face) // ICP_POINTS)], start, kept)


def checked_vertices(mesh: PredictedMesh) -> np.ndarray:
    """The vertices (V, 3) in double precision.

    Raises: ShapeError if the mesh does not have the documented shapes.
    """
    vertices = np.asarray(mesh.vertices_mm, np.float64)
    for name, shape in [("vertices", vertices.shape), ("triangles", mesh.triangles.shape)]:
        if len(shape) != 2 or shape[1] != 3:
            raise ShapeError(f"{name} of a predicted mesh: expected shape (N, 3), got {shape}")
    if mesh.landmark_vertices.shape != (68,):
        raise ShapeError(f"landmark vertices: expected shape (68,), got {mesh.landmark_vertices.shape}")
    return vertices
