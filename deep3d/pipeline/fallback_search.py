"""The search for faces that the detector missed or mistook.

MTCNN misses profiles, and sometimes takes an ear or a cheek for a face instead. The networks say how sure they are: of
what is no face they expect far larger errors. So they are shown a few frames of a doubtful photo; the surest counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from deep3d.alignment import STANDARD_POINTS
from deep3d.detection.detector import Detection
from deep3d.photo import Photo
from deep3d.pipeline.observation import Candidate, Observation, candidates

DOUBTFUL = 5.0
"""Percent of the face box, expected error of the regressor from which a find is in doubt, and up to which a frame has a
face where the refiner is not asked. Of 570 heads of our own, good finds had more four times, false ones less once; of
600 pictures without a face one had less."""
LIKELY, CLEAR = 12.0, 9.5
"""The same, up to which the refiner is asked about a frame, and the mean of what both expect up to which it has a face,
if the refiner expects less than of the find in doubt. Of 40 doubtful heads among 640 of our own 35 are found so, none
wrongly; of 400 pictures without a face none passes, the nearest has 10.25."""
FRAME_ALIGNMENTS = 3  # at most: frames are rough

_HEADS = (2.2, 3.2)  # units of the standard points in a photo's shorter side: a face fills it, or a head with hair
_FACES = (1.6, 0.8)  # units in a box's longer side: a face is in it, or half of one
_SHIFTS = (-0.5, 0.0, 0.5)  # to either side


def doubtful_photos(count: int, seen: Observation) -> list[int]:
    """Of `count` photos, those without a face, and those whose only face the network takes for none."""
    errors = zip(seen.rows, seen.expected_errors())
    unsure = [row for row, error in errors if error > DOUBTFUL and seen.rows.count(row) == 1]
    return unsure + [row for row in range(count) if row not in seen.rows]


def framed(photos: Sequence[Photo], doubtful: Sequence[int], seen: Observation) -> tuple[list[int], list[Candidate]]:
    """What else the doubtful photos may show: the number of each candidate's photo, and the candidates."""
    finds = dict(zip(seen.rows, seen.candidates))
    tries = [
        (row, candidate)
        for row in doubtful
        for candidate in _framed(photos[row], finds[row].detection if row in finds else None)
    ]
    return [row for row, _ in tries], [candidate for _, candidate in tries]


def surest(seen: Observation, frames: Observation) -> Observation:
    """What was seen, with the surest frame of each photo in place of a find of which the network is less sure."""
    found = dict(zip(seen.rows, seen.expected_errors()))
    best: dict[int, int] = {}  # the number of the surest frame of each photo
    errors = frames.expected_errors()
    for number in np.argsort(errors).tolist():
        row = frames.rows[number]
        if errors[number] < found.get(row, np.inf):
            best.setdefault(row, number)
    kept = np.array([row not in best for row in seen.rows], bool)
    return seen.take(kept).joined(frames.take(np.array([*best.values()], int)))


def frames(width: int, height: int, box: np.ndarray | None = None) -> list[np.ndarray]:
    """Five points (5, 2), photo pixels, of the upright faces that a photo might show, and round a doubtful box (4,)."""
    shorter, middle = min(width, height), np.array([width, height]) / 2
    found = [_five_points(middle + [shift * shorter / 2, 0], shorter / units) for units in _HEADS for shift in _SHIFTS]
    if box is not None:
        side, middle = float(np.max(box[2:] - box[:2])), (box[:2] + box[2:]) / 2
        found += [
            _five_points(middle + [shift * _FACES[0] * side / units, 0], side / units)
            for units in _FACES
            for shift in _SHIFTS
        ]
    return found


def _framed(photo: Photo, find: Detection | None) -> Iterator[Candidate]:
    """What a photo may show where the detector found nothing, or something doubtful."""
    height, width = photo.pixels.shape[:2]
    box, score = (None, 0.0) if find is None else (find.box, find.score)
    for five in frames(width, height, box):
        yield from candidates(photo, [Detection(np.array([0.0, 0.0, width, height]), score, five)])


def _five_points(middle: np.ndarray, unit: float) -> np.ndarray:
    return middle + unit * STANDARD_POINTS[:, :2] * [1, -1]
