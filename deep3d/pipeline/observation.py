"""Faces during observation: their photos, crops and predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from deep3d.alignment import AlignedCrop, align
from deep3d.camera import CROP_SIZE
from deep3d.confidence import expected_error
from deep3d.detection.detector import Detection
from deep3d.errors import AlignmentFailed
from deep3d.landmarks import five_points
from deep3d.photo import Photo
from deep3d.regression import Regression


@dataclass(frozen=True)
class Candidate:
    """A detected face and its crop."""

    photo: Photo
    detection: Detection
    crop: AlignedCrop

    def cropped_by(self, points: np.ndarray) -> Candidate:
        """The same face, cropped by five other points (5, 2) in photo pixels. Raises: AlignmentFailed."""
        return replace(self, crop=align(self.photo.pixels, points))

    def found_at(self, landmarks68: np.ndarray) -> Candidate:
        """The candidate with a detection from the network's landmarks (68, 2) in crop pixels."""
        points = self.crop.to_photo(landmarks68)
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return replace(self, detection=Detection(box, self.detection.score, five_points(points[None])[0]))


def candidates(photo: Photo, detections: Sequence[Detection]) -> Iterator[Candidate]:
    """The detections that can be aligned, in their order; others have impossible five points."""
    for detection in detections:
        with suppress(AlignmentFailed):
            yield Candidate(photo, detection, align(photo.pixels, detection.landmarks))


def crop_images(faces: Sequence[Candidate]) -> np.ndarray:
    """The crops of B faces, (B, 224, 224, 3) uint8 RGB."""
    if not faces:
        return np.empty((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    return np.stack([face.crop.image for face in faces])


@dataclass(frozen=True)
class Observation:
    """B faces of some photos, with the networks' predictions."""

    rows: list[int]  # B: the number of each face's photo
    candidates: list[Candidate]  # B
    regression: Regression  # of B faces

    def __len__(self) -> int:
        return len(self.rows)

    def detections(self, row: int) -> list[Detection]:
        """The detections of one photo."""
        return [face.detection for number, face in zip(self.rows, self.candidates) if number == row]

    def take(self, chosen: np.ndarray) -> Observation:
        """Some of the faces: their numbers, or (B,) bool."""
        numbers = np.arange(len(self))[chosen].tolist()
        return Observation(
            [self.rows[number] for number in numbers],
            [self.candidates[number] for number in numbers],
            self.regression.take(numbers),
        )

    def joined(self, other: Observation) -> Observation:
        """The faces of both, sorted by photo."""
        both = Observation(
            self.rows + other.rows,
            self.candidates + other.candidates,
            Regression.concatenate([self.regression, other.regression]),
        )
        return both.take(np.argsort(both.rows, kind="stable"))

    def expected_errors(self) -> np.ndarray:
        """(B,) `Confidence.landmark_error` of each face, percent of its box; infinite without dense landmarks."""
        dense = self.regression.dense
        if dense is None:
            return np.full(len(self), np.inf)
        return expected_error(dense.points, dense.deviation, self.regression.refined)
