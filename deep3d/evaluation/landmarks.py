"""Normalised mean error of 68 landmarks against reference ones, as a percentage of the face box.

For one photo: the mean distance between predicted and reference points, divided by the square root of width times
height of the tight box round all 68 reference points. NME51 takes the inner points 17..67, NME68 all.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from deep3d.datasets.frozen import Half, HeadSet, LandmarkSet, PortraitSet
from deep3d.evaluation.measurement import (
    Benchmark,
    FacePredictor,
    Groups,
    Measurement,
    PredictedLandmarks,
    Progress,
    bands,
)
from deep3d.evaluation.skin_tone import group_by_skin_tone
from deep3d.landmarks import BROWS, EYES, INNER, JAW, LIPS, NOSE, Placement, landmark_errors

REGIONS = {"nme51": INNER, "nme68": slice(0, 68), "brows": BROWS, "eyes": EYES, "nose": NOSE, "lips": LIPS, "jaw": JAW}
PREDICTED_YAW = (0, 15, 30, 60, 180)
"""Edges of the bands in degrees, either side, for photos without true yaw."""
COLUMNS = (
    ("nme51", "mean"),
    ("nme51", "median"),
    ("nme51", "p90"),
    ("nme68", "mean"),
    ("nme68", "median"),
    ("nme68", "p90"),
    *((region, "mean") for region in ("brows", "eyes", "nose", "lips", "jaw")),
)


def portrait_benchmark(dataset: PortraitSet, half: Half) -> Benchmark:
    """One half of the portraits, by skin tone and predicted yaw."""
    caption = f"Portraits, {half!r} half: landmark error in percent of the face box, in MediaPipe's placement."
    return landmark_benchmark(
        "portraits", caption, dataset, group_by_skin_tone(dataset.photos, dataset.landmarks), COLUMNS, "mediapipe"
    )


def head_landmark_benchmark(dataset: HeadSet) -> Benchmark:
    """The landmarks of the frozen heads, by skin tone and predicted yaw."""
    caption = "Heads: landmark error in percent of the face box."
    groups = group_by_skin_tone(dataset.photos, dataset.landmarks)
    return landmark_benchmark("heads_landmarks", caption, dataset, groups, COLUMNS)


def landmark_benchmark(
    name: str,
    caption: str,
    dataset: LandmarkSet,
    groups: Groups,
    columns: tuple[tuple[str, str], ...],
    placement: Placement = "fixed",
) -> Benchmark:
    """Landmark errors on a data set; bands of predicted yaw are added if the groups have no yaw."""

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        return evaluate_landmarks(predictor.predict_landmarks(dataset.photos), dataset, groups, progress, placement)

    return Benchmark(name, caption, columns, measure)


def evaluate_landmarks(
    predictions: Iterable[PredictedLandmarks | None],
    dataset: LandmarkSet,
    groups: Groups | None = None,
    progress: Progress | None = None,
    placement: Placement = "fixed",
) -> Measurement:
    """Compare the landmarks predicted for each photo with the reference ones.

    Raises: ShapeError if predicted landmarks are not (68, 2).
    """
    count = len(dataset.photos)
    points, yaw = np.full((count, 68), np.nan), np.full(count, np.nan)
    for row, (prediction, reference) in enumerate(zip(predictions, dataset.landmarks, strict=True)):
        if prediction is not None:
            points[row] = landmark_errors(prediction.placed(placement), reference)
            yaw[row] = np.nan if prediction.yaw is None else prediction.yaw
        if progress is not None:
            progress(row + 1, count)
    errors = {name: points[:, part].mean(axis=1) for name, part in REGIONS.items()}
    return Measurement(dataset.photos, errors, {"yaw": bands(np.abs(yaw), PREDICTED_YAW)} | (groups or {}))
