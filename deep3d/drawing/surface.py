"""3d, albedo and wireframe: the surface of faces over the photo."""

from __future__ import annotations

import numba
import numpy as np

from deep3d.drawing.heads import DrawnHead, Faces, drawn_heads, pixels_of
from deep3d.drawing.shading import CLAY, CODES, LINEAR, clay_light, lay_head_over
from deep3d.photo import Photo

OPACITY = 0.75
_LINE = np.array([235.0, 245.0, 255.0])  # grey levels of a wireframe's lines
_LINE_WIDTH = 0.8  # pixels
_SHADE_UNDER_LINES = 0.35


def draw_surface(faces: Faces, photo: Photo | np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    """(H, W, 3) uint8: the photo under each head as clay in a fixed light, with an opacity in [0, 1]."""
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        light = clay_light(head.face.placed_normals)
        _lay_over(picture, head, light[:, None] * CLAY, opacity)
    return picture


def draw_albedo(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo under each head in the model's albedo, without light."""
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        codes = np.rint(255 * np.clip(head.face.albedo, 0, 1)).astype(np.uint8)
        _lay_over(picture, head, LINEAR[codes], 1)
    return picture


def draw_wireframe(faces: Faces, photo: Photo | np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photo under the edges of each head's visible triangles."""
    picture = pixels_of(photo).copy()
    for head in drawn_heads(faces, *picture.shape[:2]):
        light = clay_light(head.face.placed_normals)
        _lay_over(picture, head, light[:, None] * CLAY, _SHADE_UNDER_LINES)
        corners = (head.points[:, :2] - [head.left, head.top])[head.triangles]
        _edges(head.window(picture), head.triangle, corners, _LINE, _LINE_WIDTH / 2)
    return picture


def _lay_over(picture: np.ndarray, head: DrawnHead, light: np.ndarray, opacity: float) -> None:
    """Draw a head over a picture; its vertices have colours (V, 3) in linear light."""
    each = np.full(len(light), opacity, np.float32)
    colours = np.ascontiguousarray(light, np.float32)
    lay_head_over(head.window(picture), head.triangle, head.weights, head.triangles, colours, each, LINEAR, CODES)


@numba.njit(cache=True, nogil=True)
def _edges(picture, triangle, corners, colour, half_width):
    """Draw the edges of the triangles visible at pixels (h, w); their corners (F, 3, 2) are in the window's pixels.

    Where triangles are smaller than pixels the lines are fainter, so that their share of the surface stays the same.
    """
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            t = triangle[row, column]
            if t < 0:
                continue
            nearest, lowest = np.inf, np.inf
            for k in range(3):
                ax, ay = corners[t, k, 0], corners[t, k, 1]
                dx, dy = corners[t, (k + 1) % 3, 0] - ax, corners[t, (k + 1) % 3, 1] - ay
                cx, cy = corners[t, (k + 2) % 3, 0] - ax, corners[t, (k + 2) % 3, 1] - ay
                length = max(np.sqrt(dx * dx + dy * dy), 1e-6)
                nearest = min(nearest, abs((column - ax) * dy - (row - ay) * dx) / length)
                lowest = min(lowest, abs(cx * dy - cy * dx) / length)
            crowded = min(1.0, lowest / 6)
            share = crowded * min(max(half_width - nearest + 0.5, 0.0), 1.0)
            for channel in range(3):
                own = picture[row, column, channel]
                picture[row, column, channel] = np.uint8(own + share * (colour[channel] - own) + 0.5)
