"""The face cascade of MTCNN (Zhang et al., 2016) over several images at once.

Positions are continuous here: the top-left pixel reaches from 0 to 1. Crops are sampled where the boxes are, to
fractions of a pixel, and are black beyond the image as in training; the usual loop rounds boxes, cuts them at the
border without moving the landmarks, and is up to two pixels off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np

from deep3d.detection.networks import MtcnnNetworks
from deep3d.detection.resampling import crop_into, reduced

_PNET_STRIDE, _PNET_WINDOW, _RNET_SIZE, _ONET_SIZE = 2, 12, 24, 48  # pixels
_PYRAMID_STEP = 2**-0.5


class FaceBoxes(NamedTuple):
    """The faces that the cascade finds in one image."""

    boxes: np.ndarray  # (N, 4) left, top, right, bottom
    scores: np.ndarray  # (N,) probabilities
    landmarks: np.ndarray  # (N, 5, 2) eyes, nose tip, mouth corners; the image's left before right


class _Level(NamedTuple):
    """All images at one size."""

    images: np.ndarray  # (B, h, w, 3) uint8
    scale: np.ndarray  # (2,) pixels of these for one of the image, x and y


class Cascade:
    """P-Net proposes, R-Net refines, O-Net decides and places five landmarks."""

    def __init__(self) -> None:
        self._networks = MtcnnNetworks()

    def __call__(
        self,
        images: Sequence[np.ndarray],
        smallest_face: float,
        thresholds: tuple[float, float, float],
        overlap: float,
    ) -> list[FaceBoxes]:
        """FaceBoxes of at least `smallest_face` pixels in each (H, W, 3) uint8 image, the best first.

        Of proposals whose intersection over union is larger than `overlap`, only the best one is kept.
        """
        if not images:
            return []
        pyramid = pyramid_of(_stacked(images), smallest_face)
        boxes = self._propose(pyramid, len(images), thresholds[0], overlap)
        boxes = self._refine(pyramid, boxes, thresholds[1], overlap)
        return self._decide(pyramid, boxes, thresholds[2])

    def read(self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray]) -> list[tuple[float, np.ndarray]]:
        """O-Net's score and landmarks (5, 2) in a square box (4,) of each image, averaged with its mirror image."""
        if not images:
            return []
        crops = [
            _crops([_Level(image[None], np.ones(2))], [box[None]], _ONET_SIZE)
            for image, box in zip(images, boxes, strict=True)
        ]
        direct = np.concatenate(crops)
        _, points, scores = self._networks.onet(np.concatenate([direct, direct[..., ::-1]]))
        straight, mirrored = np.split(points, 2)
        mirrored = mirrored[:, [1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
        landmarks = _inside(np.stack(boxes), (straight + mirrored) / 2)
        return list(zip(scores.reshape(2, -1).mean(axis=0).tolist(), landmarks, strict=True))

    def _propose(self, pyramid: list[_Level], count: int, threshold: float, overlap: float) -> list[np.ndarray]:
        """The squares (N, 4) of each image that may hold a face; the first level is for crops alone."""
        found: list[list[np.ndarray]] = [[np.zeros((0, 5))] for _ in range(count)]  # boxes with their scores
        for level in pyramid[1:]:
            offsets, scores = self._networks.pnet(level.images)
            for image in range(count):
                found[image].append(_proposals(offsets[image], scores[image], threshold, level.scale))
        joined = [np.concatenate(boxes) for boxes in found]
        return [_squared(boxes[_distinct(boxes[:, :4], boxes[:, 4], overlap), :4]) for boxes in joined]

    def _refine(
        self, pyramid: list[_Level], boxes: list[np.ndarray], threshold: float, overlap: float
    ) -> list[np.ndarray]:
        offsets, scores = self._networks.rnet(_crops(pyramid, boxes, _RNET_SIZE))
        refined = []
        for box, offset, score in _by_image(boxes, offsets, scores):
            sure = score > threshold
            box, offset, score = box[sure], offset[sure], score[sure]
            keep = _distinct(box, score, overlap)
            refined.append(_squared(_moved(box[keep], offset[keep])))
        return refined

    def _decide(self, pyramid: list[_Level], boxes: list[np.ndarray], threshold: float) -> list[FaceBoxes]:
        offsets, points, scores = self._networks.onet(_crops(pyramid, boxes, _ONET_SIZE))
        faces = []
        for box, offset, point, score in _by_image(boxes, offsets, points, scores):
            sure = score > threshold
            box, offset, point, score = box[sure], offset[sure], point[sure], score[sure]
            landmarks, box = _inside(box, point), _moved(box, offset)
            keep = not_covered(box, score, 0.7)
            faces.append(FaceBoxes(box[keep], score[keep], landmarks[keep]))
        return faces


def not_covered(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """Numbers of the boxes, best first, without those that share most of the smaller area with a better one."""
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    for number in np.argsort(-scores, kind="stable"):
        low = np.maximum(boxes[number, :2], boxes[kept, :2])
        high = np.minimum(boxes[number, 2:], boxes[kept, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        if not (shared > overlap * np.minimum(area[number], area[kept])).any():
            kept.append(int(number))
    return kept


def _stacked(images: Sequence[np.ndarray]) -> np.ndarray:
    """One (B, H, W, 3) array, black to the right of and below the smaller images."""
    if len(images) == 1:
        return images[0][None]
    height, width = np.max([image.shape[:2] for image in images], axis=0)
    stack = np.zeros((len(images), height, width, 3), np.uint8)
    for space, image in zip(stack, images, strict=True):
        space[: image.shape[0], : image.shape[1]] = image
    return stack


def pyramid_of(images: np.ndarray, smallest_face: float) -> list[_Level]:
    """The images as they are, and then in each size at which P-Net's window is as large as a face."""
    height, width = images.shape[1:3]
    levels = [_Level(images, np.ones(2))]
    scale = _PNET_WINDOW / smallest_face
    while min(height, width) * scale >= _PNET_WINDOW:
        size = round(width * scale), round(height * scale)
        # Each from the whole image: reducing the larger levels again is cheaper, but finds fewer faces.
        small = [reduced(image, *size) for image in images]
        levels.append(_Level(np.stack(small), np.array([size[0] / width, size[1] / height])))
        scale *= _PYRAMID_STEP
    return levels


def _crops(pyramid: list[_Level], boxes: list[np.ndarray], size: int) -> np.ndarray:
    """(N, 3, size, size) float32 crops of the boxes of all images, each from the smallest level that is fine enough."""
    places = np.concatenate(boxes)
    crops = np.empty((len(places), 3, size, size), np.float32)
    image = np.repeat(np.arange(len(boxes)), [len(box) for box in boxes])
    scales = np.array([level.scale.min() for level in pyramid])  # falling
    fine = (scales * (places[:, 2:3] - places[:, :1]) >= size).sum(axis=1)
    chosen = np.maximum(fine - 1, 0)
    for number in np.unique(chosen):
        rows = np.flatnonzero(chosen == number)
        level = pyramid[number]
        crop_into(level.images, image[rows], places[rows] * np.tile(level.scale, 2), rows, crops)
    return crops


@numba.njit(cache=True, nogil=True)
def _proposals(offsets, scores, threshold, scale):
    """Boxes with their scores (N, 5) of P-Net's windows in an image at some scale (2,): no two are nearly the same.

    `offsets` (4, h, w) say where the edges of each window should be, `scores` (h, w) whether it shows a face.
    """
    windows = np.argwhere(scores >= threshold)
    boxes, score = np.empty((len(windows), 4)), np.empty(len(windows))
    for k, (row, column) in enumerate(windows):
        score[k] = scores[row, column]
        left, top = column * _PNET_STRIDE, row * _PNET_STRIDE
        boxes[k, 0], boxes[k, 2] = left / scale[0], (left + _PNET_WINDOW) / scale[0]
        boxes[k, 1], boxes[k, 3] = top / scale[1], (top + _PNET_WINDOW) / scale[1]
    kept = _suppress(boxes, np.argsort(-score, kind="mergesort"), 0.5)
    proposals = np.empty((len(kept), 5))
    for k, number in enumerate(kept):
        row, column = windows[number]
        for edge in range(4):
            side = boxes[number, 2 + edge % 2] - boxes[number, edge % 2]
            proposals[k, edge] = boxes[number, edge] + side * offsets[edge, row, column]
        proposals[k, 4] = score[number]
    return proposals


def _distinct(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Numbers of the boxes, best first, without those whose intersection over union with a better one is larger."""
    return _suppress(np.ascontiguousarray(boxes, np.float64), np.argsort(-scores, kind="stable"), overlap)


@numba.njit(cache=True, nogil=True)
def _suppress(boxes, order, overlap):
    kept = np.empty(len(order), np.int64)
    count = 0
    for number in order:
        left, top, right, bottom = boxes[number]
        distinct = True
        for k in range(count):
            other = boxes[kept[k]]
            width, height = min(right, other[2]) - max(left, other[0]), min(bottom, other[3]) - max(top, other[1])
            if width > 0 and height > 0:
                area = (right - left) * (bottom - top) + (other[2] - other[0]) * (other[3] - other[1])
                if width * height > overlap * (area - width * height):
                    distinct = False
                    break
        if distinct:
            kept[count] = number
            count += 1
    return kept[:count]


def _by_image(boxes: list[np.ndarray], *answers: np.ndarray):
    """The boxes of each image with the rows of the answers that belong to them."""
    ends = np.cumsum([len(box) for box in boxes])[:-1]
    return zip(boxes, *(np.split(answer, ends) for answer in answers), strict=True)


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes with each edge moved by a fraction of the box's size."""
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def _squared(boxes: np.ndarray) -> np.ndarray:
    """The squares round the boxes."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1)


def _inside(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Positions (N, 5, 2) in the unit squares of the boxes as positions in the image."""
    return boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])
