"""From photos to observations: detect, align, regress, refine landmarks, search further in doubtful photos."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import numpy as np

from deep3d.camera import DEEP3D_CAMERA
from deep3d.detection.detector import Detection, WhichFaces
from deep3d.errors import AlignmentFailed
from deep3d.fitting import LandmarkBasis, fit_landmarks, trusted_deviation
from deep3d.fitting.iteration import initial_state, project_landmarks
from deep3d.landmarks import five_points
from deep3d.photo import Photo
from deep3d.pipeline.fallback_search import (
    CLEAR,
    DOUBTFUL,
    FRAME_ALIGNMENTS,
    LIKELY,
    believed,
    doubtful_photos,
    surest,
    tries,
)
from deep3d.pipeline.networks import Networks, Refiner
from deep3d.pipeline.observation import Candidate, Observation, candidates, crop_images
from deep3d.pipeline.stopwatch import Stopwatch
from deep3d.regression import Regression

ALIGNMENTS = 2
"""Most crops of a face: the first follows the detector's noisy five points, the others the network's."""
SHIFTED = 12.0
"""Crop pixels: a new crop does not improve the prediction if its corners would move by less."""
MOVED = 1.5
"""Crop pixels, mean over the landmarks: if the refiner moves them by more, a second pass improves them."""


class Observer:
    """Runs the networks on photos."""

    def __init__(self, basis: LandmarkBasis, networks: Networks, alignments: int) -> None:
        """`basis` has the dense landmarks. A network without them, such as Deep3D's own, gives no confidence.

        Its crops follow the detector's points, without further search or refinement.
        """
        dense = len(basis.mean) > 0
        self._networks = networks if dense else replace(networks, refiner=None)
        self._alignments = alignments if dense else 1
        self._searches = dense
        self._basis = basis

    def __call__(
        self, photos: Sequence[Photo], faces: WhichFaces, refined: bool, watch: Stopwatch, most: int | None = None
    ) -> Observation:
        """The faces of the photos, with the refiner's landmarks if wanted and available.

        `most` limits the number of detections per photo and rotation to the largest ones, if it is not None.

        The photo of a face that was not upright is rotated. Detections that the networks reject are left out.
        """
        detections = [found[:most] for found in self._networks.detector.detect([each.pixels for each in photos], faces)]
        watch.lap("detection", len(photos))
        seen = self._regressed(*self._aligned(photos, detections, faces, watch), self._alignments, watch)
        doubtful = doubtful_photos(len(photos), seen) if self._searches else []
        refiner = self._networks.refiner if refined else None
        if refiner is not None and len(seen):
            seen = self._refined(refiner, seen, watch)
        if doubtful:
            more = [
                (row, face)
                for row in doubtful
                for face in tries(
                    photos[row], seen.detections(row), detections[row], self._networks.detector, faces, most
                )
            ]
            seen = surest(photos, seen, self._searched(more, refiner, watch))
        return believed(seen) if self._searches else seen

    def detect(self, photo: Photo) -> list[Detection]:
        """The detections in a photo, the largest face first."""
        return self._networks.detector.detect([photo.pixels], "all")[0]

    def follow(self, faces: list[Candidate], refined: bool, largest_error: float) -> Observation:
        """Observe faces at places known from a video's earlier frames, without a search for others.

        Faces for which a network expects a larger error (in percent of the face box) are dropped; `rows` are the
        numbers of the remaining ones among the candidates.
        """
        watch = Stopwatch()
        seen = self._regressed([*range(len(faces))], faces, self._alignments, watch)
        seen = seen.take(seen.expected_errors() <= largest_error)
        refiner = self._networks.refiner if refined else None
        if refiner is None or not len(seen):
            return seen
        seen = self._refined(refiner, seen, watch)
        return seen.take(seen.expected_errors() <= largest_error)

    def look(self, crops: np.ndarray) -> Regression:
        """What the networks see in (B, 224, 224, 3) uint8 RGB crops, just as they are."""
        regression, refiner = self._networks.regressor(crops), self._networks.refiner
        return regression if refiner is None else self._refined_landmarks(refiner, crops, regression)

    def _aligned(
        self, photos: Sequence[Photo], detections: Sequence[Sequence[Detection]], faces: WhichFaces, watch: Stopwatch
    ) -> tuple[list[int], list[Candidate]]:
        """The detected faces: the number of each one's photo, and the candidates."""
        most = 1 if faces == "largest" else None
        found = [
            (row, candidate)
            for row, (photo, detected) in enumerate(zip(photos, detections, strict=True))
            for candidate in islice(candidates(photo, detected), most)
        ]
        watch.lap("alignment", len(found))
        return [row for row, _ in found], [candidate for _, candidate in found]

    def _regressed(self, rows: list[int], faces: list[Candidate], alignments: int, watch: Stopwatch) -> Observation:
        """The network's predictions for all candidates; those with unsuitable crops are cropped again."""
        regression = self._networks.regressor(crop_images(faces))
        watch.lap("network", len(faces))
        for _ in range(alignments - 1):
            shifted = _realigned(faces, regression)
            watch.lap("alignment", len(faces))
            if not shifted:
                break
            regression = regression.replaced([*shifted], self._networks.regressor(crop_images([*shifted.values()])))
            faces = [shifted.get(number, face) for number, face in enumerate(faces)]
            watch.lap("network", len(faces))
        return Observation(rows, faces, regression)

    def _searched(
        self, more: Sequence[tuple[int, Candidate]], refiner: Refiner | None, watch: Stopwatch
    ) -> Observation:
        """Tries in which the networks see a face, each with the number of its photo, as detections."""
        rows, faces = [row for row, _ in more], [face for _, face in more]
        watch.lap("detection", len(faces))
        seen = self._regressed(rows, faces, FRAME_ALIGNMENTS, watch)
        seen = seen.take(seen.expected_errors() <= (DOUBTFUL if refiner is None else LIKELY))
        if refiner is not None and len(seen):
            regressed = seen.expected_errors()
            seen = self._refined(refiner, seen, watch)
            seen = seen.take((regressed + seen.expected_errors()) / 2 <= CLEAR)
        places = _landmarks68(seen.regression)
        return replace(seen, candidates=[face.found_at(place) for face, place in zip(seen.candidates, places)])

    def _refined(self, refiner: Refiner, seen: Observation, watch: Stopwatch) -> Observation:
        """With the landmarks that the refiner finds."""
        regression = self._refined_landmarks(refiner, crop_images(seen.candidates), seen.regression)
        watch.lap("refiner", len(seen))
        return replace(seen, regression=regression)

    def _refined_landmarks(self, refiner: Refiner, crops: np.ndarray, regression: Regression) -> Regression:
        """Those found from the regressed face; once more from a fitted one if need be."""
        coefficients = regression.coefficients
        dense = refiner([*crops], coefficients, (DEEP3D_CAMERA,) * len(crops))
        regressed = project_landmarks(self._basis, initial_state(coefficients)).pixels
        rows = np.flatnonzero(np.linalg.norm(dense.points - regressed, axis=2).mean(axis=1) > MOVED)
        if len(rows):
            moved = dense.take(rows)
            fit = fit_landmarks(self._basis, moved.points, trusted_deviation(moved.deviation), coefficients[rows])
            again = refiner([*crops[rows]], fit.coefficients, fit.cameras)
            dense.points[rows], dense.deviation[rows] = again.points, again.deviation
        return replace(regression, dense=dense, refined=True)


def _realigned(faces: list[Candidate], regression: Regression) -> dict[int, Candidate]:
    """The candidates with unsuitable crops, by number, cropped by five points from the network."""
    realigned = {}
    for number, five in enumerate(five_points(_landmarks68(regression))):
        points = faces[number].crop.to_photo(five)
        with suppress(AlignmentFailed):  # the network sees no face here: any crop is as good
            if faces[number].crop.shift(points) > SHIFTED:
                realigned[number] = faces[number].cropped_by(points)
    return realigned


def _landmarks68(regression: Regression) -> np.ndarray:
    """(B, 68, 2) crop pixels, the first of the dense landmarks; B may be zero."""
    return np.empty((0, 68, 2)) if regression.dense is None else regression.dense.points[:, :68]
