"""Numba kernels on single pictures that write into the caller's arrays, without checks.

Positions are rounded to 2^-14 pixel, so that in float64 the edge functions of pictures up to 2048 pixels are exact and
the top-left rule gives every pixel on a shared edge to one of its two triangles: no cracks and no pixel drawn twice
(Pineda, A parallel algorithm for polygon rasterization, 1988). The barycentric weights are those of the positions
themselves, straight from clip space (Olano and Greer, Triangle scan conversion using 2D homogeneous coordinates, 1997).
"""

from __future__ import annotations

import array_api_compat
import numba
import numpy as np

from deep3d.arrays import Array

GRID = 16384.0  # positions per pixel
LANES = 8  # pixels drawn at a time, about the width of a face's triangle
_POSITIVE = 1e-30  # smaller than any edge function but zero


def to_numpy(array: Array) -> np.ndarray:
    """An array or tensor for kernels: its own memory if that is contiguous and writable, otherwise a copy.

    Numba would compile each kernel again for read-only arrays.
    """
    values = array.detach().numpy() if array_api_compat.is_torch_array(array) else array
    return np.require(values, requirements=["C", "W"])


@numba.njit(cache=True, nogil=True)
def fronts(pixels, triangles):
    """Mask (T,) of the triangles that face the camera at pixels (V, 2): only those are visible on a closed head."""
    mask = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
        bx, by = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
        cx, cy = pixels[c, 0] - pixels[a, 0], pixels[c, 1] - pixels[a, 1]
        mask[t] = bx * cy < by * cx  # clockwise in pixels, which run down
    return mask


@numba.njit(cache=True, nogil=True)
def rasterize_into(clip, triangles, triangle, weights, depth):
    """Fill `triangle` (H, W) int32, `weights` (H, W, 2) and `depth` (H, W) from clip (V, 4) and triangles (T, 3) int32.

    The meaning is that of `Fragments`. There is no culling of back faces. Triangles with a corner at w <= 0 are left
    out whole, pixels whose z / w is outside [-1, 1] one by one; at equal depths the first triangle wins.
    """
    depth_into(clip, triangles, triangle, depth)
    weights_into(clip, triangles, triangle, weights)


@numba.njit(cache=True, nogil=True)
def depth_into(clip, triangles, triangle, depth):
    """Fill `triangle` and `depth` as `rasterize_into` does, for those who need no weights."""
    _draw(clip, triangles, triangle, depth, max(1, min(LANES, triangle.shape[1])))


@numba.njit(cache=True, nogil=True)
def _draw(clip, triangles, triangle, depth, lanes):
    """Fill `triangle` and `depth`: `lanes` pixels of a row at a time, without branches.

    A constant number of lanes would be unrolled into scalar code, which takes three times as long.
    """
    height, width = triangle.shape
    triangle[:] = -1
    depth[:] = np.inf

    screen = screen_positions(clip, height, width)
    for t in range(triangles.shape[0]):
        x0, y0, z0 = screen[triangles[t, 0]]
        x1, y1, z1 = screen[triangles[t, 1]]
        x2, y2, z2 = screen[triangles[t, 2]]
        area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
        if not (area > 0 or area < 0):  # flat, behind the camera or NaN
            continue
        left, right = _pixels_between(min(x0, x1, x2), max(x0, x1, x2), width)
        top, bottom = _pixels_between(min(y0, y1, y2), max(y0, y1, y2), height)

        # One edge function for the edge opposite each corner, positive inside for either orientation of the triangle.
        turn = 1.0 if area > 0 else -1.0
        dx0, dy0 = (x2 - x1) * turn, (y2 - y1) * turn
        dx1, dy1 = (x0 - x2) * turn, (y0 - y2) * turn
        dx2, dy2 = (x1 - x0) * turn, (y1 - y0) * turn
        least0 = 0.0 if dy0 < 0 or (dy0 == 0 and dx0 > 0) else _POSITIVE
        least1 = 0.0 if dy1 < 0 or (dy1 == 0 and dx1 > 0) else _POSITIVE
        least2 = 0.0 if dy2 < 0 or (dy2 == 0 and dx2 > 0) else _POSITIVE
        size = abs(area)
        z0, z1, z2 = z0 / size, z1 / size, z2 / size
        number = np.int32(t)

        for start in range(left, right, lanes):
            first = np.uint32(min(start, width - lanes))
            end = np.uint32(first + lanes)
            row0 = dx0 * (top - y1) - dy0 * (first - x1)
            row1 = dx1 * (top - y2) - dy1 * (first - x2)
            row2 = dx2 * (top - y0) - dy2 * (first - x0)
            for row in range(top, bottom):
                numbers, depths = triangle[row, first:end], depth[row, first:end]
                for n in range(lanes):
                    edge0, edge1, edge2 = row0 - n * dy0, row1 - n * dy1, row2 - n * dy2
                    z = edge0 * z0 + edge1 * z1 + edge2 * z2
                    inside = (edge0 >= least0) & (edge1 >= least1) & (edge2 >= least2)
                    nearest = inside & (z < depths[n]) & (z >= -1) & (z <= 1)
                    depths[n] = z if nearest else depths[n]
                    numbers[n] = number if nearest else numbers[n]
                row0 += dx0
                row1 += dx1
                row2 += dx2


@numba.njit(cache=True, nogil=True)
def screen_positions(clip, height, width):
    """Column, row (both rounded to the grid) and z / w of clip coordinates (V, 4); NaN where w <= 0."""
    screen = np.full((clip.shape[0], 3), np.nan)
    for v in range(clip.shape[0]):
        x, y, z, w = clip[v]
        if w > 0:
            screen[v, 0] = np.rint(((x / w + 1) * (0.5 * width) - 0.5) * GRID) / GRID
            screen[v, 1] = np.rint(((y / w + 1) * (0.5 * height) - 0.5) * GRID) / GRID
            screen[v, 2] = z / w
    return screen


@numba.njit(cache=True, nogil=True)
def _pixels_between(low, high, count):
    """The range of pixels 0..count - 1 in [low, high], which may be far outside."""
    return int(min(max(np.ceil(low), 0.0), count)), int(min(max(np.floor(high) + 1, 0.0), count))


@numba.njit(cache=True, nogil=True, inline="always")
def _corners_from_pixel(clip, corners, x, y):
    """The three corners as seen from the point (x, y) of the picture: six numbers x, y times w, three times."""
    x0, y0, _, w0 = clip[corners[0]]
    x1, y1, _, w1 = clip[corners[1]]
    x2, y2, _, w2 = clip[corners[2]]
    return x0 - x * w0, y0 - y * w0, x1 - x * w1, y1 - y * w1, x2 - x * w2, y2 - y * w2


@numba.njit(cache=True, nogil=True)
def weights_into(clip, triangles, triangle, weights):
    """Fill `weights` (H, W, 2), the perspective-correct barycentric weights of the visible triangles (H, W).

    The three areas of a point with a triangle's corners are linear in the picture, a + b x + c y.
    """
    areas = _areas(clip, triangles)
    height, width = triangle.shape
    for row in range(height):
        y = (row + 0.5) * (2 / height) - 1
        for column in range(width):
            t = triangle[row, column]
            first = second = 0.0
            if t >= 0:
                x = (column + 0.5) * (2 / width) - 1
                a, b, c = areas[np.uint32(t)]
                area0, area1 = a[0] + x * b[0] + y * c[0], a[1] + x * b[1] + y * c[1]
                area2 = a[2] + x * b[2] + y * c[2]
                total = area0 + area1 + area2
                if total != 0:
                    share = 1 / total
                    first = min(max(area0 * share, 0.0), 1.0)
                    second = min(max(area1 * share, 0.0), 1 - first)
            weights[row, column, 0] = first
            weights[row, column, 1] = second


@numba.njit(cache=True, nogil=True)
def _areas(clip, triangles):
    """(T, 3, 3): a, b and c of the areas opposite the three corners of each triangle."""
    areas = np.empty((len(triangles), 3, 3))
    for t in range(len(triangles)):
        for corner in range(3):
            x1, y1, _, w1 = clip[triangles[t, (corner + 1) % 3]]
            x2, y2, _, w2 = clip[triangles[t, (corner + 2) % 3]]
            areas[t, 0, corner] = np.float64(x1) * y2 - np.float64(y1) * x2
            areas[t, 1, corner] = np.float64(y1) * w2 - np.float64(w1) * y2
            areas[t, 2, corner] = np.float64(w1) * x2 - np.float64(x1) * w2
    return areas


@numba.njit(cache=True, nogil=True)
def weights_backward_into(clip, triangles, triangle, gradient, clip_gradient):
    """Add the gradient of the clip coordinates to `clip_gradient` (V, 4), from the weights' gradient (H, W, 2)."""
    height, width = triangle.shape
    for row in range(height):
        y = (row + 0.5) * (2 / height) - 1
        for column in range(width):
            t = triangle[row, column]
            if t < 0:
                continue
            x = (column + 0.5) * (2 / width) - 1
            x0, y0, x1, y1, x2, y2 = _corners_from_pixel(clip, triangles[t], x, y)
            area0, area1, area2 = x1 * y2 - y1 * x2, x2 * y0 - y2 * x0, x0 * y1 - y0 * x1
            total = area0 + area1 + area2
            if total == 0:
                continue
            first, second = gradient[row, column]
            mean = (first * area0 + second * area1) / total
            d0, d1, d2 = (first - mean) / total, (second - mean) / total, -mean / total
            _add_corner(clip_gradient, triangles[t, 0], d2 * y1 - d1 * y2, d1 * x2 - d2 * x1, x, y)
            _add_corner(clip_gradient, triangles[t, 1], d0 * y2 - d2 * y0, d2 * x0 - d0 * x2, x, y)
            _add_corner(clip_gradient, triangles[t, 2], d1 * y0 - d0 * y1, d0 * x1 - d1 * x0, x, y)


@numba.njit(cache=True, nogil=True, inline="always")
def _add_corner(clip_gradient, vertex, dx, dy, x, y):
    clip_gradient[vertex, 0] += dx
    clip_gradient[vertex, 1] += dy
    clip_gradient[vertex, 3] -= dx * x + dy * y


@numba.njit(cache=True, nogil=True, fastmath=True)
def interpolate_into(attributes, triangles, triangle, weights, out):
    """Fill `out` (H, W, C) from attributes (V, C), triangles (T, 3) and the fragments of `rasterize_into`."""
    height, width, channels = out.shape
    for row in range(height):
        for column in range(width):
            t = triangle[row, column]
            if t < 0:
                for c in range(channels):
                    out[row, column, c] = 0
                continue
            i, j, k = triangles[t]
            first, second = weights[row, column]
            third = 1 - first - second
            for c in range(channels):
                out[row, column, c] = first * attributes[i, c] + second * attributes[j, c] + third * attributes[k, c]


@numba.njit(cache=True, nogil=True, fastmath=True)
def interpolate_backward_into(attributes, triangles, triangle, weights, gradient, attribute_gradient, weight_gradient):
    """Add to `attribute_gradient` (V, C) and fill `weight_gradient` (H, W, 2) from the gradient (H, W, C)."""
    height, width, channels = gradient.shape
    weight_gradient[:] = 0
    for row in range(height):
        for column in range(width):
            t = triangle[row, column]
            if t < 0:
                continue
            i, j, k = triangles[t]
            first, second = weights[row, column]
            third = 1 - first - second
            for c in range(channels):
                g = gradient[row, column, c]
                attribute_gradient[i, c] += first * g
                attribute_gradient[j, c] += second * g
                attribute_gradient[k, c] += third * g
                weight_gradient[row, column, 0] += g * (attributes[i, c] - attributes[k, c])
                weight_gradient[row, column, 1] += g * (attributes[j, c] - attributes[k, c])


@numba.njit(cache=True, nogil=True)
def sample_into(image, uv, out):
    """Fill `out` (H, W, C) with an image (h, w, C) at (H, W, 2) UVs, bilinear, v up, clamped at the border."""
    image_height, image_width, channels = image.shape
    for row in range(uv.shape[0]):
        for column in range(uv.shape[1]):
            u, v = uv[row, column]
            x = _clamp(u * image_width - 0.5, image_width - 1.0)
            y = _clamp((1 - v) * image_height - 0.5, image_height - 1.0)
            left, top = int(x), int(y)
            right, bottom = min(left + 1, image_width - 1), min(top + 1, image_height - 1)
            fx, fy = x - left, y - top
            for c in range(channels):
                above = image[top, left, c] * (1 - fx) + image[top, right, c] * fx
                below = image[bottom, left, c] * (1 - fx) + image[bottom, right, c] * fx
                out[row, column, c] = above * (1 - fy) + below * fy


@numba.njit(cache=True, nogil=True, inline="always")
def _clamp(value, high):
    """The value clamped to [0, high]; 0 for NaN, which must not become an index."""
    return min(value, high) if value > 0 else 0.0
