"""The face cascade of MTCNN (Zhang et al., 2016) over several images at once.

Positions are continuous here: the top-left pixel reaches from 0 to 1. Crops are sampled where the boxes are, to
fractions of a pixel, and are black beyond the image as in training; the usual loop rounds boxes, cuts them at the
border without telling the landmarks, and is two pixels off in places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from PIL import Image

from deep3d.mtcnn_networks import MtcnnNetworks

_PNET_STRIDE, _PNET_WINDOW, _RNET_SIZE, _ONET_SIZE = 2, 12, 24, 48  # pixels
_PYRAMID_STEP = 2**-0.5


class Faces(NamedTuple):
    """What the cascade sees in one image."""

    boxes: np.ndarray  # (N, 4) left, top, right, bottom
    scores: np.ndarray  # (N,) probabilities
    landmarks: np.ndarray  # (N, 5, 2) eyes, nose tip, mouth corners; the image's left before right


class _Level(NamedTuple):
    """All images at one size."""

    images: np.ndarray  # (B, h, w, 3) uint8
    scale: np.ndarray  # (2,) pixels of these for one of the image, x and y


class Cascade:
    """P-Net proposes, R-Net refines, O-Net decides and places five landmarks."""

    def __init__(self, threads: int | None = None) -> None:
        self._networks = MtcnnNetworks(threads)

    def __call__(
        self, images: Sequence[np.ndarray], smallest_face: float, thresholds: tuple[float, float, float]
    ) -> list[Faces]:
        """Faces of at least `smallest_face` pixels in each (H, W, 3) uint8 image, the best first."""
        if not images:
            return []
        pyramid = _pyramid(_stacked(images), smallest_face)
        boxes = self._propose(pyramid, len(images), thresholds[0])
        boxes = self._refine(pyramid, boxes, thresholds[1])
        return self._decide(pyramid, boxes, thresholds[2])

    def read(self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """O-Net's scores (N,) and landmarks (N, 5, 2) in each image's (N, 4) square boxes.

        Each box is also read mirrored, and the two are averaged.
        """
        if not images:
            return []
        level = [_Level(image[None], np.ones(2)) for image in images]
        crops = np.concatenate([_crops([lv], [box], _ONET_SIZE) for lv, box in zip(level, boxes, strict=True)])
        _, points, scores = self._networks.onet(np.concatenate([crops, crops[:, :, ::-1]]))
        direct, mirrored = np.split(points, 2)
        mirrored = mirrored[:, [1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
        points, scores = (direct + mirrored) / 2, scores.reshape(2, -1).mean(axis=0)
        ends = np.cumsum([len(box) for box in boxes])[:-1]
        parts = zip(np.split(scores, ends), boxes, np.split(points, ends), strict=True)
        return [(score, _inside(box, inside)) for score, box, inside in parts]

    def _propose(self, pyramid: list[_Level], count: int, threshold: float) -> list[np.ndarray]:
        """The squares (N, 4) of each image that may hold a face; the first level is for crops alone."""
        found: list[list[np.ndarray]] = [[] for _ in range(count)]  # boxes with their scores
        for level in pyramid[1:]:
            offsets, scores = self._networks.pnet(level.images)
            for image in range(count):
                row, column = np.nonzero(scores[image] >= threshold)
                corner = np.stack([column, row], axis=1) * float(_PNET_STRIDE)
                boxes = np.concatenate([corner, corner + _PNET_WINDOW], axis=1) / np.tile(level.scale, 2)
                score = scores[image, row, column]
                keep = _distinct(boxes, score, 0.5)
                moved = _moved(boxes[keep], offsets[image, :, row[keep], column[keep]])
                found[image].append(np.column_stack([moved, score[keep]]))
        joined = [np.concatenate(boxes) if boxes else np.zeros((0, 5)) for boxes in found]
        return [_squared(boxes[_distinct(boxes[:, :4], boxes[:, 4], 0.7), :4]) for boxes in joined]

    def _refine(self, pyramid: list[_Level], boxes: list[np.ndarray], threshold: float) -> list[np.ndarray]:
        offsets, scores = self._networks.rnet(_crops(pyramid, boxes, _RNET_SIZE))
        refined = []
        for box, offset, score in _by_image(boxes, offsets, scores):
            sure = score > threshold
            box, offset, score = box[sure], offset[sure], score[sure]
            keep = _distinct(box, score, 0.7)
            refined.append(_squared(_moved(box[keep], offset[keep])))
        return refined

    def _decide(self, pyramid: list[_Level], boxes: list[np.ndarray], threshold: float) -> list[Faces]:
        offsets, points, scores = self._networks.onet(_crops(pyramid, boxes, _ONET_SIZE))
        faces = []
        for box, offset, point, score in _by_image(boxes, offsets, points, scores):
            sure = score > threshold
            box, offset, point, score = box[sure], offset[sure], point[sure], score[sure]
            landmarks, box = _inside(box, point), _moved(box, offset)
            keep = not_covered(box, score, 0.7)
            faces.append(Faces(box[keep], score[keep], landmarks[keep]))
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


def _pyramid(images: np.ndarray, smallest_face: float) -> list[_Level]:
    """The images as they are, and then in each size at which P-Net's window is as large as a face."""
    height, width = images.shape[1:3]
    levels = [_Level(images, np.ones(2))]
    scale = _PNET_WINDOW / smallest_face
    while min(height, width) * scale >= _PNET_WINDOW:
        size = round(width * scale), round(height * scale)
        # Each from the whole image: reducing the larger levels again is cheaper, but finds fewer faces.
        small = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in images]
        levels.append(_Level(np.stack(small), np.array([size[0] / width, size[1] / height])))
        scale *= _PYRAMID_STEP
    return levels


def _crops(pyramid: list[_Level], boxes: list[np.ndarray], size: int) -> np.ndarray:
    """(N, size, size, 3) float32 crops of the boxes of all images, each from the smallest level that is fine enough."""
    places = np.concatenate(boxes)
    crops = np.empty((len(places), size, size, 3), np.float32)
    image = np.repeat(np.arange(len(boxes)), [len(box) for box in boxes])
    scales = np.array([level.scale.min() for level in pyramid])  # falling
    fine = (scales * (places[:, 2:3] - places[:, :1]) >= size).sum(axis=1)
    chosen = np.maximum(fine - 1, 0)
    for number in np.unique(chosen):
        rows = np.flatnonzero(chosen == number)
        level = pyramid[number]
        _sample_into(level.images, image[rows], places[rows] * np.tile(level.scale, 2), rows, crops)
    return crops


@numba.njit(cache=True, nogil=True)
def _sample_into(images, image, boxes, rows, crops):
    """Fill the rows of (N, size, size, 3) crops: means of bilinear samples in each cell, black beyond the image."""
    height, width, size = images.shape[1], images.shape[2], crops.shape[1]
    for number in range(len(rows)):
        pixels, crop = images[image[number]], crops[rows[number]]
        left_edge, top_edge, right_edge, bottom_edge = boxes[number]
        cell_width, cell_height = (right_edge - left_edge) / size, (bottom_edge - top_edge) / size
        across, down = max(1, int(np.ceil(cell_width))), max(1, int(np.ceil(cell_height)))
        crop[:] = 0
        for row in range(size * down):
            y = top_edge + (row + 0.5) / down * cell_height - 0.5
            if y < -1 or y > height:
                continue
            top = int(min(max(y, 0), height - 1))
            bottom, v = min(top + 1, height - 1), min(max(y - top, 0.0), 1.0)
            for column in range(size * across):
                x = left_edge + (column + 0.5) / across * cell_width - 0.5
                if x < -1 or x > width:
                    continue
                left = int(min(max(x, 0), width - 1))
                right, u = min(left + 1, width - 1), min(max(x - left, 0.0), 1.0)
                for c in range(3):
                    upper = (1 - u) * pixels[top, left, c] + u * pixels[top, right, c]
                    lower = (1 - u) * pixels[bottom, left, c] + u * pixels[bottom, right, c]
                    crop[row // down, column // across, c] += ((1 - v) * upper + v * lower) / (across * down)


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
