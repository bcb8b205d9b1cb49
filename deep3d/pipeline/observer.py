"""From photos to what the networks see: detect, align, regress, search where that is in doubt, refine landmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from deep3d.alignment import AlignedCrop, align
from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, place, project
from deep3d.confidence import expected_error
from deep3d.detection.detector import Detection, FaceDetector, Faces
from deep3d.errors import AlignmentFailed
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis, fit_landmarks, trusted_deviation
from deep3d.fitting.iteration import look, started
from deep3d.landmarks import five_points
from deep3d.network.checkpoints import Checkpoint
from deep3d.photo import Photo
from deep3d.pipeline.frames import CLEAR, DOUBTFUL, FRAME_ALIGNMENTS, LIKELY, frames
from deep3d.pipeline.stopwatch import Stopwatch
from deep3d.refiner import LandmarkRefiner
from deep3d.regression.regressor import Regression, Regressor

ALIGNMENTS = 2
"""At most: the first crop follows the detector's five points, which scatter; others follow the network's."""
SHIFTED = 12.0
"""Crop pixels: the network sees as much in a crop whose corners would move by less when aligned again."""
MOVED = 1.5
"""Crop pixels, mean over the landmarks: where the refiner moves them by more, it sees more in a second look."""


@dataclass(frozen=True)
class Candidate:
    """A detected face on its way through the network."""

    photo: Photo
    detection: Detection
    crop: AlignedCrop


class Observation(NamedTuple):
    """The faces of some photos, and what the networks say of them."""

    rows: list[int]  # the number of each face's photo
    candidates: list[Candidate]
    regression: Regression

    def where(self, chosen: np.ndarray) -> Observation:
        """Those of the B faces for which (B,) is true."""
        places = np.flatnonzero(chosen).tolist()
        some = self.regression.chosen(self.regression, places)
        return Observation([self.rows[k] for k in places], [self.candidates[k] for k in places], some)


class Observer:
    """Holds the networks."""

    def __init__(
        self,
        face_model: FaceModel,
        detector: FaceDetector,
        regressor: Regressor,
        refiner: LandmarkRefiner | None,
        checkpoint: Checkpoint,
        alignments: int,
    ) -> None:
        self._face_model = face_model
        self._detector = detector
        self._regressor = regressor
        self._refiner = refiner
        # Without dense landmarks the network is one of Deep3D's, which want the crop of the detector's points.
        self._alignments = alignments if checkpoint.dense_vertices else 1
        self._searches = bool(checkpoint.dense_vertices)  # which say how sure the network is
        self._basis = LandmarkBasis.of_vertices(face_model, checkpoint.dense_vertices)

    def __call__(self, photos: Sequence[Photo], faces: Faces, refined: bool, watch: Stopwatch) -> Observation:
        """The faces of the photos, with the refiner's landmarks where that is wished and there is one."""
        detections = self._detector.detect([photo.pixels for photo in photos], faces)
        watch.lap("detection", len(photos))
        rows: list[int] = []
        candidates: list[Candidate] = []
        for row, (photo, detected) in enumerate(zip(photos, detections, strict=True)):
            aligned = _candidates(photo, detected)
            chosen = [*aligned] if faces == "all" else [*islice(aligned, 1)]
            rows += [row] * len(chosen)
            candidates += chosen
        watch.lap("alignment", len(candidates))
        seen = Observation(rows, *self._regress(candidates, self._alignments, watch))
        doubtful = self._doubtful(len(photos), seen)
        refiner = self._refiner if refined else None
        if refiner is not None and seen.rows:
            seen = self._refined(refiner, seen, watch)
        return self._searched(photos, doubtful, seen, refiner, watch) if doubtful else seen

    def _regress(
        self, candidates: list[Candidate], alignments: int, watch: Stopwatch
    ) -> tuple[list[Candidate], Regression]:
        """What the network says of all candidates, and the crops that this belongs to."""
        regression = self._regressor(_images(candidates))
        watch.lap("network", len(candidates))
        for _ in range(alignments - 1):
            shifted = self._realigned(candidates, regression)
            watch.lap("alignment", len(candidates))
            if not shifted:
                break
            again = self._regressor(_images([*shifted.values()]))
            moved = {number: len(candidates) + k for k, number in enumerate(shifted)}
            regression = regression.chosen(again, [moved.get(number, number) for number in range(len(candidates))])
            candidates = [shifted.get(number, candidate) for number, candidate in enumerate(candidates)]
            watch.lap("network", len(candidates))
        return candidates, regression

    def _doubtful(self, photos: int, seen: Observation) -> list[int]:
        """The photos in which the detector found nothing, or one face that the network does not take for one."""
        if not self._searches:
            return []
        expected = _expected_errors(seen.regression)
        unsure = [row for row, error in zip(seen.rows, expected) if error > DOUBTFUL and seen.rows.count(row) == 1]
        return unsure + [row for row in range(photos) if row not in seen.rows]

    def _searched(
        self,
        photos: Sequence[Photo],
        doubtful: list[int],
        seen: Observation,
        refiner: LandmarkRefiner | None,
        watch: Stopwatch,
    ) -> Observation:
        """The same with the faces that the detector missed or mistook in the doubtful photos."""
        numbers = {row: seen.rows.index(row) for row in doubtful if row in seen.rows}
        rows: list[int] = []
        candidates: list[Candidate] = []
        for row in doubtful:
            tries = [*_framed(photos[row], seen.candidates[numbers[row]].detection if row in numbers else None)]
            rows += [row] * len(tries)
            candidates += tries
        tried = Observation(rows, *self._regress(candidates, FRAME_ALIGNMENTS, watch))
        tried = tried.where(_expected_errors(tried.regression) <= (DOUBTFUL if refiner is None else LIKELY))
        if refiner is not None and tried.rows:
            regressed = _expected_errors(tried.regression)
            tried = self._refined(refiner, tried, watch)
            tried = tried.where((regressed + _expected_errors(tried.regression)) / 2 <= CLEAR)
        if not tried.rows:
            return seen
        found, framed = _expected_errors(seen.regression), _expected_errors(tried.regression)
        surest: dict[int, int] = {}  # of each photo, the last to be put down
        for number in np.argsort(-framed):
            row = tried.rows[number]
            if row not in numbers or framed[number] < found[numbers[row]]:
                surest[row] = len(seen.rows) + int(number)
        order = [surest.pop(row, number) for number, row in enumerate(seen.rows)] + [*surest.values()]
        landmarks = self._landmarks68(tried.regression)
        everybody = seen.candidates + [_found(*each) for each in zip(tried.candidates, landmarks, strict=True)]
        return Observation(
            seen.rows + [*surest],
            [everybody[number] for number in order],
            seen.regression.chosen(tried.regression, order),
        )

    def _refined(self, refiner: LandmarkRefiner, seen: Observation, watch: Stopwatch) -> Observation:
        """With the landmarks that the refiner finds from the regressed face; once more from a fitted one if need be."""
        crops, coefficients = [candidate.crop.image for candidate in seen.candidates], seen.regression.coefficients
        dense = refiner(crops, coefficients, (DEEP3D_CAMERA,) * len(crops))
        regressed = look(self._basis, started(coefficients)).pixels
        rows = np.flatnonzero(np.linalg.norm(dense.points - regressed, axis=2).mean(axis=1) > MOVED)
        if len(rows):
            points, deviation = dense.points[rows], trusted_deviation(dense.deviation[rows])
            fit = fit_landmarks(self._basis, points, deviation, coefficients[rows])
            again = refiner([crops[row] for row in rows], fit.coefficients, fit.cameras)
            dense.points[rows], dense.deviation[rows] = again.points, again.deviation
        watch.lap("refiner", len(crops))
        return seen._replace(regression=replace(seen.regression, dense=dense, refined=True))

    def _realigned(self, candidates: list[Candidate], regression: Regression) -> dict[int, Candidate]:
        """Those that their crops do not fit, by number, cropped by five points of the network's."""
        if not candidates:
            return {}
        realigned = {}
        for number, five in enumerate(five_points(self._landmarks68(regression))):
            candidate = candidates[number]
            points = candidate.crop.to_photo(five)
            with suppress(AlignmentFailed):  # the network saw no face where the detector did: any crop is as good
                if candidate.crop.shift(points) > SHIFTED:
                    realigned[number] = replace(candidate, crop=align(candidate.photo.pixels, points))
        return realigned

    def _landmarks68(self, regression: Regression) -> np.ndarray:
        """(B, 68, 2) crop pixels: of the dense landmarks, which are nearest to the photo, or else of the mesh."""
        if regression.dense is not None:
            return regression.dense.points[:, :68]
        model, face = self._face_model, regression.coefficients
        return project(place(model.landmarks(model.shape(face)), face.rotation, face.translation))


def _candidates(photo: Photo, detections: Sequence[Detection]) -> Iterator[Candidate]:
    """The detections that can be aligned, in their order; the others have five points that no face can have."""
    for detection in detections:
        with suppress(AlignmentFailed):
            yield Candidate(photo, detection, align(photo.pixels, detection.landmarks))


def _framed(photo: Photo, doubtful: Detection | None) -> Iterator[Candidate]:
    """What else a photo may show where the detector found nothing, or something doubtful."""
    height, width = photo.pixels.shape[:2]
    box, score = (None, 0.0) if doubtful is None else (doubtful.box, doubtful.score)
    for five in frames(width, height, box):
        yield from _candidates(photo, [Detection(np.array([0.0, 0.0, width, height]), score, five)])


def _found(candidate: Candidate, landmarks68: np.ndarray) -> Candidate:
    """The candidate as if the detector had found it where the network did: landmarks (68, 2) in crop pixels."""
    points = candidate.crop.to_photo(landmarks68)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return replace(candidate, detection=Detection(box, candidate.detection.score, five_points(points[None])[0]))


def _expected_errors(regression: Regression) -> np.ndarray:
    """(B,) `Confidence.landmark_error` of what the network says of faces, infinite without dense landmarks."""
    if regression.dense is None:
        return np.full(len(regression.coefficients), np.inf)
    return expected_error(regression.dense.points, regression.dense.deviation, regression.refined)


def _images(candidates: list[Candidate]) -> np.ndarray:
    if not candidates:
        return np.empty((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    return np.stack([candidate.crop.image for candidate in candidates])
