"""The NoW challenge (Sanyal et al., 2019): photos of 100 people against a scan of each at rest.

Folder as published: `imagepathsvalidation.txt` with lines SUBJECT/CHALLENGE/PHOTO, the photos in
`NoW_Dataset/final_release_version/iphone_pictures`, `scans/SUBJECT/*.obj` in millimetres, and seven picked points in
`scans_lmks_onlypp/SUBJECT/*.pp`: eye corners from the image left to the right, the base of the nose, mouth corners.
The mesh without expression is aligned with the scan by the seven points and then rigidly with scale. The errors are the
distances of the scan's points in a ball round the middle of the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedMesh, Progress
from deep3d.evaluation.scan_error.mesh_files import read_picked_points, read_scan
from deep3d.evaluation.scan_error.registration import Similarity, Surface
from deep3d.evaluation.scan_error.scans import checked_vertices, measure_scans, register_face

LIST = "imagepathsvalidation.txt"
PHOTOS = Path("NoW_Dataset/final_release_version/iphone_pictures")
SEVEN = (36, 39, 42, 45, 33, 48, 54)
"""The seven points among the 68 landmarks."""
COLUMNS = (("median", "median"), ("mean", "mean"), ("mean", "p90"))


@dataclass(frozen=True)
class NowSet:
    """N photos, each with the scan of its person."""

    photos: tuple[Path, ...]  # N
    scans: tuple[Path, ...]  # N
    points: tuple[Path, ...]  # N
    challenges: tuple[str, ...]  # N


def now_benchmark(folder: Path) -> Benchmark:
    """Scan-to-mesh error on the photos of the NoW validation list, by challenge.

    Raises: DatasetError.
    """
    dataset = read_now(folder)
    challenges = np.array(dataset.challenges)
    groups = {"challenge": {name: challenges == name for name in dict.fromkeys(dataset.challenges)}}

    def distances(mesh: PredictedMesh, row: int) -> np.ndarray:
        return now_distances(mesh.neutral, read_scan(dataset.scans[row]).vertices, _seven(dataset.points[row]))

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        return measure_scans(predictor.predict_meshes(dataset.photos), dataset.photos, distances, groups, progress)

    return Benchmark("now", "NoW: scan-to-mesh error in millimetres.", COLUMNS, measure, decimals=3)


def read_now(folder: Path) -> NowSet:
    """Find photos, scans and picked points of the validation list.

    Raises: DatasetError if something is missing.
    """
    list_file = folder / LIST
    if not list_file.is_file():
        raise DatasetError(f"{list_file}: no such file; give the folder of the NoW data set")
    lines = [Path(line.strip()) for line in list_file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines or any(len(line.parts) < 3 for line in lines):
        raise DatasetError(f"{list_file}: expected lines SUBJECT/CHALLENGE/PHOTO; copy the data set again")
    photos = tuple(folder / PHOTOS / line for line in lines)
    missing = [photo for photo in photos if not photo.is_file()]
    if missing:
        raise DatasetError(f"{missing[0]}: photo missing, {len(missing)} in all; copy the data set again")
    subjects = [line.parts[-3] for line in lines]
    return NowSet(
        photos,
        tuple(_only(folder / "scans" / subject, "*.obj", "*.ply") for subject in subjects),
        tuple(_only(folder / "scans_lmks_onlypp" / subject, "*.pp") for subject in subjects),
        tuple(line.parts[-2] for line in lines),
    )


def now_distances(mesh: PredictedMesh, scan: np.ndarray, seven: np.ndarray) -> np.ndarray:
    """Errors (S,) of those (N, 3) scan points that lie in the face, whose seven points are (7, 3); millimetres.

    Raises: ShapeError if the prediction does not have the documented shapes.
    """
    vertices = checked_vertices(mesh)
    bridge, base = (seven[1] + seven[2]) / 2, seven[4]
    radius = 1.4 * (np.linalg.norm(seven[0] - seven[3]) + np.linalg.norm(bridge - base)) / 2
    face = scan[np.linalg.norm(scan - (base + 0.3 * (bridge - base)), axis=1) <= radius]
    surface = Surface(vertices, mesh.triangles)
    start = Similarity.fit(vertices[mesh.landmark_vertices[list(SEVEN)]], seven)
    return surface.distances(face, register_face(surface, face, start))


def _seven(path: Path) -> np.ndarray:
    points = read_picked_points(path)
    if points.shape != (7, 3):
        raise DatasetError(f"{path}: expected seven picked points, got {len(points)}; copy the data set again")
    return points


def _only(folder: Path, *patterns: str) -> Path:
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if not found:
        raise DatasetError(f"{folder}: no {patterns[0]} file there; copy the data set again")
    return found[0]
