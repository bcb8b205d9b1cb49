"""A triangle mesh and its vertex normals."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.errors import ShapeError

MILLIMETRES = 100.0  # in a decimetre, the unit of model space
_NO_LENGTH = 1e-24  # square of a length that counts as zero


@dataclass(frozen=True)
class Mesh:
    """One textured triangle mesh. Corners have their own UV index, so UV seams need no doubled vertices."""

    vertices: np.ndarray  # (V, 3) float32
    triangles: np.ndarray  # (T, 3) int32, counter-clockwise from outside
    uv: np.ndarray  # (U, 2) float32 in [0, 1], v up
    uv_triangles: np.ndarray  # (T, 3) int32 into uv
    strands: int = 0  # how many of the last triangles are those of single strands, thinner than a picture's pixels

    @property
    def solid(self) -> Mesh:
        """The mesh without strands."""
        count = len(self.triangles) - self.strands
        return Mesh(self.vertices, self.triangles[:count], self.uv, self.uv_triangles[:count])


def vertex_triangles(triangles: np.ndarray, vertex_count: int) -> np.ndarray:
    """The triangles round each vertex: (V, largest valence) int32, unused places hold T, one past the last triangle."""
    corner_vertex = triangles.reshape(-1)
    order = np.argsort(corner_vertex, kind="stable")
    counts = np.bincount(corner_vertex, minlength=vertex_count)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((vertex_count, counts.max()), len(triangles), np.int32)
    table[corner_vertex[order], place] = order // 3
    return table


def triangle_normals(vertices: Array, triangles: Array) -> Array:
    """Unit normals (B, T, 3) of (B, V, 3) vertices: (b - a) x (c - a) for the triangle (a, b, c)."""
    xp = array_namespace(vertices)
    a, b, c = (xp.take(vertices, triangles[:, corner], axis=1) for corner in range(3))
    return normalize(xp.linalg.cross(b - a, c - a))


def vertex_normals(vertices: Array, triangles: Array, adjacency: Array) -> Array:
    """Unit normals (B, V, 3): the sum of the unit normals of the triangles round each vertex, as in Deep3DFaceRecon.

    `adjacency` is the table of `vertex_triangles`.

    Raises: ShapeError if vertices are not (B, V, 3).
    """
    if vertices.ndim != 3 or vertices.shape[2] != 3:
        raise ShapeError(f"vertices: expected shape (B, V, 3), got {tuple(vertices.shape)}")
    if isinstance(vertices, np.ndarray):
        normals = np.empty(vertices.shape, vertices.dtype)
        for one, total in zip(np.ascontiguousarray(vertices), normals):
            _vertex_normals_into(one, triangles, total)
        return normals
    xp = array_namespace(vertices)
    normals = triangle_normals(vertices, triangles)
    padded = xp.concat([normals, xp.zeros_like(normals[:, :1])], axis=1)
    total = xp.zeros_like(vertices)
    for column in range(adjacency.shape[1]):
        total = total + xp.take(padded, adjacency[:, column], axis=1)
    return normalize(total)


@numba.njit(cache=True, nogil=True)
def _vertex_normals_into(vertices, triangles, total):
    """The same for one mesh (V, 3), summed up in `total` without intermediate arrays: a tenth of the time."""
    total[:] = 0
    for t in range(len(triangles)):
        i, j, k = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
        ax, ay, az = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        bx, by, bz = vertices[j, 0] - ax, vertices[j, 1] - ay, vertices[j, 2] - az
        cx, cy, cz = vertices[k, 0] - ax, vertices[k, 1] - ay, vertices[k, 2] - az
        x, y, z = _unit(by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx)
        for corner in (i, j, k):
            total[corner, 0] += x
            total[corner, 1] += y
            total[corner, 2] += z
    for v in range(len(total)):
        total[v, 0], total[v, 1], total[v, 2] = _unit(total[v, 0], total[v, 1], total[v, 2])


@numba.njit(cache=True, nogil=True, inline="always")
def _unit(x, y, z):
    """`normalize` for one vector."""
    squared = x * x + y * y + z * z
    length = np.sqrt(squared) if squared >= _NO_LENGTH else np.inf
    return x / length, y / length, z / length


def normalize(vectors: Array) -> Array:
    """Vectors of any shape scaled to unit length along the last axis; zero vectors stay zero and pass no gradient."""
    xp = array_namespace(vectors)
    squared = xp.sum(vectors * vectors, axis=-1, keepdims=True)
    zero = squared < _NO_LENGTH  # a root or quotient here would give infinite gradients at the triangle's corners
    length = xp.sqrt(xp.where(zero, xp.ones_like(squared), squared))
    return xp.where(zero, xp.zeros_like(vectors), vectors) / length
