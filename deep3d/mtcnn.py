"""The face cascade of MTCNN (Zhang et al., 2016) over several images at once.

Positions are continuous here: the top-left pixel reaches from 0 to 1. Crops are sampled where the boxes are, to
fractions of a pixel, and are black beyond the image as in training; the usual loop rounds boxes, cuts them at the
border without telling the landmarks, and is two pixels off in places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        pyramid = pyramid_of(_stacked(images), smallest_face)
        boxes = self._propose(pyramid, len(images), thresholds[0])
        boxes = self._refine(pyramid, boxes, thresholds[1])
        return self._decide(pyramid, boxes, thresholds[2])

    def read(self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray]) -> list[tuple[float, np.ndarray]]:
        """O-Net's score and landmarks (5, 2) in a square box (4,) of each image, read as it is and mirrored."""
        if not images:
            return []
        crops = [
            _crops([_Level(image[None], np.ones(2))], [box[None]], _ONET_SIZE)
            for image, box in zip(images, boxes, strict=True)
        ]
        direct = np.concatenate(crops)
        _, points, scores = self._networks.onet(np.concatenate([direct, direct[:, :, ::-1]]))
        straight, mirrored = np.split(points, 2)
        mirrored = mirrored[:, [1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
        landmarks = _inside(np.stack(boxes), (straight + mirrored) / 2)
        return list(zip(scores.reshape(2, -1).mean(axis=0).tolist(), landmarks, strict=True))

    def _propose(self, pyramid: list[_Level], count: int, threshold: float) -> list[np.ndarray]:
        """The squares (N, 4) of each image that may hold a face; the first level is for crops alone."""
        found: list[list[np.ndarray]] = [[] for _ in range(count)]  # boxes with their scores
        for level, offsets, scores in self._proposals(pyramid[1:]):
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

    def _proposals(self, levels: list[_Level]) -> Iterator[tuple[_Level, np.ndarray, np.ndarray]]:
        """What P-Net says of each level, the offsets (B, 4, h, w) and scores (B, h, w) of its windows.

        All levels are shown at once, side by side: a large image takes less time than many small ones.
        """
        if not levels:
            return
        sheet, corners = sheet_of([level.images for level in levels])
        offsets, scores = self._networks.pnet(sheet)
        for level, corner in zip(levels, corners, strict=True):
            rows, columns = (
                slice(start // _PNET_STRIDE, (start + size - _PNET_WINDOW + 1) // _PNET_STRIDE + 1)
                for start, size in zip(corner, level.images.shape[1:3], strict=True)
            )
            yield level, offsets[:, :, rows, columns], scores[:, rows, columns]

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


def pyramid_of(images: np.ndarray, smallest_face: float) -> list[_Level]:
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


def sheet_of(levels: list[np.ndarray]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Images (B, h, w, 3) of falling size side by side in (B, H, W, 3), black between, and their top left corners.

    They stand in columns, in multiples of P-Net's stride so that its windows begin where theirs begin.
    """
    height = _next_even(levels[0].shape[1])
    corners: list[tuple[int, int]] = []
    columns: list[tuple[int, int]] = []  # the left edge of each, and how far it is filled
    width = 0
    for images in levels:
        tall, wide = (_next_even(size) for size in images.shape[1:3])
        number = next((k for k, (_, filled) in enumerate(columns) if filled + tall <= height), len(columns))
        if number == len(columns):
            columns.append((width, 0))
            width += wide
        left, filled = columns[number]
        corners.append((filled, left))
        columns[number] = left, filled + tall
    sheet = np.zeros((len(levels[0]), height, width, 3), np.uint8)
    for images, (top, left) in zip(levels, corners, strict=True):
        sheet[:, top : top + images.shape[1], left : left + images.shape[2]] = images
    return sheet, corners


def _next_even(number: int) -> int:
    return number + number % _PNET_STRIDE


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
    size = crops.shape[1]
    for number in range(len(rows)):
        pixels, crop = images[image[number]], crops[rows[number]]
        left_edge, top_edge, right_edge, bottom_edge = boxes[number]
        columns, across = _taps(left_edge, right_edge, size, pixels.shape[1])
        lines, down = _taps(top_edge, bottom_edge, size, pixels.shape[0])
        share = np.float32(1 / (across * down))
        crop[:] = 0
        for row in range(size * down):
            above, below, high, low = lines[row]
            upper, lower = pixels[int(above)], pixels[int(below)]
            for column in range(size):
                red = green = blue = np.float32(0)
                for k in range(column * across, (column + 1) * across):
                    left, right, at_left, at_right = columns[k]
                    near, far = int(left), int(right)
                    a, b, c, d = high * at_left, high * at_right, low * at_left, low * at_right
                    red += a * upper[near, 0] + b * upper[far, 0] + c * lower[near, 0] + d * lower[far, 0]
                    green += a * upper[near, 1] + b * upper[far, 1] + c * lower[near, 1] + d * lower[far, 1]
                    blue += a * upper[near, 2] + b * upper[far, 2] + c * lower[near, 2] + d * lower[far, 2]
                crop[row // down, column, 0] += share * red
                crop[row // down, column, 1] += share * green
                crop[row // down, column, 2] += share * blue


@numba.njit(cache=True, nogil=True)
def _taps(low, high, size, length):
    """Samples along one axis of a crop: (size * K, 4) of two pixels and their weights, which are 0 beyond the image.

    K samples, which is the second result, make one of the crop's pixels.
    """
    cell = (high - low) / size
    count = max(1, int(np.ceil(cell)))
    taps = np.zeros((size * count, 4), np.float32)
    for k in range(size * count):
        x = low + (k + 0.5) / count * cell - 0.5
        if -1 <= x <= length:
            first = int(min(max(x, 0), length - 1))
            part = min(max(x - first, 0.0), 1.0)
            taps[k, 0], taps[k, 1] = first, min(first + 1, length - 1)
            taps[k, 2], taps[k, 3] = 1 - part, part
    return taps, count


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
