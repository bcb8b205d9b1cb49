"""Rotated portraits, as from a camera without an orientation sensor: do the results come upright?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from deep3d.datasets.frozen import PortraitSet
from deep3d.evaluation.landmarks import landmark_errors
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.landmarks import INNER
from deep3d.photo import read_photo
from deep3d.pipeline.reconstructor import Reconstructor

TURNS = (0, 90, 180, 270)  # degrees clockwise


def turned_benchmark(dataset: PortraitSet) -> Benchmark:
    """Original and rotated portraits, measured on predictors that are reconstructors."""

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        if not isinstance(predictor, ReconstructorPredictor):
            return None
        return evaluate_turned(predictor.reconstructor, dataset, progress)

    caption = "Original and rotated portraits: landmark error of those that come upright, in percent of the face box."
    return Benchmark("turned", caption, (("nme51", "mean"), ("nme51", "median"), ("nme51", "p90")), measure)


def evaluate_turned(
    reconstructor: Reconstructor, dataset: PortraitSet, progress: Progress | None = None
) -> Measurement:
    """Reconstruct each portrait in each rotation; a result that is not upright counts as not found."""
    photos: list[Path] = []
    errors: list[float] = []
    for number, (path, landmarks) in enumerate(zip(dataset.photos, dataset.landmarks, strict=True)):
        photo = read_photo(path)
        lying = [replace(photo.turned(degrees), turn=0) for degrees in TURNS]
        for degrees, faces in zip(TURNS, reconstructor.reconstruct(lying), strict=True):
            upright = bool(faces) and (degrees + faces[0].photo.turn) % 360 == 0
            errors.append(
                landmark_errors(faces[0].landmarks68_mediapipe, landmarks)[INNER].mean() if upright else np.nan
            )
            photos.append(path)
        if progress is not None:
            progress(number + 1, len(dataset.photos))
    turns = np.tile(TURNS, len(dataset.photos))
    groups = {"turn": {str(degrees): turns == degrees for degrees in TURNS}}
    return Measurement(tuple(photos), {"nme51": np.array(errors)}, groups)
