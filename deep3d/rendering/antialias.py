"""Analytic antialiasing of silhouettes, the one step whose gradients move them (Laine et al., 2020, section 3.6).

Unlike the paper it goes from silhouette edges to pixels, not from the triangle a pixel shows to its edges: a mesh with
triangles smaller than pixels, such as a face, shows hardly any of the triangles at its silhouette. nvdiffrast's own
`antialias` blends a small part of the pixels at a head's silhouette, so this function also follows nvdiffrast's
rasteriser.
"""

from __future__ import annotations

import array_api_compat
import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.rendering.checks import expect_shape, expect_triangles
from deep3d.rendering.interface import Fragments
from deep3d.rendering.kernels import to_numpy
from deep3d.rendering.silhouettes import mesh_edges, silhouette_crossings


def antialias(picture: Array, fragments: Fragments, clip: Array, triangles: Array) -> Array:
    """The picture (B, H, W, C) with silhouette edges blended by their coverage of each pixel.

    Takes the picture's fragments, clip coordinates (B, V, 4) and triangles (T, 3). The CPU finds the edges for arrays
    on any device. Gradients go to the picture and to the positions of the silhouettes.

    Raises: ShapeError if the shapes do not match or a triangle has an invalid vertex.
    """
    expect_shape("picture", picture, "{} {} {} C".format(*fragments.triangle.shape))
    expect_shape("clip", clip, f"{len(picture)} V 4")
    indices = _in_main_memory(triangles).astype(np.int32, copy=False)
    expect_triangles(indices, clip.shape[1])
    xp = array_namespace(picture, clip)
    batch, height, width, channels = picture.shape
    device = array_api_compat.device(clip)
    crossings = _crossings(_in_main_memory(clip), indices, _in_main_memory(fragments.depth))
    if len(crossings) == 0:
        return picture
    own, other = (xp.asarray(crossings[:, column], device=device) for column in range(2))
    share = _shares(crossings, clip, height, width)
    colors = xp.reshape(picture, (batch * height * width, channels))
    change = xp.astype(share, picture.dtype)[:, None] * (xp.take(colors, own, axis=0) - xp.take(colors, other, axis=0))
    return xp.reshape(_add_rows(colors, xp.where(share > 0, other, own), change), picture.shape)


def _shares(crossings: np.ndarray, clip: Array, height: int, width: int) -> Array:
    """Share (N,) of another pixel that each of N edges covers, in [-0.5, 0.5]; negative: it uncovers its own pixel.

    Half of the way between the centres belongs to each pixel: an edge beyond it covers a share of the other pixel, an
    edge before it uncovers a share of the own one.
    """
    xp, device = array_namespace(clip), array_api_compat.device(clip)
    upright = crossings[:, 4] == 1
    own_row, own_column = np.divmod(crossings[:, 0] % (height * width), width)
    direction = np.sign(crossings[:, 1] - crossings[:, 0])

    def constant(values: np.ndarray) -> Array:
        return xp.asarray(values, dtype=clip.dtype, device=device)

    vertex_a, vertex_b = (xp.asarray(crossings[:, column], device=device) for column in (2, 3))
    corners = xp.reshape(clip, (-1, 4))
    size = np.where(upright[:, None], [width, height], [height, width])
    along_a, across_a = _screen(xp.take(corners, vertex_a, axis=0), constant(upright), constant(size))
    along_b, across_b = _screen(xp.take(corners, vertex_b, axis=0), constant(upright), constant(size))
    t = (constant(np.where(upright, own_row, own_column)) - across_a) / (across_b - across_a)
    crossing = along_a + t * (along_b - along_a)
    reach = (crossing - constant(np.where(upright, own_column, own_row))) * constant(direction)  # 0 at own, 1 at other
    return reach - 0.5


def _in_main_memory(array: Array) -> np.ndarray:
    """The array in main memory, for a CPU kernel."""
    return to_numpy(array_api_compat.to_device(array, "cpu"))


def _crossings(clip: np.ndarray, triangles: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """`silhouette_crossings` of all pictures, with pixels and vertices numbered across the pictures."""
    edges = mesh_edges(triangles, clip.shape[1])
    pixels, vertices = depth.shape[1] * depth.shape[2], clip.shape[1]
    found = [
        silhouette_crossings(clip[b], edges, depth[b]) + b * np.array([pixels, pixels, vertices, vertices, 0])
        for b in range(len(clip))
    ]
    return np.concatenate([np.empty((0, 5), np.int64), *found])


def _screen(corners: Array, upright: Array, size: Array) -> tuple[Array, Array]:
    """Pixel coordinates of (P, 4) clip corners along the line through the two pixel centres and across it."""
    x, y = corners[:, 0] / corners[:, 3], corners[:, 1] / corners[:, 3]
    along, across = upright * x + (1 - upright) * y, upright * y + (1 - upright) * x
    return (along + 1) * (0.5 * size[:, 0]) - 0.5, (across + 1) * (0.5 * size[:, 1]) - 0.5


def _add_rows(values: Array, index: Array, change: Array) -> Array:
    """Values (N, C) with rows (P, C) added at `index` (P,), which may repeat. The array API has no such function."""
    if array_api_compat.is_torch_array(values):
        return values.index_add(0, index, change)
    total = values.copy()
    np.add.at(total, index, change)
    return total
