"""The shell: a closed mesh of the hair that was fitted, its outer side and, hung below the skull, an inner one."""

from __future__ import annotations

import numpy as np

from deep3d.hair.border import FADE
from deep3d.hair.fit import HairFields
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, UPPER
from deep3d.hair.head import Head
from deep3d.hair.morphology import widened
from deep3d.mesh import Mesh

ATTACHED = (0.0, 0.28)  # decimetres inside the border, over which hair rises from the skin to its thickness
LEAST = 0.012  # decimetres that the shell stands off the skin at its border
HANGING = (0.1, 0.22)  # decimetres of thickness from which hair below the skull hangs free and does not thin out
FALLING, BLUNT = (32, 39), 0.3
"""Rows that the hair of a column must reach to hang freely at its end; what ends higher lies on the head, almost."""
DEPTH = 0.22  # decimetres from the outer side to the inner one
UNDER = -0.06  # decimetres: the inner side goes below the skin, where nobody sees it
RADIUS = 0.49  # of the disk of UVs
LEAST_ROWS = UPPER + 6  # that the disk holds: fewer would spread a small cap over it


def heights(fields: HairFields, ears: np.ndarray) -> np.ndarray:
    """(POINTS,) decimetres of the outer side over the skin: thin at hairlines, over the ears where it hides them."""
    rise = _smoothstep(fields.edge, *ATTACHED)
    below = np.arange(POINTS) >= (UPPER - 2) * COLUMNS
    lowest = np.where(fields.edge.reshape(ROWS, COLUMNS) > 0, np.arange(ROWS)[:, None], 0).max(axis=0)
    falls = BLUNT + (1 - BLUNT) * _smoothstep(lowest, *FALLING)
    hanging = np.where(below, _smoothstep(fields.thickness, *HANGING), 0) * np.tile(falls, ROWS)
    highest = widened(ears)  # ears are smaller than the grid's cells in parts
    clear = highest + 0.03 * (highest > 0.01)
    thickness = np.maximum(fields.thickness, clear * _smoothstep(fields.edge, 0, 0.1))
    return LEAST + np.maximum(thickness, 0.02) * np.maximum(rise, hanging)


def beneath(outer: np.ndarray) -> np.ndarray:
    """Decimetres of the inner side over the skin, below heights (N,) of the outer one, in which it has no steps."""
    return np.maximum(outer - DEPTH, UNDER)


def shell_mesh(fields: HairFields, head: Head, ears: np.ndarray) -> Mesh | None:
    """The closed mesh, None where there is no hair."""
    outer = heights(fields, ears)
    kept = _kept(fields.edge)
    if not kept.any():
        return None
    inner = beneath(outer)
    sides = [head.skin + height[:, None] * head.directions for height in (outer, inner)]
    a, b, c, d = _corners()[kept].T
    front = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    back = front[:, ::-1] + POINTS
    cap = _cap(fields.edge)
    triangles = np.concatenate([back, cap[:, ::-1] + POINTS, _walls(np.concatenate([front, cap])), front, cap])
    uv = np.tile(disk(fields.edge), (2, 1)).astype(np.float32)
    return _used(np.concatenate(sides).astype(np.float32), triangles, uv)


def disk(edge: np.ndarray) -> np.ndarray:
    """(POINTS, 2) UVs: the crown in the middle, azimuth round it, the lowest row that has hair at its border."""
    radius, azimuth = disk_rows(edge)[:, None], np.arange(COLUMNS) * (2 * np.pi / COLUMNS)
    u, v = 0.5 - radius * np.sin(azimuth), 0.5 + radius * np.cos(azimuth)
    return np.stack([u, v], axis=-1).reshape(POINTS, 2)


def disk_rows(edge: np.ndarray) -> np.ndarray:
    """(ROWS,) radius of each row in the disk; rows without hair lie beyond its border."""
    last = max(int(np.flatnonzero((edge.reshape(ROWS, COLUMNS) > -FADE).any(axis=1)).max(initial=0)) + 1, LEAST_ROWS)
    return RADIUS * (np.arange(ROWS) + 0.3) / (last + 0.3)


def _kept(edge: np.ndarray) -> np.ndarray:
    """(Q,) which of the grid's quadrilaterals have hair."""
    return np.any(edge[_corners()] > -FADE, axis=1)


def _corners() -> np.ndarray:
    """(Q, 4) points of each quadrilateral: upper left, upper right, lower left, lower right."""
    number = np.arange(POINTS).reshape(ROWS, COLUMNS)
    right = np.roll(number, -1, axis=1)
    return np.stack([number[:-1], right[:-1], number[1:], right[1:]], axis=-1).reshape(-1, 4)


def _cap(edge: np.ndarray) -> np.ndarray:
    """Triangles (T, 3) that close the first row, a fan; none where the crown is bald."""
    if (edge[:COLUMNS] <= -FADE).any():
        return np.zeros((0, 3), np.int64)
    first = np.arange(1, COLUMNS - 1)
    return np.stack([np.zeros_like(first), first, first + 1], axis=1)


def _walls(front: np.ndarray) -> np.ndarray:
    """Triangles between the borders of the outer and the inner side."""
    edges = np.concatenate([front[:, [0, 1]], front[:, [1, 2]], front[:, [2, 0]]])
    key, reverse = edges[:, 0] * POINTS + edges[:, 1], edges[:, 1] * POINTS + edges[:, 0]
    a, b = edges[~np.isin(key, reverse)].T
    return np.concatenate([np.stack([b, a, a + POINTS], 1), np.stack([b, a + POINTS, b + POINTS], 1)])


def _used(vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray) -> Mesh:
    used, corners = np.unique(triangles, return_inverse=True)
    triangles = corners.reshape(-1, 3).astype(np.int32)
    return Mesh(vertices[used], triangles, uv[used], triangles)


def _smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
