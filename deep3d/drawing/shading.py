"""Colours for what a rasteriser saw at twice the size of a picture: means of 2 x 2 pixels, in kernels that fuse it all.

All colours are linear light. Pixels without a triangle take the background.
"""

from __future__ import annotations

import numba
import numpy as np

from deep3d.rendering.interface import Fragments
from deep3d.texture.sampling import bilinear

TOGETHER = 1.0  # texels: bilinear looks blur over as many


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
def fronts(pixels, triangles):
    """Mask (T,) of the triangles that show their front at pixels (V, 2): nothing else is seen of a closed head."""
    mask = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
        bx, by = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
        cx, cy = pixels[c, 0] - pixels[a, 0], pixels[c, 1] - pixels[a, 1]
        mask[t] = bx * cy < by * cx  # clockwise in pixels, which run down
    return mask


@numba.njit(cache=True, nogil=True)
def lay_over(picture, layer, colour, linear, codes):
    """A picture (H, W, 3) uint8 under a layer (H, W, 2) of one colour (3,): its light and how much it hides.

    `linear` (256,) float32 gives the light of each code, `codes` are those of `encode`.
    """
    out = picture.copy()
    steps = np.float32(len(codes) - 1)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            own = layer[row, column, 0]
            left = np.float32(1) - layer[row, column, 1]
            if left < 1:
                for channel in range(3):
                    light = left * linear[picture[row, column, channel]] + own * colour[channel]
                    out[row, column, channel] = codes[int(light * steps + np.float32(0.5))]
    return out


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
            a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
            wa, wb = np.float32(0.25) * weights[row, column, 0], np.float32(0.25) * weights[row, column, 1]
            wc = np.float32(0.25) - wa - wb
            for channel in range(channels):
                light = wa * colours[a, channel] + wb * colours[b, channel] + wc * colours[c, channel]
                out[row // 2, column // 2, channel] += light
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _shade_texture(image, texels, triangle, weights, triangles, linear, background):
    height, width = triangle.shape[0] // 2, triangle.shape[1] // 2
    out = np.empty((height, width, 3), np.float32)
    half, quarter, one = np.float32(0.5), np.float32(0.25), np.float32(1)
    places = np.empty((4, 2), np.float32)
    for row in range(height):
        for column in range(width):
            covered, u_sum, v_sum = 0, np.float32(0), np.float32(0)
            for n in range(4):
                y, x = np.uint32(2 * row + n // 2), np.uint32(2 * column + n % 2)
                t = triangle[y, x]
                if t >= 0:
                    a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
                    wa, wb = weights[y, x, 0], weights[y, x, 1]
                    wc = one - wa - wb
                    u = wa * texels[a, 0] + wb * texels[b, 0] + wc * texels[c, 0]
                    v = wa * texels[a, 1] + wb * texels[b, 1] + wc * texels[c, 1]
                    places[covered, 0], places[covered, 1] = u, v
                    u_sum, v_sum, covered = u_sum + u, v_sum + v, covered + 1
            looks, light = covered, quarter
            if covered == 4 and _together(places, quarter * u_sum, quarter * v_sum):
                places[0, 0], places[0, 1] = quarter * u_sum, quarter * v_sum
                looks, light = 1, one
            red = green = blue = quarter * np.float32(4 - covered) * background
            for n in range(looks):
                r, g, b_ = bilinear(image, places[n, 0], places[n, 1])
                red += light * linear[np.uint8(r + half)]
                green += light * linear[np.uint8(g + half)]
                blue += light * linear[np.uint8(b_ + half)]
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = red, green, blue
    return out


@numba.njit(cache=True, nogil=True, inline="always")
def _together(places, u, v):
    """Whether four places (4, 2) in an image are so near to their mean that one look there sees what they see."""
    farthest = np.float32(0)
    for n in range(4):
        farthest = max(farthest, max(abs(places[n, 0] - u), abs(places[n, 1] - v)))
    return farthest <= TOGETHER
