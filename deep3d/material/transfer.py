"""What light reaches each point of a head from each side: visibility times cosine, by shadow maps.

A map from each of many directions says what the head itself hides (Williams, "Casting curved shadows on curved
surfaces", 1978). It depends on the shape alone: a pose only turns the light. Embree takes 1.4 times as long for the
same rays and is one more library (docs/material.md).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from deep3d.camera import clip_space
from deep3d.material.directions import even_directions
from deep3d.rendering.kernels import depth_into

DIRECTIONS = 200
MAP = 192  # pixels a side of a shadow map
BIAS = 0.025  # decimetres behind the nearest surface that still count as lit, more at grazing light
GRAZING = 0.03  # the same times the tangent of the angle of light
STEEPEST = 4.0  # that tangent at most
_THREADS = 2


@dataclass(frozen=True, eq=False)
class Transfer:
    """D directions and what of their light reaches each of V vertices of one head, in head space."""

    directions: np.ndarray  # (D, 3) float32 unit vectors toward the light
    visible: np.ndarray  # (V, D) float32 in [0, 1], 0 where the head itself hides that side
    normals: np.ndarray  # (V, 3) float32

    def at(self, rows: np.ndarray) -> Transfer:
        """That of some vertices."""
        return Transfer(self.directions, self.visible[rows], self.normals[rows])

    def toward(self, number: int) -> Transfer:
        """That of one direction."""
        one = slice(number, number + 1)
        return Transfer(self.directions[one], self.visible[:, one], self.normals)

    @property
    def lit(self) -> np.ndarray:
        """(V, D) visibility times cosine."""
        return self.visible * np.maximum(self.normals @ self.directions.T, 0)

    @property
    def openness(self) -> np.ndarray:
        """(V,) float32 in [0, 1]: the share that arrives of an even light from all sides (ambient occlusion)."""
        return np.clip(self.lit.sum(axis=1) * np.float32(self.solid_angle / np.pi), 0, 1)

    @property
    def solid_angle(self) -> float:
        """Of each direction, steradian."""
        return 4 * np.pi / len(self.directions)


def compute_transfer(
    vertices: np.ndarray, normals: np.ndarray, triangles: np.ndarray, directions: np.ndarray | None = None
) -> Transfer:
    """The transfer of a mesh (V, 3), (V, 3), (T, 3) in decimetres."""
    toward = even_directions(DIRECTIONS) if directions is None else directions.astype(np.float32)
    visible = visibility(vertices, normals, triangles, toward)
    return Transfer(toward, visible, normals.astype(np.float32))


def visibility(
    vertices: np.ndarray, normals: np.ndarray, triangles: np.ndarray, directions: np.ndarray, size: int = MAP
) -> np.ndarray:
    """(V, D) float32: how far each vertex sees out of its head in each direction, 0 or 1 but at shadows' edges."""
    points = np.ascontiguousarray(vertices, np.float32)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = 1.02 * float(np.linalg.norm(points - middle, axis=1).max())
    out = np.empty((len(directions), len(points)), np.float32)

    def work(start: int) -> None:
        triangle, depth = np.empty((size, size), np.int32), np.empty((size, size), np.float32)
        for d in range(start, len(directions), _THREADS):
            clip = seen_from(points - middle, directions[d], reach, size)
            depth_into(clip, triangles, triangle, depth)
            cosine = normals.astype(np.float32) @ directions[d]
            _lit_into(clip, depth, cosine, np.float32(1 / (2 * reach)), out[d])

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, range(_THREADS)))
    return np.ascontiguousarray(out.T)


def seen_from(points: np.ndarray, direction: np.ndarray, reach: float, size: int) -> np.ndarray:
    """Clip coordinates (V, 4) float32 of points within `reach` of the origin, seen from far away in a direction."""
    aside = np.array([1.0, 0, 0] if abs(direction[0]) < 0.7 else [0, 1.0, 0])
    right = np.cross(aside, direction)
    right /= np.linalg.norm(right)
    turned = points @ np.stack([right, np.cross(direction, right), direction]).T.astype(np.float32)
    pixels = (turned[:, :2] / (2 * reach) + 0.5) * size
    clip = clip_space(pixels[None], np.ones((1, len(points)), np.float32), (size, size))[0]
    clip[:, 2] = -turned[:, 2] / (2 * reach)  # depth is linear: a lamp far away
    return clip.astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _lit_into(clip, depth, cosine, per_decimetre, out):
    """Compare each point with the four nearest pixels of a shadow map (Reeves et al., 1987)."""
    size = depth.shape[0]
    for v in range(len(clip)):
        if cosine[v] <= 0:
            out[v] = 0
            continue
        slope = min(np.sqrt(max(1 - cosine[v] ** 2, 0)) / cosine[v], STEEPEST)
        limit = clip[v, 2] - (BIAS + GRAZING * slope) * per_decimetre
        x = (clip[v, 0] + 1) * 0.5 * size - 0.5
        y = (clip[v, 1] + 1) * 0.5 * size - 0.5
        left, top = int(np.floor(x)), int(np.floor(y))
        total = 0.0
        for dy in range(2):
            for dx in range(2):
                column, row = left + dx, top + dy
                share = (x - left if dx else left + 1 - x) * (y - top if dy else top + 1 - y)
                inside = 0 <= column < size and 0 <= row < size
                if not inside or depth[row, column] >= limit:
                    total += share
        out[v] = total
