"""REALY (Chai et al., 2022): four regions of a face, each aligned and measured separately.

Folder as published: `REALY_HIFI3D_keypoints/ID.obj` (85 points, the first 68 in the order of iBUG 300-W),
`REALY_scan_region/ID/REGION.obj`, `metrical_scale.txt` (millimetres of one unit, a line for each scan), and photos
`images/ID.jpg` or `ID_VIEW.jpg`. After a first alignment with scale on seven points, each region is aligned rigidly by
ICP to its scan and to the keypoints of the region. The error is the mean distance of the region's points in
millimetres. The published figures let correspondences slide by a non-rigid fit before they measure and are a little
larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedMesh, Progress
from deep3d.evaluation.published.now import SEVEN
from deep3d.evaluation.scan_error.mesh_files import read_scan
from deep3d.evaluation.scan_error.registration import ROUNDS, Similarity, Surface
from deep3d.evaluation.scan_error.scans import checked_vertices
from deep3d.landmarks import BROWS, EYES, NOSE

KEYPOINTS = {
    "nose": np.r_[NOSE],
    "mouth": np.r_[48:61, 64],
    "forehead": np.r_[EYES, BROWS],
    "cheek": np.r_[48:61, 64, 36, 39:43, 45:48, 7:10],
}
"""By region, the numbers of its keypoints among the 68 landmarks."""
KEYPOINT_SHARE = {"nose": 1.0, "mouth": 1.0, "forehead": 1.0, "cheek": 0.25}
"""Weight of all keypoints of a region together, over that of all its scan points."""
PICTURES = {".jpg", ".jpeg", ".png"}
COLUMNS = (("all", "mean"), *((region, "mean") for region in KEYPOINTS), ("all", "p90"))


@dataclass(frozen=True)
class RealySet:
    """N photos and the scans they belong to."""

    folder: Path
    photos: tuple[Path, ...]  # N
    subjects: tuple[int, ...]  # N, from 1
    millimetres: np.ndarray  # (scans,) of one unit


def realy_benchmark(folder: Path) -> Benchmark:
    """Errors of the four regions and their mean, for frontal and other photos.

    Raises: DatasetError.
    """
    dataset = read_realy(folder)
    frontal = np.array([photo.stem.isdecimal() for photo in dataset.photos])

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        errors = {name: np.full(len(dataset.photos), np.nan) for name in ("all", *KEYPOINTS)}
        for row, mesh in enumerate(predictor.predict_meshes(dataset.photos)):
            if mesh is not None:
                for region, error in region_errors(mesh, folder, dataset.subjects[row]).items():
                    errors[region][row] = error * dataset.millimetres[dataset.subjects[row] - 1]
            if progress is not None:
                progress(row + 1, len(dataset.photos))
        errors["all"] = np.mean([errors[region] for region in KEYPOINTS], axis=0)
        return Measurement(dataset.photos, errors, {"view": {"frontal": frontal, "turned": ~frontal}})

    return Benchmark("realy", "REALY: error of four regions in millimetres.", COLUMNS, measure, decimals=3)


def read_realy(folder: Path) -> RealySet:
    """Find the photos and the scales.

    Raises: DatasetError if something is missing.
    """
    scales = folder / "metrical_scale.txt"
    try:
        millimetres = np.loadtxt(scales, ndmin=1)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{scales}: no scales there ({error}); give the folder of REALY") from error
    photos = tuple(path for path in sorted((folder / "images").glob("*")) if path.suffix.lower() in PICTURES)
    if not photos:
        raise DatasetError(f"{folder / 'images'}: no photos there; put those of REALY into that folder")
    numbers = [photo.stem.split("_")[0] for photo in photos]
    wrong = [photo for photo, n in zip(photos, numbers) if not n.isdecimal() or not 1 <= int(n) <= len(millimetres)]
    if wrong:
        raise DatasetError(f"{wrong[0]}: expected ID.jpg or ID_VIEW.jpg, ID from 1 to {len(millimetres)}; rename it")
    return RealySet(folder, photos, tuple(int(number) for number in numbers), millimetres)


def region_errors(mesh: PredictedMesh, folder: Path, subject: int) -> dict[str, float]:
    """Mean distance of each region's scan points from the mesh, in units of the scan.

    Raises: DatasetError if a scan is missing; ShapeError if the prediction does not have the documented shapes.
    """
    vertices = checked_vertices(mesh)
    keypoint_file = folder / "REALY_HIFI3D_keypoints" / f"{subject}.obj"
    keypoints = read_scan(keypoint_file).vertices[:68]
    if len(keypoints) != 68:
        raise DatasetError(f"{keypoint_file}: expected at least 68 points, got {len(keypoints)}; copy it again")
    own = vertices[mesh.landmark_vertices]
    seven = list(SEVEN)
    placement = Similarity.fit(own[seven], keypoints[seven])
    surface = Surface(placement(vertices), mesh.triangles)  # no scaling from here on
    landmarks = placement(own)
    errors = {}
    for region, rows in KEYPOINTS.items():
        scan = read_scan(folder / "REALY_scan_region" / str(subject) / f"{region}.obj").vertices
        rigid = _register_region(surface, scan, landmarks[rows], keypoints[rows], KEYPOINT_SHARE[region])
        errors[region] = float(surface.distances(scan, rigid).mean())
    return errors


def _register_region(
    surface: Surface, scan: np.ndarray, landmarks: np.ndarray, keypoints: np.ndarray, share: float
) -> Similarity:
    placement = Similarity(1.0, np.eye(3), np.zeros(3))
    weight = np.concatenate([np.ones(len(scan)), np.full(len(keypoints), share * len(scan) / len(keypoints))])
    target = np.concatenate([scan, keypoints])
    for _ in range(ROUNDS):
        _, nearest = surface.nearest(placement.inverse(scan))
        placement = Similarity.fit(np.concatenate([surface.points[nearest], landmarks]), target, weight, scaled=False)
    return placement
