"""False positives on pictures without a face: drawn ones and those of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.robustness.faceless_pictures import faceless_picture
from deep3d.photo import find_photos

GIVEN = "given"  # the kind of pictures that are not drawn


def faceless_benchmark(count: int, given: Path | None, scratch: Path) -> Benchmark:
    """`count` pictures, drawn into a folder that must exist while they are measured, and those of another folder.

    Raises: PhotoMissing for a folder without photos.
    """
    photos = [] if given is None else find_photos([given])
    kinds = [GIVEN] * len(photos)
    scratch.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind, picture = faceless_picture(number)
        kinds.append(kind)
        photos.append(scratch / f"{number:04d}_{kind}.png")
        Image.fromarray(picture).save(photos[-1])

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        return _measure(predictor, photos, np.array(kinds), progress)

    caption = "Pictures without a face that get one, and its expected landmark error in percent of the face box."
    return Benchmark("faceless", caption, (("expected", "median"),), measure)


def _measure(
    predictor: FacePredictor, photos: Sequence[Path], kinds: np.ndarray, progress: Progress | None
) -> Measurement | None:
    if not isinstance(predictor, ReconstructorPredictor):
        return None
    expected = np.full(len(photos), np.nan)
    for row, face in enumerate(predictor.reconstructions(photos)):
        if face is not None:
            expected[row] = 0.0 if face.confidence is None else face.confidence.landmark_error
        if progress is not None:
            progress(row + 1, len(photos))
    groups = {"picture": {str(kind): kinds == kind for kind in dict.fromkeys(kinds.tolist())}}
    return Measurement(tuple(photos), {"expected": expected}, groups)
