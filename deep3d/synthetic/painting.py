"""Pixel kernels of the synthetic photos: surfaces with fine texture, overlays, backgrounds."""

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
    """Draw the fragments onto `picture` (H, W, 3): vertex colours (N, 3) times fine texture.

    `grain` (N, 2) are noise coordinates, `contrast` (N,) is the strength of the noise (S, S).
    """
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            t = triangle[row, column]
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a, b = weights[row, column, 0], weights[row, column, 1]
            c = 1 - a - b
            factor = _texture(i, j, k, a, b, c, grain, contrast, noise)
            for channel in range(3):
                value = a * colours[i, channel] + b * colours[j, channel] + c * colours[k, channel]
                picture[row, column, channel] = value * factor


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_overlay(
    picture, behind, triangles, triangle, weights, depth, colours, grain, contrast, opacity, inside, noise
):
    """Blend the fragments onto `picture` (H, W, 3) where the depth `behind` (H, W) does not hide them.

    `opacity` (N,) is in [0, 1], `inside` (N,) the distance from a soft border in pixels; the rest as above.
    """
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            t = triangle[row, column]
            if t < 0 or not depth[row, column] < behind[row, column]:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a, b = weights[row, column, 0], weights[row, column, 1]
            c = 1 - a - b
            factor = _texture(i, j, k, a, b, c, grain, contrast, noise)
            share = min(max(a * inside[i] + b * inside[j] + c * inside[k], 0.0), 1.0)
            share *= a * opacity[i] + b * opacity[j] + c * opacity[k]
            for channel in range(3):
                value = a * colours[i, channel] + b * colours[j, channel] + c * colours[k, channel]
                picture[row, column, channel] += share * (value * factor - picture[row, column, channel])


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _texture(i, j, k, a, b, c, grain, contrast, noise):
    """The factor of the fine texture where the corners i, j, k have the weights a, b, c."""
    size = noise.shape[0]
    x = (a * grain[i, 0] + b * grain[j, 0] + c * grain[k, 0]) * GRAIN_SCALE
    y = (a * grain[i, 1] + b * grain[j, 1] + c * grain[k, 1]) * GRAIN_SCALE
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    x0, y0, x1, y1 = x0 % size, y0 % size, (x0 + 1) % size, (y0 + 1) % size
    above = noise[y0, x0] * (1 - fx) + noise[y0, x1] * fx
    below = noise[y1, x0] * (1 - fx) + noise[y1, x1] * fx
    strength = a * contrast[i] + b * contrast[j] + c * contrast[k]
    return max(1 + strength * (above * (1 - fy) + below * fy), 0.0)


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
    """Fill `out` (B, V, 3) with unit vertex normals, area-weighted: good enough for painting, and fast."""
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
