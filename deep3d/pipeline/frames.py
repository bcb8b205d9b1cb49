"""Where else in a photo a face may be, where the detector finds none, or one that the network does not take for one.

MTCNN misses profiles, and sometimes takes an ear or a cheek for a face instead. The networks say how sure they are: of
what is no face they expect far larger errors, so that they may be shown a few frames, and the surest counts.
"""

from __future__ import annotations

import numpy as np

from deep3d.alignment import STANDARD_POINTS

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


def _five_points(middle: np.ndarray, unit: float) -> np.ndarray:
    return middle + unit * STANDARD_POINTS[:, :2] * [1, -1]
