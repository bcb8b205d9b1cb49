"""Silhouette edges and their crossings between two pixels, for antialiasing (Laine et al., 2020)."""

from __future__ import annotations

import numba
import numpy as np

from deep3d.rendering.kernels import screen_positions

_SHORTEST = 1e-3  # pixels; the crossing of a shorter edge would have unstable gradients


@numba.njit(cache=True, nogil=True)
def mesh_edges(triangles, vertex_count):
    """Each edge once: (E, 4) int32, its two vertices and the third vertex of either triangle, -1 for none."""
    start = np.zeros(vertex_count + 1, np.int64)  # of the edges whose lower vertex is v
    for t in range(triangles.shape[0]):
        for corner in range(3):
            start[min(triangles[t, corner], triangles[t, corner - 1]) + 1] += 1
    for v in range(vertex_count):
        start[v + 1] += start[v]
    count = np.zeros(vertex_count, np.int64)
    edges = np.empty((3 * triangles.shape[0], 4), np.int32)
    for t in range(triangles.shape[0]):
        for corner in range(3):
            a, b, c = triangles[t, corner], triangles[t, corner - 1], triangles[t, corner - 2]
            low, high = min(a, b), max(a, b)
            place = start[low]
            end = place + count[low]
            while place < end and not (edges[place, 1] == high and edges[place, 3] < 0):
                place += 1
            if place < end:
                edges[place, 3] = c
            else:
                edges[place, 0], edges[place, 1], edges[place, 2], edges[place, 3] = low, high, c, -1
                count[low] += 1
    total = 0
    for low in range(vertex_count):
        for place in range(start[low], start[low] + count[low]):
            for column in range(4):
                edges[total, column] = edges[place, column]
            total += 1
    return edges[:total]


@numba.njit(cache=True, nogil=True)
def silhouette_crossings(clip, edges, depth):
    """Where visible silhouette edges cross the line between two neighbouring pixel centres.

    A silhouette edge has one triangle, or two on the same side of it. Of several edges between two pixels the nearest
    counts. Takes clip (V, 4), the table of `mesh_edges` and the depth (H, W) of `Fragments`; gives (P, 5) int64: the
    pixel on the surface and its neighbour past the edge, as row * W + column, the edge's vertices, and 1 for
    neighbours in a row, 0 for neighbours in a column.
    """
    height, width = depth.shape
    nearest = np.full((2, height, width), np.inf)  # of the pixel and its neighbour below (0) or to the right (1)
    owner = np.empty((2, height, width), np.int32)  # edge * 2, + 1 if the neighbour shows the surface
    found = 0
    screen = screen_positions(clip, height, width)
    for e in range(edges.shape[0]):
        ax, ay, az = screen[edges[e, 0]]
        bx, by, bz = screen[edges[e, 1]]
        dx, dy = bx - ax, by - ay
        cx, cy, _ = screen[edges[e, 2]]
        side = dx * (cy - ay) - dy * (cx - ax)
        if edges[e, 3] >= 0:
            cx, cy, _ = screen[edges[e, 3]]
            if not side * (dx * (cy - ay) - dy * (cx - ax)) > 0:
                continue
        # "Along" is the direction from pixel to pixel, "across" the rows or columns that the edge runs through.
        upright = 1 if abs(dy) > abs(dx) else 0
        if upright:
            along, across, d_along, d_across, after = ax, ay, dx, dy, side * dy < 0
        else:
            along, across, d_along, d_across, after = ay, ax, dy, dx, side * dx > 0
        lines, line_length = (height, width) if upright else (width, height)
        low, high = min(across, across + d_across), max(across, across + d_across)
        if not (high - low > _SHORTEST and (side > 0 or side < 0)):  # also for NaN
            continue
        first_line, end_line = min(max(np.ceil(low), 0.0), lines), min(max(np.ceil(high), 0.0), lines)
        for line in range(int(first_line), int(end_line)):
            t = (line - across) / d_across
            position = np.floor(along + t * d_along)
            if not 0 <= position < line_length - 1:
                continue
            here = int(position)
            row, column = (line, here) if upright else (here, line)
            first, second = depth[row, column], depth[row + 1 - upright, column + upright]
            surface, beyond = (second, first) if after else (first, second)
            z = az + t * (bz - az)
            if surface < beyond and -1 <= z < beyond and z < nearest[upright, row, column]:
                found += nearest[upright, row, column] == np.inf
                nearest[upright, row, column] = z
                owner[upright, row, column] = 2 * e + after

    crossings = np.empty((found, 5), np.int64)
    found = 0
    for upright in range(2):
        for row in range(height):
            for column in range(width):
                if nearest[upright, row, column] < np.inf:
                    e, after = divmod(owner[upright, row, column], 2)
                    first = row * width + column
                    second = first + (1 if upright else width)
                    crossings[found, 0] = second if after else first
                    crossings[found, 1] = first if after else second
                    crossings[found, 2], crossings[found, 3] = edges[e, 0], edges[e, 1]
                    crossings[found, 4] = upright
                    found += 1
    return crossings
