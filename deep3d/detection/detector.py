"""Find faces and their five landmarks in photos of any size at bounded cost: MTCNN on reduced copies, with retries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from deep3d.detection.cascade import Cascade
from deep3d.detection.resampling import reduced
from deep3d.errors import ShapeError

WhichFaces = Literal["largest", "all"]
Effort = Literal["search", "glance"]


@dataclass(frozen=True)
class Detection:
    """A face in a photo."""

    box: np.ndarray  # (4,) left, top, right, bottom in photo pixels; may reach beyond the photo
    score: float  # the detector's probability in [0, 1]; 0 for a face that only the network found
    landmarks: np.ndarray  # (5, 2) eyes, nose tip, mouth corners, photo pixels; the eye on the image left first


class _Look(NamedTuple):
    """One way to look at a photo."""

    longest_side: int  # pixels of the copy that is searched, if it is not longer than two squares
    border: float  # black frame round it, as a part of its longest side, for faces that fill or leave the photo
    stretched: bool  # contrast stretched to black and white, for dim and hazy faces
    thresholds: tuple[float, float, float]  # of the cascade's three stages
    overlap: float = 0.7  # intersection over union beyond which two proposals count as one
    smallest_face: int = 20  # pixels of the copy

    def shows_more(self, photo: np.ndarray) -> bool:
        """Whether it is worth trying after the others: a larger copy of a small photo shows nothing new."""
        return self.longest_side <= _LOOKS[0].longest_side or self.longest_side // 2 < max(photo.shape[:2])


_GLANCES = (_Look(160, 0, False, (0.6, 0.7, 0.7), 0.4, 28), _Look(320, 0, False, (0.6, 0.7, 0.7), 0.4))
"""Enough for the largest face of most photos. Fewer proposals find as many faces there, and half of the time for the
first copy would go into faces of 20 pixels."""
_LOOKS = (
    _Look(640, 0, False, (0.6, 0.7, 0.7)),
    _Look(1280, 0, False, (0.6, 0.7, 0.7)),
    _Look(320, 0.25, True, (0.3, 0.3, 0.3)),
    _Look(160, 0.25, True, (0.3, 0.3, 0.3)),
    _Look(640, 0.25, True, (0.2, 0.1, 0.6)),
)
"""Tried one after the other until a face is found. Small copies also blur away confusing detail; in the last one, the
first two networks pass nearly everything and the third decides."""

LONG = 2  # the ratio of sides beyond which a picture is called long
_LARGEST_COPY = max(look.longest_side for look in _LOOKS)
_MOST_FACES = 100  # of one pass, which bounds the time for a crowd
_LOWEST_SCORE = 0.5  # at the second reading, which rejects false positives of the low thresholds
_PATCH = 104  # pixels a side at most of the copy of one face in which its landmarks are placed
_CROP_SIZE = 0.88  # of the box: where O-Net's landmarks scatter least


class FaceDetector:
    """Holds the networks, ready for photos."""

    def __init__(self) -> None:
        """Raises: CheckpointMissing, CheckpointInvalid if the networks' file is not whole."""
        self._cascade = Cascade()
        black = np.zeros((48, 48, 3), np.uint8)  # run once, so that all is compiled before the first photo
        self._cascade([black], _LOOKS[0].smallest_face, _LOOKS[0].thresholds, _LOOKS[0].overlap)
        self._cascade.read([black], [np.array([0.0, 0.0, 48.0, 48.0])])

    def detect(
        self, photos: Sequence[np.ndarray], faces: WhichFaces = "all", effort: Effort = "search"
    ) -> list[list[Detection]]:
        """The faces in each upright (H, W, 3) uint8 photo, the largest first; an empty list if there is none.

        Faces of at least 20 pixels are found in a copy of at most 640 pixels on the longest side, or of 1280 if
        that shows none; for pictures longer than two squares, the area is bounded instead. If only the largest
        face is wanted, a copy of 160 or 320 pixels that shows one is enough. A "glance" stops there, without a search
        for small or dim faces.

        Raises: ShapeError.
        """
        for photo in photos:
            if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
                raise ShapeError(f"photo: expected (H, W, 3) uint8, got {photo.shape} {photo.dtype}")
        photos = [np.ascontiguousarray(photo) for photo in photos]
        found: list[list[Detection]] = [[] for _ in photos]
        copies = [_whole(photo) for photo in photos]
        for number, look in enumerate(_looks(faces, effort)):
            self._try(look, photos, copies, found)
            if number == 0:  # once for all further looks, since photos may be huge
                copies = [copy if seen else small_copy(copy.pixels, _LARGEST_COPY) for copy, seen in zip(copies, found)]
        return found

    def _try(
        self, look: _Look, photos: Sequence[np.ndarray], copies: Sequence[Copy], found: list[list[Detection]]
    ) -> None:
        """Search the photos without a face so far, in copies, and add the results to `found`."""
        rows = [row for row, photo in enumerate(photos) if not found[row] and look.shows_more(photo)]
        searched = self._search([copies[row].pixels for row in rows], look)
        boxes = [box * np.tile(copies[row].span, 2) for row, box in zip(rows, searched, strict=True)]
        read = self._read([photos[row] for row in rows], boxes, look)
        for row, detections in zip(rows, read, strict=True):
            found[row] = sorted(detections, key=lambda face: -np.prod(face.box[2:] - face.box[:2]))

    def _search(self, photos: list[np.ndarray], look: _Look) -> list[np.ndarray]:
        """Boxes (N, 4) of what may be faces; like the cascade, they count from the corner of the top-left pixel."""
        copies = [small_copy(photo, look.longest_side) for photo in photos]
        borders = [round(look.border * min(max(copy.pixels.shape[:2]), look.longest_side)) for copy in copies]
        shown = [
            _framed(_stretched(copy.pixels) if look.stretched else copy.pixels, border)
            for copy, border in zip(copies, borders, strict=True)
        ]
        found = [
            faces
            for together in _stackable(shown)
            for faces in self._cascade(together, look.smallest_face, look.thresholds, look.overlap)
        ]
        return [
            (faces.boxes[:_MOST_FACES] - border) * np.tile(copy.span, 2)
            for copy, border, faces in zip(copies, borders, found, strict=True)
        ]

    def _read(self, photos: list[np.ndarray], boxes: list[np.ndarray], look: _Look) -> list[list[Detection]]:
        """Score and landmarks of the boxes that are faces, located again in the photo itself and its mirror image."""
        places = [(row, box) for row, found in enumerate(boxes) for box in found]
        patches = [_patch(photos[row], box) if look.stretched else _whole(photos[row]) for row, box in places]
        crops = []
        for (_, box), patch in zip(places, patches, strict=True):
            center, side = _square(box)
            half = _CROP_SIZE * side / 2
            crop = np.concatenate([center - half, center + half])
            crops.append((crop - np.tile(patch.corner, 2)) / np.tile(patch.span, 2))
        faces: list[list[Detection]] = [[] for _ in photos]
        read = self._cascade.read([patch.pixels for patch in patches], crops)
        for (row, box), patch, (score, landmarks) in zip(places, patches, read, strict=True):
            if score >= _LOWEST_SCORE:
                # Photo pixels count from the centre of the top-left pixel.
                points = landmarks * patch.span + patch.corner - 0.5
                faces[row].append(Detection(box - 0.5, score, points))
        return faces


def _looks(faces: WhichFaces, effort: Effort) -> tuple[_Look, ...]:
    """The passes in order; the first glance is not enough for all faces."""
    if effort == "glance":
        return _GLANCES if faces == "largest" else _GLANCES[1:]
    return (*_GLANCES, *_LOOKS) if faces == "largest" else _LOOKS


class Copy(NamedTuple):
    """A reduced part of a photo."""

    pixels: np.ndarray  # (h, w, 3)
    span: np.ndarray  # (2,) photo pixels in each of its pixels, x and y
    corner: np.ndarray  # (2,) photo pixels left of and above it


def small_copy(photo: np.ndarray, longest_side: int) -> Copy:
    """A copy of a photo (H, W, 3) with at most so many pixels a side; a very long one has the area of two squares."""
    height, width = photo.shape[:2]
    factor = min(max(height, width), np.sqrt(LONG * height * width)) / longest_side
    if factor <= 1:
        return _whole(photo)
    size = np.maximum(np.rint([width / factor, height / factor]).astype(int), 1)
    return Copy(reduced(photo, *size), np.array([width, height]) / size, np.zeros(2))


def _stackable(images: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The images in groups that fit into one array, as large as the largest; a very long one stays alone."""
    run: list[np.ndarray] = []
    for image in images:
        long = max(image.shape[:2]) > LONG * min(image.shape[:2])
        if run and long:
            yield run
            run = []
        run.append(image)
        if long:
            yield run
            run = []
    if run:
        yield run


def _square(box: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and side of the square round a box."""
    return (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max()


def _patch(photo: np.ndarray, box: np.ndarray) -> Copy:
    """The surroundings of a face, at most 104 pixels a side, with stretched contrast."""
    center, side = _square(box)
    height, width = photo.shape[:2]
    low = np.clip(np.floor(center - 0.6 * side), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(center + 0.6 * side), low + 1, [width, height]).astype(int)
    patch = small_copy(np.ascontiguousarray(photo[low[1] : high[1], low[0] : high[0]]), _PATCH)
    return Copy(_stretched(patch.pixels), patch.span, low)


def _framed(image: np.ndarray, border: int) -> np.ndarray:
    return np.pad(image, ((border, border), (border, border), (0, 0))) if border else image


def _stretched(image: np.ndarray) -> np.ndarray:
    return np.array(ImageOps.autocontrast(Image.fromarray(image), cutoff=1, preserve_tone=True))


def _whole(photo: np.ndarray) -> Copy:
    return Copy(photo, np.ones(2), np.zeros(2))
