"""Find faces and their five landmarks in photos of any size at a bounded cost: MTCNN on reduced copies, retried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from deep3d.errors import ShapeError
from deep3d.mtcnn import Cascade


@dataclass(frozen=True)
class Detection:
    """A face in a photo."""

    box: np.ndarray  # (4,) left, top, right, bottom in photo pixels; may reach beyond the photo
    score: float  # probability in [0, 1]
    landmarks: np.ndarray  # (5, 2) eyes, nose tip, mouth corners, photo pixels; the eye on the image left first


class _Look(NamedTuple):
    """One way to look at a photo."""

    longest_side: int  # pixels of the copy that is searched
    border: float  # black frame round it, as a part of its longest side, for faces that fill or leave the photo
    stretched: bool  # contrast drawn out to black and white, for dim and hazy faces
    thresholds: tuple[float, float, float]  # of the cascade's three stages


_LOOKS = (
    _Look(640, 0, False, (0.6, 0.7, 0.7)),
    _Look(1280, 0, False, (0.6, 0.7, 0.7)),
    _Look(320, 0.25, True, (0.3, 0.3, 0.3)),
    _Look(160, 0.25, True, (0.3, 0.3, 0.3)),
    _Look(640, 0.25, True, (0.2, 0.1, 0.6)),
)
"""Tried one after the other until a face is found. The small copies also blur away what confuses the networks; the last
look lets the first two of them pass nearly everything and leaves the decision to the third."""

_SMALLEST_FACE = 20  # pixels of the copy
_MOST_FACES = 100  # of one look, which bounds the time that a crowd takes
_LOWEST_SCORE = 0.5  # averaged over the crops: passing mistakes of the low thresholds do not last there
_PATCH = 160  # pixels a side at most of the copy of one face in which its landmarks are placed
_CROP_SIZE = 0.88  # of the box: where O-Net's landmarks scatter least
_CROP_SHIFTS = 0.05 * np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])  # of the box


class FaceDetector:
    """Loads the networks once; `detect` may be called from one thread at a time."""

    def __init__(self) -> None:
        self._cascade = Cascade()

    def detect(self, photos: list[np.ndarray]) -> list[list[Detection]]:
        """The faces in each upright (H, W, 3) uint8 photo, the largest first; an empty list where there is none.

        Faces of at least 20 pixels are found in a copy of at most 640 pixels on the longest side, or of 1280 if
        that shows none.

        Raises: ShapeError.
        """
        return [self._detect(photo) for photo in photos]

    def _detect(self, photo: np.ndarray) -> list[Detection]:
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise ShapeError(f"photo: expected (H, W, 3) uint8, got {photo.shape} {photo.dtype}")
        copy, scale = _reduced(photo, max(look.longest_side for look in _LOOKS))  # once, since photos may be huge
        for look in _LOOKS:
            if look.longest_side > _LOOKS[0].longest_side >= max(photo.shape[:2]):
                continue  # nothing new to see
            boxes = self._search(copy, look) * np.tile(scale, 2)
            faces = [face for box in boxes if (face := self._read(photo, box, look))]
            if faces:
                return sorted(faces, key=lambda face: -np.prod(face.box[2:] - face.box[:2]))
        return []

    def _search(self, photo: np.ndarray, look: _Look) -> np.ndarray:
        """Boxes (N, 4) of what may be faces; like the cascade, they count from the corner of the top-left pixel."""
        copy, scale = _reduced(photo, look.longest_side)
        border = round(look.border * max(copy.shape[:2]))
        if look.stretched:
            copy = _stretched(copy)
        if border:
            copy = np.pad(copy, ((border, border), (border, border), (0, 0)))
        faces = self._cascade(copy, _SMALLEST_FACE, look.thresholds)
        return (faces.boxes[:_MOST_FACES] - border) * np.tile(scale, 2)

    def _read(self, photo: np.ndarray, box: np.ndarray, look: _Look) -> Detection | None:
        """Score and landmarks averaged over five shifted crops of the photo itself, None if that is no face.

        Against one reading on the reduced copy the landmarks scatter by a quarter less.
        """
        center, side = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max()
        height, width = photo.shape[:2]
        low = np.clip(np.floor(center - 0.6 * side), 0, [width - 1, height - 1]).astype(int)
        high = np.clip(np.ceil(center + 0.6 * side), low + 1, [width, height]).astype(int)
        patch, scale = _reduced(photo[low[1] : high[1], low[0] : high[0]], _PATCH)
        if look.stretched:
            patch = _stretched(patch)
        middle = center + _CROP_SHIFTS * side
        half = _CROP_SIZE * side / 2
        crops = (np.hstack([middle - half, middle + half]) - np.tile(low, 2)) / np.tile(scale, 2)
        scores, landmarks = self._cascade.read(patch, crops)
        if scores.mean() < _LOWEST_SCORE:
            return None
        # Photo pixels count from the centre of the top-left pixel.
        return Detection(box - 0.5, float(scores.mean()), landmarks.mean(axis=0) * scale + low - 0.5)


def _stretched(image: np.ndarray) -> np.ndarray:
    return np.asarray(ImageOps.autocontrast(Image.fromarray(image), cutoff=1, preserve_tone=True))


def _reduced(photo: np.ndarray, longest_side: int) -> tuple[np.ndarray, np.ndarray]:
    """A copy of at most so many pixels a side, and how many photo pixels (x, y) each of its pixels spans."""
    height, width = photo.shape[:2]
    factor = max(height, width) / longest_side
    if factor <= 1:
        return photo, np.ones(2)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    copy = Image.fromarray(photo).resize(size, Image.Resampling.BOX, reducing_gap=2)
    return np.asarray(copy), np.array([width / size[0], height / size[1]])
