"""The UV atlas of the open model: a large symmetric face chart, and small charts for the rest of the head."""

from __future__ import annotations

import numpy as np
import xatlas

from recipe.source import PARTS, Source
from recipe.topology import Topology, sphere_centre

GUTTER = 0.006  # of the atlas, kept free round every chart
RECTANGLES = {  # left, bottom, right, top
    "face": (0.0, 0.21, 0.79, 1.0),
    "head": (0.79, 0.0, 1.0, 0.21),
    "sclera_left": (0.79, 0.80, 1.0, 1.0),
    "sclera_right": (0.79, 0.60, 1.0, 0.80),
    "mouth_socket": (0.79, 0.33, 1.0, 0.60),
    "eye_socket_left": (0.79, 0.21, 0.89, 0.33),
    "eye_socket_right": (0.89, 0.21, 1.0, 0.33),
    "teeth": (0.0, 0.0, 0.45, 0.21),
    "gums": (0.45, 0.0, 0.79, 0.21),
}
EQUALISATION = 0.75  # how far the face chart is pulled to equal texels per millimetre, 0 not at all, 1 fully


def build_atlas(source: Source, topology: Topology) -> tuple[np.ndarray, np.ndarray]:
    """UVs (U, 2), v up, and the UV index (T, 3) of every triangle corner."""
    vertices = topology.resample(source.neutral)
    uv, uv_triangles = [], np.zeros_like(topology.triangles)
    for part, name in enumerate(topology.part_names):
        rows = topology.triangle_part == part
        used, corners = np.unique(topology.triangles[rows], return_inverse=True)
        flat, index = _flatten(name, source, topology, vertices, used, corners.reshape(-1, 3))
        uv_triangles[rows] = index + sum(map(len, uv))
        uv.append(_fit(flat, RECTANGLES[name]))
    return np.concatenate(uv).astype(np.float32), uv_triangles


def _flatten(
    name: str, source: Source, topology: Topology, vertices: np.ndarray, used: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Plane coordinates (n, 2) of one part, whose vertices are `used`, and their index (t, 3) at its corners."""
    points = vertices[used]
    if name == "face":
        return _equalise(_source_chart(source, topology, tile=0)[used], points, corners), corners
    if name == "head":
        return _source_chart(source, topology, tile=1)[used], corners
    if name.startswith("sclera"):
        start, stop = PARTS[name]
        ball = source.neutral[start:stop]
        away = points - sphere_centre(ball[ball[:, 2] < ball[:, 2].mean()])
        angle = np.arccos(away[:, 2] / np.linalg.norm(away, axis=1))
        radius = np.linalg.norm(away[:, :2], axis=1, keepdims=True)
        return away[:, :2] / np.maximum(radius, 1e-9) * angle[:, None], corners
    _, index, flat = xatlas.parametrize(points, corners)  # folded parts: many small charts
    return flat, index


def _source_chart(source: Source, topology: Topology, tile: int) -> np.ndarray:
    """The source's own UVs (V, 2) of skin vertices in one of its material tiles, NaN for others."""
    inside = np.floor(source.uv[source.quads_uv[:, 0], 0]) == tile
    inside &= source.quads[:, :3].max(axis=1) < PARTS["eye_socket_right"][1]
    table = np.full((len(source.neutral), 2), np.nan)
    table[source.quads[inside].ravel()] = source.uv[source.quads_uv[inside].ravel()]
    chart = topology.resample(table)
    return np.where(np.isnan(chart), table[topology.source_vertices], chart)  # slid out of the chart: not slid


def _equalise(chart: np.ndarray, points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Stretch rows and columns of the face chart so that the front of the face gets the texels its size needs."""
    result = chart.copy()
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    front = points[edges].mean(axis=1)[:, 2] > 7
    for axis in range(2):
        step = chart[edges[:, 1]] - chart[edges[:, 0]]
        along = front & (np.abs(step[:, axis]) > 2 * np.abs(step[:, 1 - axis]))
        length = np.linalg.norm(points[edges[along, 1]] - points[edges[along, 0]], axis=1)
        place = chart[edges[along]].mean(axis=1)[:, axis]
        place = np.concatenate([place, 1 - place]) if axis == 0 else place
        length = np.tile(length / np.abs(step[along, axis]), 2 if axis == 0 else 1)
        bins = np.linspace(0, 1, 49)
        which = np.digitize(place, bins) - 1
        density = np.array([np.median(length[which == k]) if (which == k).sum() > 8 else np.nan for k in range(48)])
        known = np.flatnonzero(~np.isnan(density))
        density = np.interp(np.arange(48), known, density[known]) ** EQUALISATION
        density = np.convolve(np.pad(density, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), "valid")
        position = np.concatenate([[0], np.cumsum(density)])
        result[:, axis] = np.interp(chart[:, axis], bins, position / position[-1])
    return result


def _fit(flat: np.ndarray, rectangle: tuple[float, float, float, float]) -> np.ndarray:
    low, high = flat.min(axis=0), flat.max(axis=0)
    corner, far = np.array(rectangle[:2]) + GUTTER, np.array(rectangle[2:]) - GUTTER
    return corner + (flat - low) / (high - low) * (far - corner)
