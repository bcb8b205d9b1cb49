"""Tangents of a mesh for its normal map, so that every program carves the same relief (glTF 2.0, section 3.7.2.1)."""

from __future__ import annotations

import numpy as np

FLAT = 1e-6  # length below which a tangent has no direction of its own


def vertex_tangents(vertices: np.ndarray, normals: np.ndarray, uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 4): where u grows on the surface, unit and at right angles to the normals (N, 3), and the chart's side.

    `uv` (N, 2) runs down as in glTF; vertices (N, 3) and UVs have the same numbers in triangles (T, 3). The fourth
    value is -1 where the chart is mirrored: the cross product of normal and tangent times it points up the texture.
    """
    along, across = (vertices[triangles[:, k]] - vertices[triangles[:, 0]] for k in (1, 2))
    (u1, v1), (u2, v2) = ((uv[triangles[:, k]] - uv[triangles[:, 0]]).T[..., None] for k in (1, 2))
    area = u1 * v2 - u2 * v1
    side = np.sign(area)  # of the chart
    tangent = _summed(side * (v2 * along - v1 * across), triangles, len(vertices))
    up = _summed(side * (u2 * along - u1 * across), triangles, len(vertices))
    tangent -= (tangent * normals).sum(axis=1, keepdims=True) * normals
    length = np.linalg.norm(tangent, axis=1, keepdims=True)
    unit = np.where(length > FLAT, tangent / np.maximum(length, FLAT), _aside(normals))
    mirrored = (np.cross(normals, unit) * up).sum(axis=1) < 0
    return np.column_stack([unit, np.where(mirrored, -1, 1)]).astype(np.float32)


def _summed(values: np.ndarray, triangles: np.ndarray, count: int) -> np.ndarray:
    """Directions of triangles (T, 3), all counting the same, summed at their corners: (count, 3)."""
    length = np.linalg.norm(values, axis=1, keepdims=True)
    unit = values / np.maximum(length, 1e-20)
    total = np.zeros((count, 3))
    for corner in triangles.T:
        np.add.at(total, corner, unit)
    return total


def _aside(normals: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 3) at right angles to normals (N, 3), where the texture says nothing."""
    axes = np.where(np.abs(normals[:, :1]) < 0.7, [1.0, 0, 0], [0, 1.0, 0])
    aside = np.cross(normals, axes)
    return aside / np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), FLAT)
