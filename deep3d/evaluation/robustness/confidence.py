"""Is the confidence right? Expected against true error, over deliberately degraded photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from deep3d.datasets.frozen import PortraitSet
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.robustness.degradation import DEGRADATIONS
from deep3d.landmarks import INNER, landmark_errors
from deep3d.photo import Photo, read_photo
from deep3d.pipeline.reconstructor import Reconstructor

GOOD = 2.5  # percent of the face box
SEED = 0
UNTOUCHED = "as it is"


def confidence_benchmark(dataset: PortraitSet) -> Benchmark:
    """Original and degraded portraits, measured on predictors that are reconstructors."""

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        if not isinstance(predictor, ReconstructorPredictor):
            return None
        return evaluate_confidence(predictor.reconstructor, dataset, progress)

    caption = "Original and degraded portraits: true and expected error in percent of the face box."
    return Benchmark("confidence", caption, (("true", "mean"), ("expected", "mean")), measure)


def evaluate_confidence(
    reconstructor: Reconstructor, dataset: PortraitSet, progress: Progress | None = None
) -> Measurement:
    """Reconstruct each portrait, original and degraded in every way; the strengths are random but reproducible.

    Photos without a detected face are left out.
    """
    rng = np.random.default_rng(SEED)
    photos: list[Path] = []
    rows: list[tuple[str, float, float]] = []
    for number, (path, landmarks) in enumerate(zip(dataset.photos, dataset.landmarks, strict=True)):
        photo = read_photo(path)
        kinds = [UNTOUCHED, *DEGRADATIONS]
        for kind, faces in zip(kinds, reconstructor.reconstruct(_spoiled(photo, landmarks, rng)), strict=True):
            if faces and faces[0].confidence is not None:
                true = landmark_errors(faces[0].landmarks68_mediapipe, landmarks)[INNER].mean()
                rows.append((kind, float(true), faces[0].confidence.landmark_error))
                photos.append(path)
        if progress is not None:
            progress(number + 1, len(dataset.photos))
    kinds, true, expected = (np.array(column) for column in zip(*rows)) if rows else (np.empty(0),) * 3
    groups = {"photo": {kind: kinds == kind for kind in (UNTOUCHED, *DEGRADATIONS)}}
    errors = {"true": true, "expected": expected}
    return Measurement(tuple(photos), errors, groups, _figures(true, expected) if rows else {})


def _figures(true: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Spearman's rank correlation, and the share of good results among those expected to be good."""
    claimed = expected <= GOOD
    return {
        "rank correlation": float(spearmanr(expected, true)[0]),  # pyright: ignore[reportArgumentType]
        f"said to be within {GOOD}%": float(claimed.sum()),
        "of these truly, %": 100 * float((true[claimed] <= GOOD).mean()) if claimed.any() else float("nan"),
    }


def _spoiled(photo: Photo, landmarks: np.ndarray, rng: np.random.Generator) -> Sequence[Photo]:
    box = np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])
    copies = [spoil(photo.pixels, box, rng) for spoil in DEGRADATIONS.values()]
    return [photo, *(Photo(np.ascontiguousarray(copy), photo.name, photo.sha256) for copy in copies)]
