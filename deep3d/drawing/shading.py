"""Colours for what a rasteriser saw at twice the size of a picture: means of 2 x 2 pixels, in kernels that fuse it all.

All colours are linear light. Pixels without a triangle take the background.
"""

from __future__ import annotations

import numba
import numpy as np

from deep3d.rendering.interface import Fragments
from deep3d.texture.sampling import bilinear


def shade_vertices(colours: np.ndarray, fragments: Fragments, triangles: np.ndarray) -> np.ndarray:
    """(H / 2, W / 2, C) float32 from colours (V, C) of vertices and one picture's fragments (1, H, W); black behind."""
    return _shade_vertices(colours.astype(np.float32), fragments.triangle[0], fragments.weights[0], triangles)


def shade_texture(
    image: np.ndarray,
    uv: np.ndarray,
    fragments: Fragments,
    uv_triangles: np.ndarray,
    linear: np.ndarray,
    background: float,
) -> np.ndarray:
    """(H / 2, W / 2, 3) float32 from an image (h, w, 3) uint8 at UVs (U, 2), and one picture's fragments (1, H, W).

    `linear` (256,) float32 gives the light of each code of the image, `background` is the light behind.
    """
    texels = (uv * [1, -1] + [0, 1]) * image.shape[1::-1] - 0.5
    return _shade_texture(
        image,
        texels.astype(np.float32),
        fragments.triangle[0],
        fragments.weights[0],
        uv_triangles,
        linear,
        np.float32(background),
    )


@numba.njit(cache=True, nogil=True)
def encode(light, codes):
    """The code (H, W, 3) uint8 of each linear value in [0, 1] of a picture, from a table of codes of even steps."""
    out = np.empty(light.shape, np.uint8)
    steps = np.float32(len(codes) - 1)
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            for channel in range(light.shape[2]):
                out[row, column, channel] = codes[int(light[row, column, channel] * steps + np.float32(0.5))]
    return out


@numba.njit(cache=True, nogil=True)
def _shade_vertices(colours, triangle, weights, triangles):
    height, width, channels = triangle.shape[0] // 2, triangle.shape[1] // 2, colours.shape[1]
    out = np.zeros((height, width, channels), np.float32)
    for row in range(2 * height):
        for column in range(2 * width):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b, c = triangles[t]
            wa, wb = np.float32(0.25) * weights[row, column, 0], np.float32(0.25) * weights[row, column, 1]
            wc = np.float32(0.25) - wa - wb
            for channel in range(channels):
                light = wa * colours[a, channel] + wb * colours[b, channel] + wc * colours[c, channel]
                out[row // 2, column // 2, channel] += light
    return out


@numba.njit(cache=True, nogil=True)
def _shade_texture(image, texels, triangle, weights, triangles, linear, background):
    height, width = triangle.shape[0] // 2, triangle.shape[1] // 2
    out = np.zeros((height, width, 3), np.float32)
    quarter = np.float32(0.25)
    for row in range(2 * height):
        for column in range(2 * width):
            t = triangle[row, column]
            red = green = blue = background
            if t >= 0:
                a, b, c = triangles[t]
                wa, wb = weights[row, column]
                wc = np.float32(1) - wa - wb
                x = wa * texels[a, 0] + wb * texels[b, 0] + wc * texels[c, 0]
                y = wa * texels[a, 1] + wb * texels[b, 1] + wc * texels[c, 1]
                r, g, b_ = bilinear(image, x, y)
                half = np.float32(0.5)
                red, green, blue = linear[int(r + half)], linear[int(g + half)], linear[int(b_ + half)]
            out[row // 2, column // 2, 0] += quarter * red
            out[row // 2, column // 2, 1] += quarter * green
            out[row // 2, column // 2, 2] += quarter * blue
    return out
