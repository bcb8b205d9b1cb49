"""Photos with a missing or wrong orientation: the detector searches a small copy in each rotation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from deep3d.detection.detector import Detection, WhichFaces, small_copy
from deep3d.photo import Photo
from deep3d.pipeline.networks import Detector

TURNS = (90, 180, 270)  # degrees clockwise
COPY_SIDE = 200
"""Pixels of the copy, in which faces have at least 20: a smaller one on its side is more likely a picture in the
picture than a photo with a wrong orientation."""


def turned_faces(detector: Detector, photo: Photo, faces: WhichFaces) -> Iterator[tuple[Photo, list[Detection]]]:
    """The photo rotated by 90, 180 and 270 degrees, and the detections at a glance in each, the largest first.

    The rotated photos are views: `settled` copies the pixels of the chosen one.
    """
    copy = small_copy(photo.pixels, COPY_SIDE)
    for degrees in TURNS:
        turned = replace(photo, pixels=_turned(photo.pixels, degrees), turn=(photo.turn + degrees) % 360)
        (found,) = detector.detect([np.ascontiguousarray(_turned(copy.pixels, degrees))], faces, "glance")
        span = copy.span if degrees == 180 else copy.span[::-1]
        yield turned, [_enlarged(face, span) for face in found]


def settled(photo: Photo) -> Photo:
    """The photo with contiguous pixels; itself if they are."""
    return photo if photo.pixels.flags.c_contiguous else replace(photo, pixels=np.ascontiguousarray(photo.pixels))


def _turned(pixels: np.ndarray, degrees: int) -> np.ndarray:
    return np.rot90(pixels, -degrees // 90)


def _enlarged(face: Detection, span: np.ndarray) -> Detection:
    """A face in a copy whose pixels span (2,) photo pixels; coordinates are those of pixel centres."""
    both = np.tile(span, 2)
    return Detection((face.box + 0.5) * both - 0.5, face.score, (face.landmarks + 0.5) * span - 0.5)
