"""AFLW2000-3D (Zhu et al., 2016): 2,000 photos with 68 three-dimensional landmarks, of all yaws to 90 degrees.

The folder is the published one: `image00002.jpg` beside `image00002.mat` with `pt3d_68` (3, 68) and `Pose_Para`. Errors
are NME68 with the box of the 68 reference points, by yaw from 0 to 30, 30 to 60 and 60 to 90 degrees, as for
3DDFA; "balanced" is the mean of the three bands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from deep3d.errors import DatasetError
from deep3d.evaluation.landmarks import evaluate_landmarks
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress, bands
from deep3d.landmarks import Placement

LIST = "AFLW2000-3D.list"  # names of the photos to measure, one per line; by default all
SKIPPED = "AFLW2000-3D.skip.list"  # names of photos to leave out, such as those whose landmarks are known to be wrong
YAW_BANDS = (0, 30, 60, 90)  # degrees to either side
COLUMNS = (("nme68", "mean"), ("nme68", "median"), ("nme68", "p90"), ("nme51", "mean"))


@dataclass(frozen=True)
class TurnedFaces:
    """N photos with the landmarks and the yaw of their faces."""

    photos: tuple[Path, ...]  # N
    landmarks: np.ndarray  # (N, 68, 2) photo pixels
    yaw: np.ndarray  # (N,) degrees


def aflw2000_benchmark(folder: Path) -> Benchmark:
    """Landmark errors on AFLW2000-3D.

    Raises: DatasetError.
    """
    return turned_faces_benchmark("aflw2000", "AFLW2000-3D", read_aflw2000(folder))


def turned_faces_benchmark(name: str, title: str, faces: TurnedFaces, placement: Placement = "fixed") -> Benchmark:
    """NME68 by true yaw."""
    groups = {"yaw": bands(np.abs(faces.yaw), YAW_BANDS)}

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        measured = evaluate_landmarks(predictor.predict_landmarks(faces.photos), faces, groups, progress, placement)
        ranked = replace(measured, errors={"nme68": measured.errors["nme68"], **measured.errors})
        means = [summary.mean for summary in ranked.by_group("yaw").values()]
        return replace(ranked, figures={"balanced": float(np.mean(means))} if means else {})

    return Benchmark(name, f"{title}: landmark error in percent of the face box.", COLUMNS, measure)


def read_aflw2000(folder: Path) -> TurnedFaces:
    """Read the photos that the list names, or all, without those of the skip list.

    Raises: DatasetError if a file is missing or is not as published.
    """
    names = _names(folder / LIST) or sorted(path.stem for path in folder.glob("*.mat"))
    skipped = set(_names(folder / SKIPPED))
    names = [name for name in names if name not in skipped]
    if not names:
        raise DatasetError(f"{folder}: no .mat file there; give the folder of AFLW2000-3D")
    photos = tuple(folder / f"{name}.jpg" for name in names)
    missing = [photo for photo in photos if not photo.is_file()]
    if missing:
        raise DatasetError(f"{missing[0]}: photo missing, {len(missing)} in all; copy the data set again")
    landmarks, yaw = zip(*(_read_labels(folder / f"{name}.mat") for name in names))
    return TurnedFaces(photos, np.stack(landmarks), np.array(yaw))


def _names(file: Path) -> list[str]:
    """The stems in a list, one a line."""
    if not file.is_file():
        return []
    return [Path(line.strip()).stem for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _read_labels(file: Path) -> tuple[np.ndarray, float]:
    """Landmarks (68, 2), converted from MATLAB's pixels that begin with 1, and yaw in degrees."""
    try:
        labels = loadmat(file, variable_names=["pt3d_68", "Pose_Para"])
        points, pose = np.asarray(labels["pt3d_68"], np.float64), np.asarray(labels["Pose_Para"], np.float64)
    except FileNotFoundError:
        raise DatasetError(f"{file}: landmarks missing; copy the data set again") from None
    except KeyError as error:
        raise DatasetError(f"{file}: array {error} is missing; copy the data set again") from None
    except Exception as error:  # whatever scipy raises on a damaged file
        raise DatasetError(f"{file}: damaged ({error}); copy the data set again") from error
    if points.shape != (3, 68) or pose.size < 3 or not np.isfinite(points).all():
        raise DatasetError(f"{file}: 'pt3d_68' must be (3, 68) finite numbers, got {points.shape}; copy it again")
    return points[:2].T - 1, float(np.degrees(pose.ravel()[1]))
