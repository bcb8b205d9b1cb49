"""A chart of the face: its surface unwrapped into rows and columns, with a fixed place for each point in any pose.

A photo unwrapped by a correct mesh shows each eye at its fixed place; if the mesh is off, so is the eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numba
import numpy as np

from deep3d.camera import Camera, project
from deep3d.face_model import FaceModel
from deep3d.landmarks import BROWS, JAW
from deep3d.rendering.kernels import rasterize_into

CHART_SIZE = 128  # places a side, about as many as the face has pixels in the crop
CHART_CHANNELS = 9  # red, green, blue; the three parts of the normal; red, green, blue of what lies outside

_ROUND = 1.75  # radians from the middle to an edge, for the half that depends on angles, not on distances
_FARTHEST = 2.4  # radians, beyond which the back of the head begins
_WIDEST = 1.3  # times the width of the jaw
_ABOVE, _BELOW = 0.45, 0.2  # decimetres that the chart reaches beyond brows and chin
_BEHIND = 0.15  # decimetres from the ends of the jaw line back to the axis
_DEEPEST = 10.0  # decimetres, more than the distance of any point from the axis
_CHIN = 8  # of the 68 landmarks
GREY = np.float32(0.45)  # of the photo's range, on average
CONTRAST = np.float32(1 / 255)
RELIEF = np.float32(0.3)  # of the normals, which vary more than the colours
OUTSIDE = np.float32(0.06)  # decimetres along the normal: at the outline, this is outside the head
_FACE = slice(30, 98)  # rows and columns of the chart between ears, hair and neck
_BRIGHT = 0.35  # of the photo's range, mean above which a face is not brightened
_LARGEST_GAIN = 6.0


@dataclass(frozen=True, eq=False)
class FaceChart:
    """S x S points of a face model's surface, row by row, and the places of N of its vertices on it."""

    corners: np.ndarray  # (S * S, 3) int32, the vertices round each point
    weights: np.ndarray  # (S * S, 3) float32 barycentric
    vertices: np.ndarray  # (N,) vertices whose places are known
    places: np.ndarray  # (N, 2) column and row of each

    @classmethod
    def of(cls, model: FaceModel, vertices: Sequence[int]) -> FaceChart:
        """The chart of the mean face: rows follow the height; columns follow, half each, the distance and the
        angle about an upright axis through the head.
        """
        flat = _flattened(model)
        angle = np.abs(_about_axis(model)[0])
        front = np.ascontiguousarray(model.triangles[(angle[model.triangles] < _FARTHEST).all(axis=1)])
        size = (CHART_SIZE, CHART_SIZE)
        triangle, depth = np.empty(size, np.int32), np.empty(size, np.float32)
        weights = np.empty((*size, 2), np.float32)
        rasterize_into(flat, front, triangle, weights, depth)
        first_two = weights.reshape(-1, 2)
        return cls(
            corners=front[triangle.ravel()],
            weights=np.column_stack([first_two, 1 - first_two.sum(axis=1)]),
            vertices=np.asarray(vertices, np.int64),
            places=(flat[list(vertices), :2] + 1) * (CHART_SIZE / 2) - 0.5,
        )

    @property
    def needed(self) -> np.ndarray:
        """(P,) the vertices of the chart's points and places, ascending."""
        return np.unique(np.concatenate([self.corners.ravel(), self.vertices]))

    def among(self, vertices: np.ndarray) -> FaceChart:
        """The same chart for meshes with only these vertices (P,), ascending, which must include the needed ones."""
        corners = np.searchsorted(vertices, self.corners).astype(np.int32)
        return replace(self, corners=corners, vertices=np.searchsorted(vertices, self.vertices))

    def unwrap(self, crop: np.ndarray, placed: np.ndarray, camera: Camera) -> np.ndarray:
        """The colour of a crop (H, W, 3) uint8 at each point, the normal, and the colour a little outside the surface:
        (9, S, S) float32.

        `placed` (V, 3) are the vertices after rotation and translation, decimetres, seen by the camera in crop pixels.
        Hidden points are not masked: they have the colour of what covers them. The outside colour is needed because a
        mesh that ends inside the outline of a turned head would otherwise never show that outline.
        """
        chart = np.empty((CHART_CHANNELS, CHART_SIZE, CHART_SIZE), np.float32)
        lens = np.array([camera.focal_length_px, camera.distance, camera.column, camera.row], np.float32)
        crop = np.ascontiguousarray(crop)
        _unwrap_into(crop, placed.astype(np.float32, copy=False), self.corners, self.weights, lens, chart)
        return chart

    def seen(self, placed: np.ndarray, cameras: Sequence[Camera]) -> np.ndarray:
        """Crop pixels (B, N, 2) of the vertices of B faces (B, V, 3), each seen by its own camera."""
        faces = placed[:, None, self.vertices]
        return np.concatenate([project(face, camera) for face, camera in zip(faces, cameras, strict=True)])


def brighten(charts: np.ndarray) -> None:
    """Brighten charts (B, 9, S, S) of dark faces in place: the network saw more bright ones in training."""
    for chart in charts:
        brightness = float(chart[:3, _FACE, _FACE].mean()) + float(GREY)
        gain = min(_BRIGHT / max(brightness, 1e-3), _LARGEST_GAIN)
        if gain > 1:
            for colours in (chart[:3], chart[6:, 1:-1, 1:-1]):  # the last row and column are empty
                colours[:] = np.minimum((colours + GREY) * np.float32(gain), 1) - GREY


def _about_axis(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Angle (V,) and distance (V,) of the mean face's vertices about an upright axis through the head."""
    x, _, z = model.mean_shape.T
    middle = model.mean_shape[model.landmark_vertices[[0, 16]], 2].mean() - _BEHIND
    return np.arctan2(x, z - middle), np.hypot(x, z - middle)


def _flattened(model: FaceModel) -> np.ndarray:
    """Clip coordinates (V, 4) of the mean face's vertices on the chart, the outermost in front."""
    landmarks = model.mean_shape[model.landmark_vertices]
    angle, distance = _about_axis(model)
    half_width = np.abs(landmarks[JAW, 0]).max() * 1.02
    top, bottom = landmarks[BROWS, 1].max() + _ABOVE, landmarks[_CHIN, 1] - _BELOW
    across = np.clip(model.mean_shape[:, 0] / half_width, -_WIDEST, _WIDEST)
    column = 0.5 * across + 0.5 * angle / _ROUND
    row = (top - model.mean_shape[:, 1]) / (top - bottom) * 2 - 1
    return np.stack([column, row, -distance / _DEEPEST, np.ones_like(row)], axis=1).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _unwrap_into(crop, placed, corners, weights, lens, chart):
    """Fill the chart (9, S, S); `lens` has focal length, distance, and the principal point's column and row."""
    size = chart.shape[1]
    points = np.empty((size, size, 3), np.float32)
    for row in range(size):
        for column in range(size):
            k = row * size + column
            for axis in range(3):
                value = weights[k, 0] * placed[corners[k, 0], axis] + weights[k, 1] * placed[corners[k, 1], axis]
                points[row, column, axis] = value + weights[k, 2] * placed[corners[k, 2], axis]
    _colours_into(crop, points, lens, chart[:3])
    chart[3:6] = np.float32(0)
    outside = points.copy()
    for row in range(1, size - 1):
        for column in range(1, size - 1):
            ax = points[row, column + 1, 0] - points[row, column - 1, 0]
            ay = points[row, column + 1, 1] - points[row, column - 1, 1]
            az = points[row, column + 1, 2] - points[row, column - 1, 2]
            bx = points[row - 1, column, 0] - points[row + 1, column, 0]
            by = points[row - 1, column, 1] - points[row + 1, column, 1]
            bz = points[row - 1, column, 2] - points[row + 1, column, 2]
            nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            unit = np.float32(1) / (np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9))
            for axis, value in enumerate((unit * nx, unit * ny, unit * nz)):
                chart[3 + axis, row, column] = RELIEF * value
                outside[row, column, axis] += OUTSIDE * value
    _colours_into(crop, outside, lens, chart[6:])
    chart[6:, 0], chart[6:, -1], chart[6:, :, 0], chart[6:, :, -1] = 0, 0, 0, 0  # where there is no outward direction


@numba.njit(cache=True, nogil=True, fastmath=True)
def _colours_into(crop, points, lens, colours):
    """Fill the colours (3, S, S) with the crop at the projected points (S, S, 3)."""
    height, width = crop.shape[:2]
    right, bottom, zero = np.float32(width - 1), np.float32(height - 1), np.float32(0)
    values = crop.reshape(-1)  # unsigned indices: signed ones need a check for negative values, which takes time
    pixel, line = np.uint32(3), np.uint32(3 * width)
    for row in range(points.shape[0]):
        for column in range(points.shape[1]):
            x, y, z = points[row, column]
            zoom = lens[0] / (lens[1] - z)
            across = min(max(lens[2] + zoom * x, zero), right)
            down = min(max(lens[3] - zoom * y, zero), bottom)
            left, above = min(np.uint32(across), np.uint32(width - 2)), min(np.uint32(down), np.uint32(height - 2))
            right_part, below_part = across - np.float32(left), down - np.float32(above)
            for channel in range(3):
                here = above * line + left * pixel + np.uint32(channel)
                first, second = np.float32(values[here]), np.float32(values[here + pixel])
                upper = first + right_part * (second - first)
                first, second = np.float32(values[here + line]), np.float32(values[here + line + pixel])
                lower = first + right_part * (second - first)
                colours[channel, row, column] = (upper + below_part * (lower - upper)) * CONTRAST - GREY
