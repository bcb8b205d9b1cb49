"""The mesh of the open model: the source's skin quads as triangles, eyeball fronts, and a light mouth interior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from recipe.decimation import decimate
from recipe.source import PARTS, Source

NECK_CUT_CM = -11.3  # the bust below is left out
EYE_FRONT_DEGREES = 68.0
INTERIOR_TARGETS = {"mouth_socket": 430, "gums": 380, "teeth": 760}
EYE_SOCKET_TARGET = 110


@dataclass(frozen=True)
class Topology:
    """Which source vertices are kept, and the triangles over them."""

    source_vertices: np.ndarray  # (V,) source vertex of each model vertex
    slid_to: np.ndarray  # (V,) source vertex toward which the vertices of the neck's border are slid, else its own
    slid_share: np.ndarray  # (V,) how far, in [0, 1]
    triangles: np.ndarray  # (T, 3) model vertices
    triangle_part: np.ndarray  # (T,) index into part_names
    vertex_part: np.ndarray  # (V,) index into part_names
    part_names: tuple[str, ...]
    mirror: np.ndarray  # (V,) the vertex on the other side

    def resample(self, values: np.ndarray) -> np.ndarray:
        """Model vertices (..., V, d) of source vertices (..., S, d): positions, offsets or UVs."""
        share = self.slid_share[:, None]
        own, other = values[..., self.source_vertices, :], values[..., self.slid_to, :]
        return own + share.astype(values.dtype) * (other - own)


def build_topology(source: Source) -> Topology:
    """Choose vertices and triangles."""
    part_names = tuple(PARTS)
    owner = np.full(len(source.neutral), -1)
    for index, (start, stop) in enumerate(PARTS.values()):
        owner[start:stop] = index
    pieces = [_skin(source, owner)]
    for name, target in INTERIOR_TARGETS.items():
        pieces.append(_interior(source, owner, part_names.index(name), target))
    for side in ("left", "right"):
        pieces.append(_interior(source, owner, part_names.index(f"eye_socket_{side}"), EYE_SOCKET_TARGET))
        pieces.append(_eyeball(source, *PARTS[f"sclera_{side}"]))
    triangles = np.concatenate(pieces)
    kept, triangles = np.unique(triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    vertex_part = owner[kept]
    slid_to, slid_share = _straighten_border(source, kept)
    return Topology(
        source_vertices=kept,
        slid_to=slid_to,
        slid_share=slid_share,
        triangles=triangles.astype(np.int32),
        triangle_part=vertex_part[triangles].max(axis=1),
        vertex_part=vertex_part,
        part_names=part_names,
        mirror=mirror_map(source.neutral[kept], vertex_part),
    )


def mirror_map(vertices: np.ndarray, vertex_part: np.ndarray) -> np.ndarray:
    """(V,) for each vertex the one nearest to its mirror image, in the same part (left and right parts swapped).

    A vertex of the thinned interior that is not also the nearest of its nearest mirrors itself.
    """
    names = list(PARTS)
    swap = [names.index(n.replace("left", "*").replace("right", "left").replace("*", "right")) for n in names]
    mirrored = vertices * [-1, 1, 1]
    result = np.zeros(len(vertices), np.int32)
    for part in np.unique(vertex_part):
        here, there = np.flatnonzero(vertex_part == part), np.flatnonzero(vertex_part == swap[part])
        result[here] = there[KDTree(vertices[there]).query(mirrored[here])[1]]
    own = np.arange(len(result), dtype=np.int32)
    return np.where(result[result] == own, result, own)


def triangulate(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Split quads along the shorter diagonal (left and right alike); triangles, marked by -1, stay."""
    single = quads[:, 3] < 0
    four = quads[~single]
    lengths = [np.linalg.norm(vertices[four[:, k]] - vertices[four[:, k + 2]], axis=1) for k in (0, 1)]
    first = lengths[0] <= lengths[1]
    halves = [
        np.where(first[:, None], four[:, [0, 1, 2]], four[:, [0, 1, 3]]),
        np.where(first[:, None], four[:, [0, 2, 3]], four[:, [1, 2, 3]]),
    ]
    return np.concatenate([*halves, quads[single, :3]])


def _skin(source: Source, owner: np.ndarray) -> np.ndarray:
    quads = source.quads[np.isin(owner[source.quads], [0, 1]).all(axis=1) & (source.quads[:, 3] >= 0)]
    above = source.neutral[quads][..., 1].min(axis=1) > NECK_CUT_CM
    return triangulate(source.neutral, quads[above])


def _straighten_border(source: Source, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the neck is cut through a row of quads, slide the last vertices along their edges onto the cut."""
    height = source.neutral[:, 1]
    to, share = np.arange(len(source.neutral)), np.zeros(len(source.neutral))
    quads = source.quads[(source.quads[:, 3] >= 0) & (source.quads < PARTS["head"][1]).all(axis=1)]
    cut = quads[(height[quads] <= NECK_CUT_CM).any(axis=1)]
    edges, diagonals = [[0, 1], [1, 2], [2, 3], [3, 0]], [[0, 2], [1, 3]]
    for pairs in (edges, diagonals):  # a corner of the staircase has nothing but a diagonal
        slid = to != np.arange(len(to))
        for one, other in cut[:, pairs].reshape(-1, 2):
            above, below = (one, other) if height[one] > height[other] else (other, one)
            if height[above] > NECK_CUT_CM >= height[below] and not slid[above]:
                crossing = (height[above] - NECK_CUT_CM) / (height[above] - height[below])
                if to[above] == above or crossing < share[above]:
                    to[above], share[above] = below, crossing
    return to[kept], share[kept]


def _interior(source: Source, owner: np.ndarray, part: int, target: int) -> np.ndarray:
    """One inner part with the skin rim it hangs on; rim vertices stay, so that no crack opens."""
    corners = owner[np.maximum(source.quads, 0)]
    corners[source.quads < 0] = part
    inside = (corners == part).any(axis=1) & np.isin(corners, [0, 1, part]).all(axis=1)
    triangles = triangulate(source.neutral, source.quads[inside])
    rim = owner != part
    used = np.unique(triangles)
    return decimate(source.neutral, triangles, target + int(rim[used].sum()), locked=rim)


def _eyeball(source: Source, start: int, stop: int) -> np.ndarray:
    """The front of one eyeball: what lids can uncover."""
    quads = source.quads[((source.quads >= start) & (source.quads < stop))[:, :3].all(axis=1)]
    triangles = triangulate(source.neutral, quads)
    ball = source.neutral[start:stop]
    centre = sphere_centre(ball[ball[:, 2] < ball[:, 2].mean()])
    away = source.neutral[start:stop] - centre
    angle = np.degrees(np.arccos(away[:, 2] / np.linalg.norm(away, axis=1)))
    return triangles[(angle[triangles - start] < EYE_FRONT_DEGREES).all(axis=1)]


def sphere_centre(points: np.ndarray) -> np.ndarray:
    """Centre (3,) of the sphere through (N, 3) points, by linear least squares."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3]
