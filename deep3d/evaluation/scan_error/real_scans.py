"""Pictures of a scanned real head: scan-to-mesh error by light, by view and of all views, relative to the mean face's.

The folder has `scan.npz` (`points_mm` (S, 3) points of the face, `landmarks51_mm` (51, 3) for the first alignment, at
rest, in any pose) and `photos/LIGHT_VIEW.jpg`. The error is that of `scan_error.scans`, with all points of the scan.
The scan has no absolute size, so errors are divided by those of the face model's mean face.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from deep3d.datasets.frozen import read_arrays
from deep3d.errors import DatasetError
from deep3d.evaluation.mean_face import mean_mesh
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Groups, Measurement, PredictedMesh, Progress
from deep3d.evaluation.scan_error.scans import measure_scans, scan_to_mesh
from deep3d.face_model import read_face_model

TOGETHER = "all views of a light"
COLUMNS = (("median", "median"), ("mean", "mean"))


@dataclass(frozen=True)
class ScannedHead:
    """One head in P pictures."""

    photos: tuple[Path, ...]  # P
    points: np.ndarray  # (S, 3) millimetres
    landmarks: np.ndarray  # (51, 3) millimetres

    @property
    def lights(self) -> dict[str, tuple[Path, ...]]:
        """The pictures under each light."""
        names = dict.fromkeys(_light(photo) for photo in self.photos)
        return {name: tuple(photo for photo in self.photos if _light(photo) == name) for name in names}


def read_scanned_head(folder: Path) -> ScannedHead:
    """Read the folder.

    Raises: DatasetError.
    """
    arrays = read_arrays(folder / "scan.npz", ("points_mm", "landmarks51_mm"))
    points, landmarks = (arrays[name].astype(np.float64) for name in ("points_mm", "landmarks51_mm"))
    photos = tuple(sorted((folder / "photos").glob("*_*.jpg")))
    if points.ndim != 2 or points.shape[1] != 3 or landmarks.shape != (51, 3):
        raise DatasetError(
            f"{folder / 'scan.npz'}: points {points.shape} and landmarks {landmarks.shape}; copy it again"
        )
    if not photos:
        raise DatasetError(f"{folder / 'photos'}: no LIGHT_VIEW.jpg in it; copy the data set again")
    return ScannedHead(photos, points, landmarks)


def scanned_head_benchmark(folder: Path, face_model: Path | None = None) -> Benchmark:
    """Shape from each picture, and from all views under each light together; relative to the face model's mean.

    Raises: DatasetError; FaceModelError.
    """
    head, mean = read_scanned_head(folder), mean_mesh(read_face_model(face_model))
    views = [*head.lights.values()]
    rows = (*head.photos, *(pictures[0] for pictures in views))
    single = np.arange(len(rows)) < len(head.photos)
    groups = _groups(rows, single)

    def distances(mesh: PredictedMesh, row: int) -> np.ndarray:
        return scan_to_mesh(mesh, head.points, head.landmarks)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        together = (predictor.predict_person(pictures) for pictures in views)
        meshes = chain(predictor.predict_meshes(head.photos), together)
        measured = measure_scans(meshes, rows, distances, groups, progress)
        return replace(measured, figures=_over(measured, distances(mean, 0)))

    return Benchmark("scans", "Scanned head: scan-to-mesh error in millimetres.", COLUMNS, measure, decimals=3)


def _groups(rows: tuple[Path, ...], single: np.ndarray) -> Groups:
    """Groups of pictures by light and by view, and results of all pictures under a light."""
    light = np.array([_light(photo) for photo in rows])
    view = np.array([photo.stem.partition("_")[2] for photo in rows])
    lights = dict.fromkeys(light.tolist())
    return {
        "light": {name: single & (light == name) for name in lights},
        "view": {name: single & (view == name) for name in dict.fromkeys(view.tolist())},
        TOGETHER: {name: ~single & (light == name) for name in lights},
    }


def _over(measured: Measurement, mean: np.ndarray) -> dict[str, float]:
    """Median of the pictures' medians, and mean of the means, divided by those of the mean face; by light."""
    figures = {}
    for kind in ("light", TOGETHER):
        for name, inside in measured.groups[kind].items():
            median, average = (measured.errors[which][inside] for which in ("median", "mean"))
            if np.isfinite(median).any():
                what = f"{name}, {TOGETHER}" if kind == TOGETHER else name
                figures[f"{what}: median over the mean face's"] = float(np.nanmedian(median) / np.median(mean))
                figures[f"{what}: mean over the mean face's"] = float(np.nanmean(average) / mean.mean())
    return figures


def _light(photo: Path) -> str:
    return photo.stem.partition("_")[0]
