"""Colours for a rasterised head, in fused kernels. All colours except codes are linear light."""

from __future__ import annotations

import numba
import numpy as np

from deep3d.rendering.interface import Fragments
from deep3d.texture.sampling import bilinear

LINEAR = np.where(
    np.arange(256) <= 10, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
"""The light of each sRGB code."""
CODES = np.searchsorted((LINEAR[1:] + LINEAR[:-1]) / 2, np.linspace(0, 1, 1 << 14)).astype(np.uint8)
"""The inverse: the codes of even steps of light from 0 to 1."""
CLAY = np.array([0.60, 0.68, 0.80], np.float32)  # blue clay
_KEY_LIGHT = np.array([-0.42, 0.55, 0.72], np.float32)  # unit direction, from above on the left


def clay_light(normals: np.ndarray) -> np.ndarray:
    """(V,) in [0, 1]: brightness of clay with these unit normals (V, 3) in the camera's frame."""
    return np.minimum(0.12 + 0.72 * np.maximum(normals @ _KEY_LIGHT, 0) + 0.16 * (1 + normals[:, 1]), 1)


def shade_texture(
    light: np.ndarray, uv: np.ndarray, fragments: Fragments, uv_triangles: np.ndarray, background: float
) -> np.ndarray:
    """(1, H, W, 3) float32 from an image of light (h, w, 3) float32 at UVs (U, 2), and one picture's fragments.

    Pixels without a triangle have the light of the background.
    """
    texels = ((uv * [1, -1] + [0, 1]) * light.shape[1::-1] - 0.5).astype(np.float32)
    triangle, weights = fragments.triangle[0], fragments.weights[0]
    return _shade_texture(light, texels, triangle, weights, uv_triangles, np.float32(background))[None]


def shade_layer(light: np.ndarray, uv: np.ndarray, fragments: Fragments, uv_triangles: np.ndarray) -> np.ndarray:
    """(1, H, W, 4) float32 as `shade_texture`, from an image as `light_times_opacity` gives; zero where nothing is."""
    texels = ((uv * [1, -1] + [0, 1]) * light.shape[1::-1] - 0.5).astype(np.float32)
    return _shade_layer(light, texels, fragments.triangle[0], fragments.weights[0], uv_triangles)[None]


@numba.njit(cache=True, nogil=True)
def light_times_opacity(image, linear):
    """(h, w, 4) float32 of an image (h, w, 4) uint8 with opacity: light times opacity, and the opacity in [0, 1].

    `linear` (256,) float32 gives the light of each code.
    """
    out = np.empty(image.shape, np.float32)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            opacity = np.float32(image[row, column, 3]) / np.float32(255)
            for channel in range(3):
                out[row, column, channel] = linear[image[row, column, channel]] * opacity
            out[row, column, 3] = opacity
    return out


@numba.njit(cache=True, nogil=True)
def lay_layer_over(picture, layer, depth, behind):
    """Lay light times opacity, and opacity, (H, W, 4) over a picture (H, W, 3), where `depth` is less than `behind`."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            if depth[row, column] < behind[row, column]:
                left = np.float32(1) - layer[row, column, 3]
                for channel in range(3):
                    picture[row, column, channel] = layer[row, column, channel] + left * picture[row, column, channel]


@numba.njit(cache=True, nogil=True)
def reduced_light(image, step, linear):
    """The light (h / step, w / step, 3) float32 of an image (h, w, 3) uint8, means of step x step pixels.

    `linear` (256,) float32 gives the light of each code.
    """
    light = np.empty((image.shape[0] // step, image.shape[1] // step, 3), np.float32)
    share = np.float32(1 / (step * step))
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            red = green = blue = np.float32(0)
            for y in range(row * step, (row + 1) * step):
                for x in range(column * step, (column + 1) * step):
                    red += linear[image[y, x, 0]]
                    green += linear[image[y, x, 1]]
                    blue += linear[image[y, x, 2]]
            light[row, column, 0], light[row, column, 1], light[row, column, 2] = (
                share * red,
                share * green,
                share * blue,
            )
    return light


@numba.njit(cache=True, nogil=True)
def lay_over(picture, layer, colour, linear, codes):
    """A picture (H, W, 3) uint8 under a layer (H, W, 2) of one colour (3,): its light and its opacity.

    `linear` (256,) float32 gives the light of each code, `codes` are those of `encode`.
    """
    out = picture.copy()
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            own = layer[row, column, 0]
            left = np.float32(1) - layer[row, column, 1]
            if left < 1:
                for channel in range(3):
                    light = left * linear[picture[row, column, channel]] + own * colour[channel]
                    out[row, column, channel] = _code(light, codes)
    return out


@numba.njit(cache=True, nogil=True)
def lay_head_over(picture, triangle, weights, triangles, colours, opacity, linear, codes):
    """Write a head over a picture (h, w, 3) uint8: light (V, 3) and opacity (V,) float32 of its vertices.

    `triangle` and `weights` are a head's fragments. Pixels at its outline are covered in the share of their covered
    neighbours; `linear` and `codes` are as in `lay_over`.
    """
    height, width = triangle.shape
    for row in range(height):
        for column in range(width):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
            wa, wb = weights[row, column, 0], weights[row, column, 1]
            wc = np.float32(1) - wa - wb
            share = wa * opacity[a] + wb * opacity[b] + wc * opacity[c]
            share *= _covered(triangle, row, column)
            left = np.float32(1) - share
            for channel in range(3):
                light = wa * colours[a, channel] + wb * colours[b, channel] + wc * colours[c, channel]
                own = linear[picture[row, column, channel]]
                picture[row, column, channel] = _code(left * own + share * light, codes)


@numba.njit(cache=True, nogil=True, inline="always")
def _covered(triangle, row, column):
    """The share of a pixel that a head covers, from the number of neighbours that show the head."""
    height, width = triangle.shape
    seen = 0
    for y in range(row - 1, row + 2):
        for x in range(column - 1, column + 2):
            # Beyond the window, which is that of the head or ends with the picture, nothing is cut off.
            inside = 0 <= y < height and 0 <= x < width
            seen += 1 if not inside or triangle[y, x] >= 0 else 0
    return min(np.float32(seen) / np.float32(8), np.float32(1))


@numba.njit(cache=True, nogil=True)
def encode(light, codes):
    """The code (H, W, 3) uint8 of each value of a picture, those of 0 to 1 from a table of codes of even steps."""
    out = np.empty(light.shape, np.uint8)
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            for channel in range(light.shape[2]):
                out[row, column, channel] = _code(light[row, column, channel], codes)
    return out


@numba.njit(cache=True, nogil=True, inline="always")
def _code(light, codes):
    steps = np.float32(len(codes) - 1)
    return codes[int(min(max(light, np.float32(0)), np.float32(1)) * steps + np.float32(0.5))]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _shade_texture(light, texels, triangle, weights, triangles, background):
    out = np.empty((*triangle.shape, 3), np.float32)
    one = np.float32(1)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            red = green = blue = background
            t = triangle[row, column]
            if t >= 0:
                a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
                wa, wb = weights[row, column, 0], weights[row, column, 1]
                wc = one - wa - wb
                u = wa * texels[a, 0] + wb * texels[b, 0] + wc * texels[c, 0]
                v = wa * texels[a, 1] + wb * texels[b, 1] + wc * texels[c, 1]
                red, green, blue = bilinear(light, u, v)
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = red, green, blue
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _shade_layer(light, texels, triangle, weights, triangles):
    out = np.zeros((*triangle.shape, 4), np.float32)
    height, width = np.float32(light.shape[0] - 1), np.float32(light.shape[1] - 1)
    zero, one = np.float32(0), np.float32(1)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
            wa, wb = weights[row, column, 0], weights[row, column, 1]
            wc = one - wa - wb
            x = min(max(wa * texels[a, 0] + wb * texels[b, 0] + wc * texels[c, 0], zero), width)
            y = min(max(wa * texels[a, 1] + wb * texels[b, 1] + wc * texels[c, 1], zero), height)
            left, top = np.uint32(x), np.uint32(y)
            right, below = np.uint32(min(x + one, width)), np.uint32(min(y + one, height))
            fx, fy = x - np.float32(left), y - np.float32(top)
            for channel in range(4):
                above = (one - fx) * light[top, left, channel] + fx * light[top, right, channel]
                under = (one - fx) * light[below, left, channel] + fx * light[below, right, channel]
                out[row, column, channel] = (one - fy) * above + fy * under
    return out
