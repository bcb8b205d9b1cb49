"""Normalised mean error of 68 landmarks against a reference detector, as a percentage of the face box.

For one photo: the mean distance between predicted and reference points, divided by the square root of width times
height of the tight box round all 68 reference points. NME51 takes the inner points 17..67, NME68 all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import ShapeError
from deep3d.evaluation.datasets import PortraitSet
from deep3d.evaluation.statistics import Summary, summarize
from deep3d.landmarks import BROWS, EYES, INNER, JAW, LIPS, NOSE

REGIONS = {"brows": BROWS, "eyes": EYES, "nose": NOSE, "lips": LIPS, "jaw": JAW}
YAW_BANDS = ((0, 15), (15, 30), (30, 60), (60, 180))
"""Degrees of yaw to either side, the upper end excluded."""

Progress = Callable[[int, int], None]
"""Called with the number of photos done and the number of all."""


@dataclass(frozen=True)
class PredictedLandmarks:
    """What is predicted for one photo in which a face was found."""

    landmarks: np.ndarray  # (68, 2) photo pixels
    yaw: float | None = None  # degrees, where known


LandmarkPredictor = Callable[[Sequence[Path]], Iterable[PredictedLandmarks | None]]
"""Gives one result per photo, in order, None where no face is found. Lazy ones let progress be seen."""


@dataclass(frozen=True)
class LandmarkErrors:
    """Errors of N photos in percent of the face box, NaN where no face was found."""

    photos: tuple[str, ...]  # N file names
    points: np.ndarray  # (N, 68) distance of each landmark
    yaw: np.ndarray  # (N,) predicted yaw in degrees, NaN where unknown

    @property
    def nme51(self) -> np.ndarray:
        """(N,) mean error of the inner landmarks."""
        return self.points[:, INNER].mean(axis=1)

    @property
    def nme68(self) -> np.ndarray:
        """(N,) mean error of all landmarks."""
        return self.points.mean(axis=1)

    def by_region(self) -> dict[str, Summary]:
        """Summary of the mean error over each region of the face."""
        return {name: summarize(self.points[:, part].mean(axis=1)) for name, part in REGIONS.items()}

    def by_yaw(self) -> dict[tuple[int, int], Summary]:
        """Summary of NME51 for each band of predicted yaw that has photos."""
        turn = np.abs(self.yaw)
        bands = {band: (turn >= band[0]) & (turn < band[1]) for band in YAW_BANDS}
        return {band: summarize(self.nme51[inside]) for band, inside in bands.items() if inside.any()}


def evaluate_landmarks(
    predict: LandmarkPredictor, dataset: PortraitSet, progress: Progress | None = None
) -> LandmarkErrors:
    """Compare predictions with the reference landmarks of a portrait set.

    Raises: ShapeError if predicted landmarks are not (68, 2).
    """
    count = len(dataset.photos)
    points, yaw = np.full((count, 68), np.nan), np.full(count, np.nan)
    predictions = zip(predict(dataset.photos), dataset.landmarks, strict=True)
    for row, (prediction, reference) in enumerate(predictions):
        if prediction is not None:
            points[row] = landmark_errors(prediction.landmarks, reference)
            yaw[row] = np.nan if prediction.yaw is None else prediction.yaw
        if progress is not None:
            progress(row + 1, count)
    return LandmarkErrors(tuple(photo.name for photo in dataset.photos), points, yaw)


def landmark_errors(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distances (68,) of two (68, 2) landmark sets in percent of the reference's box.

    Raises: ShapeError if a set is not (68, 2).
    """
    for name, points in [("predicted", predicted), ("reference", reference)]:
        if np.shape(points) != (68, 2):
            raise ShapeError(f"{name} landmarks: expected shape (68, 2), got {np.shape(points)}")
    return 100 * np.linalg.norm(predicted - reference, axis=1) / box_size(reference)


def box_size(landmarks: np.ndarray) -> np.ndarray:
    """Square root of width times height (...) of the tight box round (..., 68, 2) landmarks."""
    return np.sqrt(np.prod(landmarks.max(axis=-2) - landmarks.min(axis=-2), axis=-1))
