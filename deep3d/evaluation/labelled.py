"""Photos with faces labelled in the 300-W (iBUG) markup: error of `landmarks68_contour`, which follows it.

A folder holds either `landmarks.npz` (`names`, `landmarks68` (N, 68, 2) photo pixels) and `photos/`, or photos with a
`.pts` file beside each, as 300-W is published. A photo may have several labelled faces; each is compared with the
nearest face, and one without a face near it counts as not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.datasets.frozen import find_set_photos, read_arrays
from deep3d.errors import DatasetError, LandmarksInvalid
from deep3d.evaluation.landmarks import COLUMNS, evaluate_landmarks
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedLandmarks, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor, landmarks_of
from deep3d.fitting import read_landmarks68
from deep3d.landmarks import box_size
from deep3d.photo import read_photo

SAME_FACE = 0.5  # of the face box: a face whose landmarks are further off on average is another one
PHOTO_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class LabelledFaces:
    """N labelled faces."""

    photos: tuple[Path, ...]  # N, one may come several times
    landmarks: np.ndarray  # (N, 68, 2) photo pixels


def labelled_benchmark(folder: Path) -> Benchmark:
    """Landmark errors on labelled faces; the mean face is not measured, because it is placed on the largest face only.

    Raises: DatasetError.
    """
    faces = read_labelled(folder)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        if not isinstance(predictor, ReconstructorPredictor):
            return None
        predictions: list[PredictedLandmarks | None] = [None] * len(faces.photos)
        for photo in dict.fromkeys(faces.photos):
            rows = [row for row, other in enumerate(faces.photos) if other == photo]
            for row, found in zip(rows, _nearest(predictor, photo, faces.landmarks[rows]), strict=True):
                predictions[row] = found
            if progress is not None:
                progress(max(rows) + 1, len(faces.photos))
        return evaluate_landmarks(predictions, faces, placement="contour")

    caption = "Labelled faces: landmark error in percent of the face box, the jaw on the visible outline."
    return Benchmark("labelled", caption, COLUMNS, measure)


def _nearest(predictor: ReconstructorPredictor, photo: Path, labels: np.ndarray) -> list[PredictedLandmarks | None]:
    """The nearest face for each of (L, 68, 2) labelled faces of a photo."""
    faces = [landmarks_of(face) for face in predictor.reconstructor.reconstruct([read_photo(photo)], "all")[0]]
    nearest: list[PredictedLandmarks | None] = []
    for label in labels:
        distance = [float(np.linalg.norm(face.placed("contour") - label, axis=1).mean()) for face in faces]
        found = bool(distance) and min(distance) < SAME_FACE * box_size(label)
        nearest.append(faces[int(np.argmin(distance))] if found else None)
    return nearest


def read_labelled(folder: Path) -> LabelledFaces:
    """Read either layout.

    Raises: DatasetError.
    """
    if (folder / "landmarks.npz").is_file():
        arrays = read_arrays(folder / "landmarks.npz", ("names", "landmarks68"))
        names, landmarks = [str(name) for name in arrays["names"]], arrays["landmarks68"].astype(np.float64)
        if landmarks.shape != (len(names), 68, 2):
            raise DatasetError(f"{folder}: 'landmarks68' is {landmarks.shape}, expected ({len(names)}, 68, 2)")
        return LabelledFaces(find_set_photos(folder, names), landmarks)
    pairs = [(photo, file) for file in sorted(folder.rglob("*.pts")) if (photo := _photo_of(file)) is not None]
    if not pairs:
        raise DatasetError(
            f"{folder}: neither landmarks.npz nor photos with .pts files; give a folder of labelled faces"
        )
    try:
        landmarks = np.array([read_landmarks68(file) for _, file in pairs])
    except LandmarksInvalid as error:
        raise DatasetError(str(error)) from error
    return LabelledFaces(tuple(photo for photo, _ in pairs), landmarks)


def _photo_of(points: Path) -> Path | None:
    """The photo that a .pts file belongs to."""
    return next((photo for suffix in PHOTO_SUFFIXES if (photo := points.with_suffix(suffix)).is_file()), None)
