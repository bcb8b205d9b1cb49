"""The search for faces that the detector missed or mistook.

MTCNN misses profiles, and sometimes takes an ear or a cheek for a face; a photo may be rotated. The networks expect far
larger errors where there is no face. So they process further candidates of a doubtful photo, and the one with the
smallest expected error is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from deep3d.alignment import STANDARD_POINTS
from deep3d.confidence import shows_face
from deep3d.detection.detector import Detection, WhichFaces
from deep3d.photo import Photo
from deep3d.pipeline.networks import Detector
from deep3d.pipeline.observation import Candidate, Observation, candidates, crop_images
from deep3d.pipeline.turns import settled, turned_faces

DOUBTFUL = 5.0
"""Expected error of the regressor in percent of the face box, above which a detection is doubtful, and below which a
frame has a face without asking the refiner. Of 570 synthetic heads, four good detections had more and one false one had
less; of 600 pictures without a face one had less."""
LIKELY, CLEAR = 12.0, 9.5
"""Largest expected error of the regressor with which the refiner judges a frame, and largest mean of both with which it
has a face, if the refiner expects less than for the doubtful detection. Of 40 doubtful heads among 640 synthetic ones
35
are found this way, none wrongly; of 400 pictures without a face none passes, the nearest has 10.25."""
TURNED_GAIN = 0.8
"""A photo is rotated if the expected error is then at most this factor of the best one in the unrotated photo."""
FRAME_ALIGNMENTS = 3  # at most: frames are rough

_HEADS = (2.2, 3.2)  # units of the standard points in the shorter side: a face, or a head with hair, fills it
_FACES = (1.6, 0.8)  # units in a box's longer side: it contains a face, or half of one
_SHIFTS = (-0.5, 0.0, 0.5)  # to either side


def doubtful_photos(count: int, seen: Observation) -> list[int]:
    """The numbers of `count` photos without a face that the network is sure of."""
    sure = {row for row, error in zip(seen.rows, seen.expected_errors()) if error <= DOUBTFUL}
    return [row for row in range(count) if row not in sure]


def tries(
    photo: Photo,
    seen: Sequence[Detection],
    found: Sequence[Detection],
    detector: Detector,
    faces: WhichFaces,
    most: int | None = None,
) -> Iterator[Candidate]:
    """Further candidates of a doubtful photo; the network has processed `seen` of those that the detector `found`.

    These are the other detections, frames of the photo and round a single detection, and detections in the rotated
    photo, at most `most` per rotation.
    """
    yield from candidates(photo, [find for find in found if all(find is not each for each in seen)])
    if len(seen) <= 1:
        yield from _framed(photo, seen[0] if seen else None)
    for turned, detections in turned_faces(detector, photo, faces):
        yield from islice(candidates(turned, detections), 1 if faces == "largest" else most)


def surest(photos: Sequence[Photo], seen: Observation, tried: Observation) -> Observation:
    """The observation, with better tries in place of doubtful detections.

    These are the best try of an unrotated photo, for at most one detection, or all tries of one rotation.
    """
    found, errors = seen.expected_errors(), tried.expected_errors()
    taken: list[int] = []
    for row in dict.fromkeys(tried.rows):
        own = found[np.array(seen.rows, int) == row]
        by_turn: dict[int, list[int]] = defaultdict(list)
        for number in np.flatnonzero(np.array(tried.rows) == row).tolist():
            by_turn[tried.candidates[number].photo.turn].append(number)
        upright = by_turn.pop(photos[row].turn, [])
        taken += _better(own, upright, [*by_turn.values()], errors)
    better = tried.take(np.array(taken, int))
    kept = np.array([row not in better.rows for row in seen.rows], bool)
    return seen.take(kept).joined(replace(better, candidates=_settled(better.candidates)))


def believed(seen: Observation) -> Observation:
    """The observation without the faces that the networks reject, none without dense landmarks."""
    dense = seen.regression.dense
    if dense is None:
        return seen.take(np.zeros(len(seen), bool))
    scores, crops = np.array([face.detection.score for face in seen.candidates]), crop_images(seen.candidates)
    return seen.take(shows_face(seen.expected_errors(), seen.regression.refined, scores, crops, dense.points))


def _better(own: np.ndarray, upright: list[int], turned: list[list[int]], errors: np.ndarray) -> list[int]:
    """The tries, with expected errors (B,), that replace detections with errors `own` in a photo; possibly none."""
    least = min([*own, *errors[upright]], default=np.inf)
    surest_turn = min(turned, key=lambda group: min(errors[group]), default=[])
    if surest_turn and min(errors[surest_turn]) <= TURNED_GAIN * least:
        return surest_turn
    if len(own) > 1 or min(errors[upright], default=np.inf) >= min(own, default=np.inf):
        return []
    return [min(upright, key=errors.__getitem__)]


def _settled(faces: Sequence[Candidate]) -> list[Candidate]:
    """The faces with contiguous photos; faces of one photo share it."""
    own = {id(face.photo): settled(face.photo) for face in faces}
    return [replace(face, photo=own[id(face.photo)]) for face in faces]


def frames(width: int, height: int, box: np.ndarray | None = None) -> list[np.ndarray]:
    """Five points (5, 2), photo pixels, of possible upright faces in a photo, and round a doubtful box (4,)."""
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
    """Candidates of a photo in which the detector found nothing, or something doubtful."""
    height, width = photo.pixels.shape[:2]
    box, score = (None, 0.0) if find is None else (find.box, find.score)
    for five in frames(width, height, box):
        yield from candidates(photo, [Detection(np.array([0.0, 0.0, width, height]), score, five)])


def _five_points(middle: np.ndarray, unit: float) -> np.ndarray:
    return middle + unit * STANDARD_POINTS[:, :2] * [1, -1]
