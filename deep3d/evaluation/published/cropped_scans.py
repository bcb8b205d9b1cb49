"""MICC Florence and BU-3DFE as the Deep3D paper measures on them (Deng et al., 2019).

The scan is cut to 95 mm round the tip of the nose, aligned with the mesh by ICP with one scale for all axes, and
compared from its points to the planes of the mesh. Both sets hold scans in millimetres that face +z, so the tip of
the nose is their foremost point, unless a `*_nose.pp` file of MeshLab beside the scan has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedMesh, Progress
from deep3d.evaluation.scan_error.mesh_files import read_picked_points, read_scan
from deep3d.evaluation.scan_error.registration import Similarity, Surface
from deep3d.evaluation.scan_error.scans import checked_vertices, measure_scans, register_face

CROP = 95.0  # millimetres round the tip of the nose
NOSE_TIP = 30  # of the 68 landmarks
KEPT = 0.95  # share of the pairs that each fit uses: hair and clothes have no counterpart
PICTURES = {".jpg", ".jpeg", ".png", ".bmp"}
COLUMNS = (("rms", "mean"), ("mean", "mean"), ("median", "median"), ("rms", "p90"))
EXPRESSIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}


@dataclass(frozen=True)
class ScannedPhotos:
    """N photos, each with the scan of its person and the groups it belongs to."""

    photos: tuple[Path, ...]  # N
    scans: tuple[Path, ...]  # N
    labels: dict[str, tuple[str, ...]]  # by criterion: N
    at_rest: bool  # whether the scans are of faces without expression, whatever the photo shows


def florence_benchmark(folder: Path) -> Benchmark:
    """MICC Florence: photos of three situations against the frontal scan at rest.

    Raises: DatasetError.
    """
    return _benchmark("florence", "MICC Florence", read_florence(folder))


def bu3dfe_benchmark(folder: Path) -> Benchmark:
    """BU-3DFE: photos of seven expressions, each against its own scan.

    Raises: DatasetError.
    """
    return _benchmark("bu3dfe", "BU-3DFE", read_bu3dfe(folder))


def read_florence(folder: Path) -> ScannedPhotos:
    """`subject_01/Model/frontal1/obj/*.obj`, and pictures of the videos in a folder for each situation below `Videos`.

    The videos are published as such: `ffmpeg -i VIDEO -vf fps=1 Videos/SITUATION/%04d.jpg` extracts the frames.

    Raises: DatasetError if a subject lacks either.
    """
    rows: list[tuple[Path, Path, str]] = []
    for subject in _subjects(folder, "subject_*"):
        scans = sorted((subject / "Model" / "frontal1" / "obj").glob("*.obj"))
        if not scans:
            raise DatasetError(f"{subject}: no Model/frontal1/obj/*.obj there; copy the data set again")
        photos = [path for path in sorted(subject.glob("Videos/*/*")) if path.suffix.lower() in PICTURES]
        if not photos:
            raise DatasetError(f"{subject}: no pictures in Videos/SITUATION; take the videos apart with ffmpeg")
        rows += [(photo, scans[0], photo.parent.name) for photo in photos]
    photos, scans, situations = zip(*rows)
    return ScannedPhotos(photos, scans, {"situation": situations}, at_rest=True)


def read_bu3dfe(folder: Path) -> ScannedPhotos:
    """`F0001/F0001_HA01WH_F2D.bmp` beside `F0001_HA01WH_F3D.wrl`: expression and its strength, group of origin.

    Raises: DatasetError if a photo has no scan, or there is none.
    """
    photos = tuple(photo for subject in _subjects(folder, "[FM]*") for photo in sorted(subject.glob("*_F2D.bmp")))
    if not photos:
        raise DatasetError(f"{folder}: no F0001/*_F2D.bmp there; give the folder of BU-3DFE")
    scans = tuple(photo.with_name(photo.name.replace("_F2D.bmp", "_F3D.wrl")) for photo in photos)
    missing = [scan for scan in scans if not scan.is_file()]
    if missing:
        raise DatasetError(f"{missing[0]}: scan missing, {len(missing)} in all; copy the data set again")
    codes = [photo.stem.split("_")[1] for photo in photos]
    expressions = tuple(EXPRESSIONS.get(code[:2], code[:2]) for code in codes)
    return ScannedPhotos(
        photos, scans, {"expression": expressions, "origin": tuple(code[4:] for code in codes)}, at_rest=False
    )


def cropped_distances(mesh: PredictedMesh, scan: np.ndarray, nose_tip: np.ndarray) -> np.ndarray:
    """Errors (S,) of those (N, 3) scan points that lie within 95 mm of the tip of the nose (3,), millimetres.

    Raises: ShapeError if the prediction does not have the documented shapes.
    """
    vertices = checked_vertices(mesh)
    face = scan[np.linalg.norm(scan - nose_tip, axis=1) <= CROP]
    surface = Surface(vertices, mesh.triangles)
    start = Similarity(1.0, np.eye(3), nose_tip - vertices[mesh.landmark_vertices[NOSE_TIP]])
    return surface.distances(face, register_face(surface, face, start, KEPT))


def find_nose_tip(path: Path, vertices: np.ndarray) -> np.ndarray:
    """The point (3,) picked for a scan, or the foremost of its (N, 3) vertices.

    Raises: DatasetError if the file of the picked point holds none.
    """
    picked = path.with_name(f"{path.stem}_nose.pp")
    if not picked.is_file():
        return vertices[np.argmax(vertices[:, 2])]
    points = read_picked_points(picked)
    if not len(points):
        raise DatasetError(f"{picked}: no picked point in it; pick the tip of the nose")
    return points[0]


def _benchmark(name: str, title: str, dataset: ScannedPhotos) -> Benchmark:
    groups = {kind: _groups(labels) for kind, labels in dataset.labels.items()}

    def distances(mesh: PredictedMesh, row: int) -> np.ndarray:
        path = dataset.scans[row]
        scan = read_scan(path).vertices
        return cropped_distances(mesh.neutral if dataset.at_rest else mesh, scan, find_nose_tip(path, scan))

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        return measure_scans(predictor.predict_meshes(dataset.photos), dataset.photos, distances, groups, progress)

    caption = f"{title}: point-to-plane error in millimetres, {CROP:.0f} mm round the tip of the nose."
    return Benchmark(name, caption, COLUMNS, measure)


def _subjects(folder: Path, pattern: str) -> Sequence[Path]:
    subjects = [path for path in sorted(folder.glob(pattern)) if path.is_dir()]
    if not subjects:
        raise DatasetError(f"{folder}: no folder {pattern} in it; give the folder of the data set")
    return subjects


def _groups(labels: Sequence[str]) -> dict[str, np.ndarray]:
    each = np.array(labels)
    return {label: each == label for label in dict.fromkeys(labels)}
