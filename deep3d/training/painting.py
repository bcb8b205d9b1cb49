"""Pixel kernels of the synthetic photos: shaded surfaces with fine texture, thick lines, soft patches, backgrounds."""

from __future__ import annotations

import numba
import numpy as np

NOISE_SIZE = 256
GRAIN_SCALE = 32.0  # pixels of a noise field for 1 of the grain coordinates


def noise_bank(rng: np.random.Generator, count: int = 6) -> np.ndarray:
    """Tileable noise fields (count, 256, 256) float32 of unit variance, from fine to coarse."""
    fields = []
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(NOISE_SIZE), np.fft.fftfreq(NOISE_SIZE)))
    for slope in np.linspace(0.3, 2.0, count):
        spectrum = (
            np.fft.fft2(rng.normal(size=(NOISE_SIZE, NOISE_SIZE))) / np.maximum(frequency, 1 / NOISE_SIZE) ** slope
        )
        field = np.fft.ifft2(spectrum).real
        fields.append((field - field.mean()) / field.std())
    return np.stack(fields).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_surfaces(picture, triangles, triangle, weights, colours, grain, contrast, noise):
    """Draw onto `picture` (H, W, 3) what the fragments see: vertex colours (V, 3) times fine texture.

    `grain` (V, 2) are noise coordinates, `contrast` (V,) how strong the noise (N, N) is.
    """
    size = noise.shape[0]
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b = weights[row, column, 0], weights[row, column, 1]
            c = 1 - a - b
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            u = a * grain[i, 0] + b * grain[j, 0] + c * grain[k, 0]
            v = a * grain[i, 1] + b * grain[j, 1] + c * grain[k, 1]
            x, y = u * GRAIN_SCALE, v * GRAIN_SCALE
            x0, y0 = int(np.floor(x)), int(np.floor(y))
            fx, fy = x - x0, y - y0
            x0, y0, x1, y1 = x0 % size, y0 % size, (x0 + 1) % size, (y0 + 1) % size
            above = noise[y0, x0] * (1 - fx) + noise[y0, x1] * fx
            below = noise[y1, x0] * (1 - fx) + noise[y1, x1] * fx
            strength = a * contrast[i] + b * contrast[j] + c * contrast[k]
            factor = max(1 + strength * (above * (1 - fy) + below * fy), 0.0)
            for channel in range(3):
                value = a * colours[i, channel] + b * colours[j, channel] + c * colours[k, channel]
                picture[row, column, channel] = value * factor


@numba.njit(cache=True, nogil=True, fastmath=True)
def draw_line(picture, points, depths, zbuffer, half_width, colour):
    """Draw a polyline (N, 2) of this half width in pixels where its depths (N,) are nearer than the z-buffer (H, W)."""
    height, width = picture.shape[:2]
    for n in range(len(points) - 1):
        x0, y0, x1, y1 = points[n, 0], points[n, 1], points[n + 1, 0], points[n + 1, 1]
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-6)
        reach = half_width + 1
        for row in range(max(0, int(min(y0, y1) - reach)), min(height, int(max(y0, y1) + reach) + 2)):
            for column in range(max(0, int(min(x0, x1) - reach)), min(width, int(max(x0, x1) + reach) + 2)):
                t = min(max(((column - x0) * dx + (row - y0) * dy) / length, 0.0), 1.0)
                distance = np.sqrt((column - x0 - t * dx) ** 2 + (row - y0 - t * dy) ** 2)
                alpha = min(max(half_width + 0.5 - distance, 0.0), 1.0)
                if alpha > 0 and depths[n] + t * (depths[n + 1] - depths[n]) < zbuffer[row, column]:
                    for channel in range(3):
                        picture[row, column, channel] += alpha * (colour[channel] - picture[row, column, channel])


@numba.njit(cache=True, nogil=True, fastmath=True)
def fill_polygon(picture, polygon, colour, opacity, gradient, noise):
    """Fill a closed polygon (N, 2), lightly textured; `gradient` (2,) shifts the colour along x and y."""
    height, width = picture.shape[:2]
    count = len(polygon)
    size = noise.shape[0]
    top, bottom = max(0, int(polygon[:, 1].min())), min(height - 1, int(polygon[:, 1].max()) + 1)
    for row in range(top, bottom + 1):
        for column in range(max(0, int(polygon[:, 0].min())), min(width - 1, int(polygon[:, 0].max()) + 1) + 1):
            inside = False
            j = count - 1
            for i in range(count):
                if (polygon[i, 1] > row) != (polygon[j, 1] > row):
                    cut = polygon[j, 0] + (row - polygon[j, 1]) * (polygon[i, 0] - polygon[j, 0]) / (
                        polygon[i, 1] - polygon[j, 1]
                    )
                    if column < cut:
                        inside = not inside
                j = i
            if inside:
                shift = gradient[0] * column / width + gradient[1] * row / height
                texture = 0.06 * noise[row % size, column % size]
                for channel in range(3):
                    value = colour[channel] + shift + texture
                    picture[row, column, channel] += opacity * (value - picture[row, column, channel])


@numba.njit(cache=True, nogil=True, fastmath=True)
def fill_background(picture, corners, noise, zoom, amount, offset):
    """Fill the picture with a blend of four corner colours (2, 2, 3) and zoomed noise (N, N) of this amount (3,)."""
    height, width = picture.shape[:2]
    size = noise.shape[0]
    for row in range(height):
        for column in range(width):
            fx, fy = column / (width - 1), row / (height - 1)
            x, y = column * zoom + offset[0], row * zoom + offset[1]
            x0, y0 = int(x), int(y)
            gx, gy = x - x0, y - y0
            x0, y0, x1, y1 = x0 % size, y0 % size, (x0 + 1) % size, (y0 + 1) % size
            value = (noise[y0, x0] * (1 - gx) + noise[y0, x1] * gx) * (1 - gy)
            value += (noise[y1, x0] * (1 - gx) + noise[y1, x1] * gx) * gy
            for channel in range(3):
                above = corners[0, 0, channel] * (1 - fx) + corners[0, 1, channel] * fx
                below = corners[1, 0, channel] * (1 - fx) + corners[1, 1, channel] * fx
                picture[row, column, channel] = above * (1 - fy) + below * fy + amount[channel] * value


@numba.njit(cache=True, nogil=True, fastmath=True)
def normals_into(vertices, triangles, out):
    """Fill `out` (B, V, 3) with unit vertex normals, area-weighted: near enough for painting, and fast."""
    out[:] = 0
    for b in range(vertices.shape[0]):
        points, normals = vertices[b], out[b]
        for t in range(triangles.shape[0]):
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ux, uy, uz = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]
            vx, vy, vz = points[k, 0] - points[i, 0], points[k, 1] - points[i, 1], points[k, 2] - points[i, 2]
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            for corner in (i, j, k):
                normals[corner, 0] += nx
                normals[corner, 1] += ny
                normals[corner, 2] += nz
        for v in range(normals.shape[0]):
            length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2) + 1e-20
            for axis in range(3):
                normals[v, axis] /= length
