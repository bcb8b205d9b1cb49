"""Maps of a head's surface as a camera sees it: height, normal, and the point of the mean shape."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.rendering.kernels import interpolate_into, rasterize_into

MAP_SIZE = 112  # pixels a side, each of them four of the crop
MAP_SIZES = (MAP_SIZE, CROP_SIZE)  # that a network may have
SURFACE = 7  # numbers of a point of the surface: its height, its normal, its place on the mean shape


@dataclass(frozen=True)
class SurfaceMaps:
    """B heads, S x S pixels each."""

    covered: np.ndarray  # (B, S, S) bool: where the surface is
    height: np.ndarray  # (B, S, S) decimetres toward the camera from the head's origin
    normals: np.ndarray  # (B, S, S, 3) unit vectors, x right, y up, z toward the camera
    coordinates: np.ndarray  # (B, S, S, 3) the same point of the mean shape, decimetres

    def at(self, size: int) -> SurfaceMaps:
        """The same, S pixels a side or half as many: means of four pixels, covered where most of these are."""
        if size == self.height.shape[1]:
            return self
        normals = _means(self.normals)
        unit = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
        covered = _means(self.covered.astype(np.float32)) > 0.5
        return SurfaceMaps(covered, _means(self.height), unit, _means(self.coordinates))


def surface_maps(
    clip: np.ndarray,
    turned: np.ndarray,
    normals: np.ndarray,
    mean_shape: np.ndarray,
    triangles: np.ndarray,
    size: int = MAP_SIZE,
) -> SurfaceMaps:
    """Maps of heads with (B, V, 3) vertices and normals, `turned` as the camera sees them but not moved.

    They have `size` pixels a side. `clip` (B, V, 4) are their clip coordinates in the crop.
    Outside the outline, the nearest values continue.
    """
    count = len(clip)
    covered = np.empty((count, size, size), np.bool_)
    values = np.empty((count, size, size, SURFACE), np.float32)
    attributes = np.empty((clip.shape[1], SURFACE), np.float32)
    attributes[:, 4:] = mean_shape
    for b in range(count):
        attributes[:, 0], attributes[:, 1:4] = turned[b, :, 2], normals[b]
        triangle, weights, _ = fragments(clip[b], triangles, size)
        interpolate_into(attributes, triangles, triangle, weights, values[b])
        covered[b] = triangle >= 0
        _spread_outward(covered[b], values[b])
    unit = values[..., 1:4] / np.maximum(np.linalg.norm(values[..., 1:4], axis=-1, keepdims=True), 1e-6)
    return SurfaceMaps(covered, values[..., 0], unit, values[..., 4:])


def fragments(
    clip: np.ndarray, triangles: np.ndarray, size: int = MAP_SIZE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle (S, S), weights (S, S, 2) and depth (S, S) of one map of clip coordinates (V, 4)."""
    triangle, depth = np.empty((size, size), np.int32), np.empty((size, size), np.float32)
    weights = np.empty((size, size, 2), np.float32)
    rasterize_into(clip, triangles, triangle, weights, depth)
    return triangle, weights, depth


def reduced(crops: np.ndarray, size: int = MAP_SIZE) -> np.ndarray:
    """(B, S, S, 3) uint8 of crops (B, 224, 224, 3): means of four pixels, or the crops if their size is asked for."""
    if size == CROP_SIZE:
        return crops
    total = np.full((len(crops), MAP_SIZE, MAP_SIZE, 3), 2, np.uint16)
    for row in range(2):
        for column in range(2):
            total += crops[:, row::2, column::2]
    return (total // 4).astype(np.uint8)


def _means(maps: np.ndarray) -> np.ndarray:
    """(B, S / 2, S / 2, ...) means of four neighbouring pixels of (B, S, S, ...)."""
    return (maps[:, ::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, ::2] + maps[:, 1::2, 1::2]) / 4


@numba.njit(cache=True, nogil=True)
def _spread_outward(covered, values):
    """Fill each uncovered pixel of values (S, S, C) from a near covered one (Rosenfeld and Pfaltz, 1966)."""
    height, width = covered.shape
    far = np.int32(1 << 20)
    distance = np.full((height, width), far, np.int32)
    for row in range(height):
        for column in range(width):
            if covered[row, column]:
                distance[row, column] = 0
    for way in (1, -1):
        for i in range(height):
            row = i if way == 1 else height - 1 - i
            for j in range(width):
                column = j if way == 1 else width - 1 - j
                for step in range(4):
                    dr = -way if step > 0 else 0
                    dc = -way if step == 0 else (step - 2)
                    r, c = row + dr, column + dc
                    if r < 0 or r >= height or c < 0 or c >= width:
                        continue
                    reach = distance[r, c] + (3 if dr == 0 or dc == 0 else 4)
                    if reach < distance[row, column]:
                        distance[row, column] = reach
                        for channel in range(values.shape[2]):
                            values[row, column, channel] = values[r, c, channel]
