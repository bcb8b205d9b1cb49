"""Five-point alignment of Deep3DFaceRecon (Deng et al., 2019): the 224 x 224 crop and the exact map back to the photo.

The crop is a window of the photo resized as a whole with Pillow's bicubic filter. Here only the window is computed,
with the same filter weights in the same fixed-point arithmetic, so that the bytes are Pillow's and neither time nor
memory grows with the rest of the photo. Rows are filtered before columns, as in every Pillow up to 11; later
versions reverse the order for photos more than twice as tall as wide, which changes single grey levels there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numba
import numpy as np

from deep3d.camera import CROP_SIZE, Camera
from deep3d.errors import AlignmentFailed, ShapeError

STANDARD_POINTS = np.array(
    [
        [-0.31148657, 0.29036078, 0.13377953],
        [0.30979887, 0.28972036, 0.13179526],
        [0.0032534988, -0.046179324, 0.55244243],
        [-0.25216928, -0.38133916, 0.22405732],
        [0.2484662, -0.38128236, 0.22235769],
    ]
)
"""Mean positions of the five points, x right, y up, z toward the camera, in the unit of their source: the file
similarity_Lm3D_all.mat of Deep3DFaceRecon_pytorch (MIT), reduced from 68 points by `landmarks.five_points`."""

CROP_PIXELS_PER_UNIT = 102.0  # size of a face in the crop, in pixels per unit of the standard points
SMALLEST_FACE = 2.0  # photo pixels per unit, the eyes about one pixel apart: less is a detector error
LARGEST_FACE = 20.0  # times the longer side of the photo, per unit


class CropParameters(NamedTuple):
    """Where the crop lies: columns left .. left + 223 and rows up .. up + 223 of the resized photo."""

    scale: float  # crop pixels per photo pixel, before the resized size was made whole
    left: int  # may be negative: black beyond the photo
    up: int
    resized_width: int
    resized_height: int


@dataclass(frozen=True)
class AlignedCrop:
    """The network's input, and how its pixels lie in the upright photo."""

    image: np.ndarray  # (224, 224, 3) uint8 RGB, black beyond the photo
    five_points: np.ndarray  # (5, 2) float64 photo pixels, used for the alignment
    trans_params: np.ndarray  # (5,) photo width and height, scale, and the fit's x and y-up translation in photo pixels
    scale: float
    left: int
    up: int
    resized_width: int
    resized_height: int
    photo_width: int
    photo_height: int

    @property
    def aligned_points(self) -> np.ndarray:
        """(5, 2) crop points as Deep3DFaceRecon stores them: y up, and off by up to a pixel (not truncated).

        For MAT files and comparison only; `to_crop` gives the exact positions.
        """
        width, height, scale, x, y = self.trans_params
        points = np.column_stack([self.five_points[:, 0], height - 1 - self.five_points[:, 1]])
        corner = np.array([self.resized_width, self.resized_height]) / 2 - CROP_SIZE / 2
        return (points - [x, y] + [width / 2, height / 2]) * scale - corner

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) homogeneous map from crop pixels to photo pixels: a scaling and a shift on each axis."""
        x, y = self.photo_width / self.resized_width, self.photo_height / self.resized_height
        return np.array([[x, 0, (self.left + 0.5) * x - 0.5], [0, y, (self.up + 0.5) * y - 0.5], [0, 0, 1]])

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Photo pixels (..., 2) of crop pixels (..., 2)."""
        matrix = self.matrix
        return np.asarray(points) * matrix.diagonal()[:2] + matrix[:2, 2]

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Crop pixels (..., 2) of photo pixels (..., 2)."""
        matrix = self.matrix
        return (np.asarray(points) - matrix[:2, 2]) / matrix.diagonal()[:2]

    def shift(self, five_points: np.ndarray) -> float:
        """The largest move of a crop corner, in crop pixels, if the photo were aligned by other points (5, 2).

        Raises: AlignmentFailed if the points cannot be those of a face in this photo.
        """
        there = crop_parameters(five_points, self.photo_width, self.photo_height)
        moved = [
            (start + end) / there.scale - (own + end) / self.scale
            for start, own in ((there.left, self.left), (there.up, self.up))
            for end in (0, CROP_SIZE)
        ]
        return self.scale * float(np.abs(moved).max())

    def photo_camera(self, camera: Camera) -> np.ndarray:
        """(3, 4) homogeneous matrix from model-space decimetres to photo pixels, for a camera that sees the crop."""
        return self.matrix @ camera.matrix()


def align(photo: np.ndarray, five_points: np.ndarray) -> AlignedCrop:
    """Crop a face out of an upright (H, W, 3) uint8 photo by its five points (5, 2) in photo pixels.

    The points are those of `Detection.landmarks`: the eye on the image left first. The crop is never rotated.

    Raises: ShapeError; AlignmentFailed if the points cannot be those of a face in this photo.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ShapeError(f"photo: expected (H, W, 3) uint8, got {photo.shape} {photo.dtype}")
    height, width = photo.shape[:2]
    x, y, face = _fit(five_points, width, height)
    return _cut(photo, five_points, x, y, _window(x, y, face, width, height))


def crop_at(photo: np.ndarray, five_points: np.ndarray, scale: float, left: int, up: int) -> AlignedCrop:
    """The crop of an upright (H, W, 3) uint8 photo whose window is known, as face.json has it.

    Of `trans_params` the translation is then known to a pixel of the crop.
    """
    height, width = photo.shape[:2]
    w, h = int(width * scale), int(height * scale)
    x = width / 2 + (left + CROP_SIZE / 2 - w / 2) / scale
    y = height / 2 - (up + CROP_SIZE / 2 - h / 2) / scale
    return _cut(photo, five_points, x, y, CropParameters(scale, left, up, w, h))


def _cut(photo: np.ndarray, five_points: np.ndarray, x: float, y: float, crop: CropParameters) -> AlignedCrop:
    height, width = photo.shape[:2]
    columns = _filter(width, crop.resized_width, crop.left)
    rows = _filter(height, crop.resized_height, crop.up)
    return AlignedCrop(
        image=_resample(photo, columns, rows),
        five_points=np.array(five_points, np.float64),
        trans_params=np.array([width, height, crop.scale, x, y]),
        scale=crop.scale,
        left=crop.left,
        up=crop.up,
        resized_width=crop.resized_width,
        resized_height=crop.resized_height,
        photo_width=width,
        photo_height=height,
    )


def cropped_again(photo: np.ndarray, crop: AlignedCrop) -> AlignedCrop:
    """The crop with the pixels of another (H, W, 3) uint8 photo of the same size, such as a video's next frame."""
    columns = _filter(crop.photo_width, crop.resized_width, crop.left)
    rows = _filter(crop.photo_height, crop.resized_height, crop.up)
    return replace(crop, image=_resample(photo, columns, rows))


def crop_parameters(five_points: np.ndarray, width: int, height: int) -> CropParameters:
    """Where `align` would crop a photo of that size, for rendering faces as if they had been aligned.

    Raises: ShapeError; AlignmentFailed if the points (5, 2) cannot be those of a face in this photo.
    """
    return _window(*_fit(five_points, width, height), width, height)


def _fit(five_points: np.ndarray, width: int, height: int) -> tuple[float, float, float]:
    """Translation x, y (y up, photo pixels) and pixels per unit of the affine camera through the standard points."""
    points = np.array(five_points, np.float64)
    if points.shape != (5, 2):
        raise ShapeError(f"five points: expected shape (5, 2), got {points.shape}")
    if not np.isfinite(points).all():
        raise AlignmentFailed("five points: not all are finite numbers; detect the face again")
    points[:, 1] = height - 1 - points[:, 1]
    unknowns = np.column_stack([STANDARD_POINTS, np.ones(5)])
    solution = np.linalg.lstsq(unknowns, points, rcond=None)[0]
    face = float(np.linalg.norm(solution[:3], axis=0).mean())
    if not SMALLEST_FACE <= face <= LARGEST_FACE * max(width, height):
        raise AlignmentFailed(
            f"five points: a face of {face:.3g} pixels a unit cannot be cropped; detect the face again"
        )
    return float(solution[3, 0]), float(solution[3, 1]), face


def _window(x: float, y: float, face: float, width: int, height: int) -> CropParameters:
    scale = CROP_PIXELS_PER_UNIT / face
    w, h = int(width * scale), int(height * scale)
    left = int(w / 2 - CROP_SIZE / 2 + (x - width / 2) * scale)
    up = int(h / 2 - CROP_SIZE / 2 + (height / 2 - y) * scale)
    if not (-CROP_SIZE < left < w and -CROP_SIZE < up < h):
        raise AlignmentFailed("five points: the face they describe lies outside the photo; detect the face again")
    return CropParameters(scale, left, up, w, h)


_WEIGHT_BITS = 22  # Pillow's fixed-point weights for 8-bit channels
_STRIP = 64  # rows that are filtered together: their pixels stay in the processor's cache


class _Filter(NamedTuple):
    """Which source pixels make each of the 224 pixels of an axis."""

    start: np.ndarray  # (224,) int64 first source pixel
    count: np.ndarray  # (224,) int64 number of source pixels, 0 beyond the photo
    weights: np.ndarray  # (224, K) int32


def _filter(size: int, resized: int, first: int) -> _Filter:
    """Pillow's bicubic weights for pixels first .. first + 223 of an axis that is resized from one size to another."""
    step = size / resized
    stretch = max(step, 1.0)
    reach = 2 * stretch
    pixel = first + np.arange(CROP_SIZE)
    center = (pixel + 0.5) * step
    start = np.clip((center - reach + 0.5).astype(np.int64), 0, size)
    end = np.clip((center + reach + 0.5).astype(np.int64), 0, size)
    inside = (pixel >= 0) & (pixel < resized)
    count = np.where(inside, end - start, 0)
    tap = np.arange(max(count.max(), 1))
    distance = np.abs(tap + start[:, None] - center[:, None] + 0.5) * (1 / stretch)
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = (((distance - 5) * distance + 8) * distance - 4) * -0.5
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    weights[tap >= count[:, None]] = 0
    total = np.cumsum(weights, axis=1)[:, -1:]  # summed in sequence, as Pillow does
    weights = weights / np.where(total == 0, 1, total) * (1 << _WEIGHT_BITS)
    return _Filter(start, count, np.trunc(weights + np.copysign(0.5, weights)).astype(np.int32))


def _resample(photo: np.ndarray, columns: _Filter, rows: _Filter) -> np.ndarray:
    """(224, 224, 3) uint8: across, then down, rounded to bytes in between."""
    top = rows.start[rows.count > 0].min(initial=photo.shape[0])
    bottom = (rows.start + rows.count).max(initial=top, where=rows.count > 0)
    narrow = _resample_across(np.ascontiguousarray(photo[top:bottom]), *columns)  # a turned photo is a view
    flat = narrow.reshape(len(narrow), -1)
    return _resample_down(flat, rows.start - top, rows.count, rows.weights).reshape(len(rows.start), -1, 3)


@numba.njit(cache=True, nogil=True)
def _resample_across(image: np.ndarray, start: np.ndarray, count: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each row (W, 3) of the image filtered to (224, 3); pixels without sources stay black.

    A strip of rows is turned first, so that the processor's vectors run along it: a pixel has only a few sources.
    """
    out = np.zeros((image.shape[0], len(start), 3), np.uint8)
    low, high = image.shape[1], 0
    for pixel in range(len(start)):
        if count[pixel] > 0:
            low, high = min(low, start[pixel]), max(high, start[pixel] + count[pixel])
    turned = np.zeros((max(high - low, 0), 3 * _STRIP), np.uint8)
    totals = np.empty(3 * _STRIP, np.int32)
    for top in range(0, image.shape[0], _STRIP):
        rows = min(_STRIP, image.shape[0] - top)
        for row in range(rows):
            for column in range(len(turned)):
                for channel in range(3):
                    turned[column, 3 * row + channel] = image[top + row, low + column, channel]
        for pixel in range(len(start)):
            if count[pixel] == 0:
                continue
            totals[:] = 1 << (_WEIGHT_BITS - 1)
            for tap in range(count[pixel]):
                weight, sources = weights[pixel, tap], turned[start[pixel] - low + tap]
                for k in range(len(totals)):
                    totals[k] += weight * np.int32(sources[k])
            for row in range(rows):
                for channel in range(3):
                    out[top + row, pixel, channel] = min(max(totals[3 * row + channel] >> _WEIGHT_BITS, 0), 255)
    return out


@numba.njit(cache=True, nogil=True)
def _resample_down(image: np.ndarray, start: np.ndarray, count: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each column of the image (H, N) filtered to (224, N); pixels without sources stay black."""
    out = np.zeros((len(start), image.shape[1]), np.uint8)
    totals = np.empty(image.shape[1], np.int32)
    for pixel in range(len(start)):
        if count[pixel] == 0:
            continue
        totals[:] = 1 << (_WEIGHT_BITS - 1)
        for tap in range(count[pixel]):
            weight, sources = weights[pixel, tap], image[start[pixel] + tap]
            for column in range(len(totals)):
                totals[column] += weight * np.int32(sources[column])
        for column in range(len(totals)):
            out[pixel, column] = min(max(totals[column] >> _WEIGHT_BITS, 0), 255)
    return out
