"""The point of the mesh at each texel of a face model's UV atlas: computed once for a model and a size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.grain import noise

SKIN_STEP = 0.05  # difference of the skin mask along an edge at which colours hardly spread
LEAK = 0.001  # minimum conductance of such an edge, for a scalp or a neck without visible parts
WHOLE = 65535  # a barycentric weight of 1
_FAR = 1 << 28  # squared texels, farther than any texel


@dataclass(frozen=True, eq=False)
class Atlas:
    """S x S texels; row 0 lies at v = 1, the centre of texel (row, column) at u = (column + 0.5) / S."""

    triangle: np.ndarray  # (S, S) int32, the triangle whose UVs cover the texel's centre, -1 between the charts
    weights: np.ndarray  # (S, S, 2) uint16 weights of that triangle's first two corners, see `corner_weights`
    gutter: np.ndarray  # (G, 2) int32 flat indices: a texel between the charts, the chart texel next to it
    texel_area: np.ndarray  # (T,) float32 texels that each triangle covers
    neighbours: np.ndarray  # (V, valence) int32 vertices joined to each vertex by an edge, padded with -1
    conductance: np.ndarray  # (V, valence) float32 conductance of these edges for colours, low from skin to hair

    length: np.ndarray  # (T,) float32 of texels on the mean head, over the median

    @cached_property
    def noise(self) -> np.ndarray:
        """(S, S) int8, see `grain.noise`."""
        return noise(self.length[self.triangle])

    @classmethod
    def of(cls, face_model: FaceModel, size: int = 1024) -> Atlas:
        """The atlas of a model, cached with it; where UVs overlap, the later triangle has the texel."""
        return face_model.derived(_build, size)

    def paint(self, colours: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """UV image (S, S, 3) uint8 of vertex colours (V, 3) in 0..255, given the model's triangles (T, 3)."""
        image = _paint(self.triangle, self.weights, triangles, colours.astype(np.float32))
        self.close_gaps(image)
        return image

    def close_gaps(self, image: np.ndarray) -> None:
        """Fill texels between the charts of an image (S, S, 3) or (S, S) from the nearest chart texels, in place."""
        copy = _copy_colours if image.ndim == 3 else _copy_values
        copy(image.reshape(-1), self.gutter)


def vertex_uv(face_model: FaceModel) -> np.ndarray:
    """(V, 2) where each vertex of a model lies in the atlas, at one place of those where a seam doubles it."""
    uv = np.zeros((len(face_model.mean_shape), 2))
    uv[face_model.triangles] = face_model.uv[face_model.uv_triangles]
    return uv


def vertex_texels(face_model: FaceModel, size: int) -> np.ndarray:
    """(V, 2) column and row of each vertex in an atlas of a size."""
    return np.clip(vertex_uv(face_model) * [size, -size] + [0, size], 0, size - 1).astype(int)


@numba.njit(cache=True, nogil=True, inline="always")
def corner_weights(weights, row, column):
    """The barycentric weights of a texel, float32, from the `weights` of an atlas."""
    a = np.float32(weights[row, column, 0]) * np.float32(1 / WHOLE)
    b = np.float32(weights[row, column, 1]) * np.float32(1 / WHOLE)
    return a, b, np.float32(1) - a - b


def _build(face_model: FaceModel, size: int) -> Atlas:
    corners = (face_model.uv * [size, -size] + [-0.5, size - 0.5])[face_model.uv_triangles]
    triangle, weights = cover(corners, size)
    edges = corners[:, 1:] - corners[:, :1]
    area = 0.5 * np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    neighbours = _neighbours(face_model.triangles, face_model.adjacency)
    contrast = np.abs(face_model.skin[neighbours] - face_model.skin[:, None])
    return Atlas(
        triangle=triangle,
        weights=weights,
        gutter=_nearest(triangle),
        length=_lengths(face_model, area),
        texel_area=area.astype(np.float32),
        neighbours=neighbours,
        conductance=np.clip(1 - contrast / SKIN_STEP, LEAK, 1).astype(np.float32),
    )


def _lengths(face_model: FaceModel, texel_area: np.ndarray) -> np.ndarray:
    """(T,) the length of texels on the mean head in each triangle, over the median of them."""
    a, b, c = np.moveaxis(face_model.mean_shape[face_model.triangles], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / np.maximum(texel_area, 1e-6)
    return np.sqrt(area / max(float(np.median(area)), 1e-9)).astype(np.float32)


def _neighbours(triangles: np.ndarray, adjacency: np.ndarray) -> np.ndarray:
    padded = np.concatenate([triangles, np.full((1, 3), -1, triangles.dtype)])
    ring = padded[adjacency].reshape(len(adjacency), -1)
    return _distinct(ring)


@numba.njit(cache=True, nogil=True)
def cover(corners, size):
    """Rasterise the UV triangles (T, 3, 2), given in texels, and keep triangle and weights of each texel's centre."""
    triangle = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 2), np.uint16)
    slack = 1e-6  # a centre on an edge belongs to both triangles, so that no texel of a chart stays empty
    for t in range(len(corners)):
        ax, ay = corners[t, 0]
        bx, by = corners[t, 1]
        cx, cy = corners[t, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        first_row, last_row = max(0, int(np.ceil(min(ay, by, cy)))), min(size - 1, int(np.floor(max(ay, by, cy))))
        first, last = max(0, int(np.ceil(min(ax, bx, cx)))), min(size - 1, int(np.floor(max(ax, bx, cx))))
        for row in range(first_row, last_row + 1):
            for column in range(first, last + 1):
                a = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
                b = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
                if a >= -slack and b >= -slack and a + b <= 1 + slack:
                    triangle[row, column] = t
                    weights[row, column, 0] = np.uint16(min(max(a, 0), 1) * WHOLE + 0.5)
                    weights[row, column, 1] = np.uint16(min(max(b, 0), 1) * WHOLE + 0.5)
    return triangle, weights


@numba.njit(cache=True, nogil=True)
def _paint(triangle, weights, triangles, colours):
    image = np.zeros((*triangle.shape, 3), np.uint8)
    for row in range(len(triangle)):
        for column in range(len(triangle)):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
            wa, wb, wc = corner_weights(weights, row, column)
            for channel in range(3):
                colour = wa * colours[a, channel] + wb * colours[b, channel] + wc * colours[c, channel]
                image[row, column, channel] = np.uint8(colour + np.float32(0.5))
    return image


@numba.njit(cache=True, nogil=True)
def _copy_values(texels, pairs):
    for n in range(len(pairs)):
        texels[np.uint32(pairs[n, 0])] = texels[np.uint32(pairs[n, 1])]


@numba.njit(cache=True, nogil=True)
def _copy_colours(texels, pairs):
    """Three channels by name: a loop over them takes ten times as long."""
    for n in range(len(pairs)):
        target, source = np.uint32(3 * pairs[n, 0]), np.uint32(3 * pairs[n, 1])
        texels[target] = texels[source]
        texels[target + np.uint32(1)] = texels[source + np.uint32(1)]
        texels[target + np.uint32(2)] = texels[source + np.uint32(2)]


@numba.njit(cache=True, nogil=True)
def _nearest(triangle):
    """Pairs (G, 2) of flat indices: a texel between the charts, and the chart texel nearest to it.

    8SSED (Danielsson, 1980): two sweeps over the rows, each row there and back. A border without sources avoids
    bounds checks.
    """
    size, width = len(triangle), len(triangle) + 2
    source = np.full(width * width, -1, np.int32)
    distance = np.full(width * width, _FAR, np.int32)
    between = np.empty(size * size, np.int32)
    ends = np.zeros(size + 1, np.int32)  # of the rows in it, from the one before the first
    count = 0
    for row in range(size):
        for column in range(size):
            texel = (row + 1) * width + column + 1
            if triangle[row, column] >= 0:
                source[texel], distance[texel] = texel, 0
            else:
                between[count] = texel
                count += 1
        ends[row + 1] = count
    for step in (1, -1):
        before = -step * width
        for i in range(size):
            row = i if step > 0 else size - 1 - i
            texels = between[ends[row] : ends[row + 1]][::step]
            for texel in texels:
                for other in (before - step, before, before + step, -step):
                    _offer(source, distance, width, texel, texel + other)
            for texel in texels[::-1]:
                _offer(source, distance, width, texel, texel + step)
    pairs = np.empty((count, 2), np.int32)
    found = 0
    for texel in between[:count]:
        if source[texel] >= 0:
            for end, place in enumerate((texel, source[texel])):
                pairs[found, end] = (place // width - 1) * size + place % width - 1
            found += 1
    return pairs[:found].copy()


@numba.njit(cache=True, nogil=True, inline="always")
def _offer(source, distance, width, texel, other):
    """Use the source of another texel if it is nearer than the current one."""
    near = source[other]
    if near >= 0:
        dy, dx = near // width - texel // width, near % width - texel % width
        if dy * dy + dx * dx < distance[texel]:
            source[texel], distance[texel] = near, dy * dy + dx * dx


@numba.njit(cache=True, nogil=True)
def _distinct(ring):
    """Each row of (V, n) vertex numbers without repetitions and without the vertex itself, padded with -1."""
    kept = np.full(ring.shape, -1, np.int32)
    widest = 0
    for v in range(len(ring)):
        count = 0
        for other in ring[v]:
            fresh = other >= 0 and other != v
            for k in range(count):
                fresh = fresh and kept[v, k] != other
            if fresh:
                kept[v, count] = other
                count += 1
        widest = max(widest, count)
    return kept[:, :widest].copy()
