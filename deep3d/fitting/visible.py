"""The visible points of skin in a crop, and the derivatives of these and their normals by a face's shape.

The rasteriser finds the point at each pixel. Until its next run the points stay on the surface and move with it; their
normals rotate by the derivatives at the time of that run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numba
import numpy as np

from deep3d.camera import CROP_SIZE, Camera, clip_space, depth, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting.basis import LandmarkBasis, SurfaceBasis
from deep3d.fitting.iteration import FaceState
from deep3d.mesh import normalize
from deep3d.rendering.kernels import rasterize_into

T = TypeVar("T")

SKIN = 0.5  # of the model's skin map, at least, at a point that counts
FACING = 0.2  # cosine to the camera, at least: otherwise a pixel covers too much of the surface


@dataclass(frozen=True, eq=False)
class VisibleSurface:
    """P visible points of the skin, by K shape unknowns."""

    points: LandmarkBasis  # P
    corners: np.ndarray  # (P, 3) vertices round each point
    weights: np.ndarray  # (P, 3) float32 barycentric
    normals: np.ndarray  # (P, 3) unit normals in model space, at the rasteriser's run
    normal_directions: np.ndarray  # (P, 3, K) float32: how these change with the shape
    shape: np.ndarray  # (K,) at the rasteriser's run
    lit: np.ndarray  # (P,) in [0, 1]: how far the main light reaches the points, past the rest of the head
    _derived: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def derived(self, make: Callable[[VisibleSurface], T]) -> T:
        """`make(surface)`, computed once for all steps until the rasteriser's next run."""
        if make not in self._derived:
            self._derived[make] = make(self)
        return self._derived[make]

    @classmethod
    def seen(
        cls,
        basis: SurfaceBasis,
        vertices: np.ndarray,
        coefficients: FaceCoefficients,
        camera: Camera,
        shape: np.ndarray,
        stride: int,
    ) -> VisibleSurface | None:
        """The points at every so many-th pixel of the crop, of a face with (V, 3) vertices; None if there are none.

        `shape` are the unknowns of the vertices; the basis may have only the first ones of them.
        """
        known = shape[: basis.directions.shape[2]]
        corners, weights = visible_skin(basis.model, vertices, coefficients, camera, stride)
        if not len(corners):
            return None
        directions = np.empty((len(corners), *basis.directions.shape[1:]), np.float32)
        changes, normals = np.empty_like(directions), np.empty((len(corners), 3), np.float32)
        rows, place_of = np.unique(corners, return_inverse=True)
        around = basis.model.adjacency[rows]
        sums, turning = _vertex_sums(vertices.astype(np.float32), basis.model.triangles, around, basis.directions)
        _blend(basis.directions, corners, weights, directions)
        places = place_of.reshape(corners.shape)
        _turn(turning, sums, places, weights, changes, normals)
        for parts in (directions, changes):
            parts *= basis.scale
        points = LandmarkBasis(
            mean=(vertices[corners] * weights[..., None]).sum(axis=1) - directions @ known.astype(np.float32),
            directions=directions,
            identities=basis.identities,
            limits=basis.limits,
        )
        return cls(points, corners, weights, normals, changes, known, np.ones(len(corners), np.float32))

    @cached_property
    def linear_points(self) -> LandmarkBasis:
        """The points by the linear model's unknowns only, with fixed displacements."""
        free = self.shape[self.points.linear :].astype(np.float32)
        mean = self.points.mean + self.points.directions[..., self.points.linear :] @ free
        return replace(self.points.widened(self.points.linear), mean=mean)

    def turned_normals(self, state: FaceState) -> np.ndarray:
        """(P, 3) unit normals of a face (B = 1) in the camera's frame."""
        change = (state.shape[0, : len(self.shape)] - self.shape).astype(np.float32)
        moved = self.normals + (self.normal_directions.reshape(-1, len(change)) @ change).reshape(self.normals.shape)
        return normalize(moved) @ state.turn[0].T


def visible_skin(
    model: FaceModel, vertices: np.ndarray, coefficients: FaceCoefficients, camera: Camera, stride: int
) -> tuple[np.ndarray, np.ndarray]:
    """Corners (P, 3) and barycentric weights (P, 3) float32 of the points of skin at every so many-th pixel."""
    placed = place(vertices[None], coefficients.rotation, coefficients.translation)
    size = (CROP_SIZE, CROP_SIZE)
    clip = clip_space(project(placed, camera), depth(placed, camera), size)[0].astype(np.float32)
    triangle, zbuffer = np.empty(size, np.int32), np.empty(size, np.float32)
    weights = np.empty((*size, 2), np.float32)
    rasterize_into(clip, model.triangles, triangle, weights, zbuffer)
    normals = model.normals(placed)[0]
    some = (slice(stride // 2, None, stride),) * 2
    triangle, weights = triangle[some], weights[some]
    corners, parts = model.triangles[triangle[triangle >= 0]], weights[triangle >= 0]
    seen = (model.skin[corners].min(axis=1) > SKIN) & (normals[corners, 2].min(axis=1) > FACING)
    corners, parts = corners[seen], parts[seen]
    return corners, np.column_stack([parts, 1 - parts.sum(axis=1)])


@numba.njit(cache=True, nogil=True, fastmath=True)
def _vertex_sums(vertices, triangles, around, directions):
    """Mean unit normals (R, 3) of the triangles round some vertices, and their derivatives (R, 3, K).

    `around` (R, valence) has the triangles, unused places hold their number. Derivatives are gathered as 3 x 3 matrices
    of the ring's vertices first, so that each one's directions are read once.
    """
    count, parts = len(around), directions.shape[2]
    sums, changes = np.zeros((count, 3), np.float32), np.zeros((count, 3, parts), np.float32)
    most = 3 * around.shape[1]  # corners of so many triangles
    ring, blocks = np.empty(most, np.int64), np.empty((most, 3, 3), np.float32)
    for row in range(count):
        size, valence = 0, (around[row] < len(triangles)).sum()
        for t in around[row]:
            if t >= len(triangles):
                continue
            a, b, c = triangles[t]
            e, f = vertices[b] - vertices[a], vertices[c] - vertices[a]
            x, y, z = e[1] * f[2] - e[2] * f[1], e[2] * f[0] - e[0] * f[2], e[0] * f[1] - e[1] * f[0]
            area = np.float32(max(np.sqrt(x * x + y * y + z * z), 1e-12))
            n = (x / area, y / area, z / area)
            share = np.float32(1) / valence
            for i in range(3):
                sums[row, i] += share * n[i]
            for corner in range(3):
                vertex = (a, b, c)[corner]
                side = (f - e, -f, e)[corner]  # the derivative by a corner is the cross product with this side
                place = 0
                while place < size and ring[place] != vertex:
                    place += 1
                if place == size:
                    ring[size] = vertex
                    blocks[size] = 0
                    size += 1
                scale = share / area
                _add_across(blocks[place], n, 0, 0, scale * side[2], -scale * side[1])
                _add_across(blocks[place], n, 1, -scale * side[2], 0, scale * side[0])
                _add_across(blocks[place], n, 2, scale * side[1], -scale * side[0], 0)
        for place in range(size):
            _add_moved(changes, np.uint64(row), blocks[place], directions, np.uint64(ring[place]))
    return sums, changes


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_moved(changes, row, block, directions, vertex):
    """Add to row of derivatives (R, 3, K) those of a vertex with directions (V, 3, K), through its 3 x 3 matrix.

    Numbers instead of parts of arrays, and all three outputs at once, take half of the time.
    """
    a, b, c = block[0]
    d, e, f = block[1]
    g, h, i = block[2]
    for k in range(directions.shape[2]):
        x, y, z = directions[vertex, 0, k], directions[vertex, 1, k], directions[vertex, 2, k]
        changes[row, 0, k] += a * x + b * y + c * z
        changes[row, 1, k] += d * x + e * y + f * z
        changes[row, 2, k] += g * x + h * y + i * z


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _add_across(block, n, column, x, y, z):
    """Add the part of a vector perpendicular to a unit normal to a column of a matrix (3, 3)."""
    along = n[0] * x + n[1] * y + n[2] * z
    block[0, column] += x - along * n[0]
    block[1, column] += y - along * n[1]
    block[2, column] += z - along * n[2]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _blend(values, corners, weights, out):
    """Values (V, 3, K) within triangles: (P, 3, K)."""
    for p in range(len(corners)):
        a, b, c = np.uint64(corners[p, 0]), np.uint64(corners[p, 1]), np.uint64(corners[p, 2])
        u, v, w, place = weights[p, 0], weights[p, 1], weights[p, 2], np.uint64(p)
        for i in range(3):
            for k in range(values.shape[2]):
                out[place, i, k] = u * values[a, i, k] + v * values[b, i, k] + w * values[c, i, k]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _turn(changes, sums, places, weights, out, normals):
    """Unit normals (P, 3) and their derivatives (P, 3, K) from those of the sums (R, 3) at three vertices each."""
    _blend(changes, places, weights, out)
    for p in range(len(places)):
        a, b, c = places[p]
        u, v, w = weights[p]
        n = u * sums[a] + v * sums[b] + w * sums[c]
        length = np.float32(max(np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), 1e-12))
        n /= length
        normals[p] = n
        place, x, y, z, short = np.uint64(p), n[0], n[1], n[2], np.float32(1) / length
        for k in range(out.shape[2]):
            first, second, third = out[place, 0, k], out[place, 1, k], out[place, 2, k]
            along = x * first + y * second + z * third
            out[place, 0, k] = (first - along * x) * short
            out[place, 1, k] = (second - along * y) * short
            out[place, 2, k] = (third - along * z) * short
