"""Antialiased dots, rings, lines and words. The functions draw into the picture, (H, W, 3) uint8."""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np
from PIL import Image, ImageDraw, ImageFont


def draw_dots(picture: np.ndarray, points: np.ndarray, radius: float, colours: np.ndarray, opacity: float = 1) -> None:
    """Discs round (N, 2) pixels, in one colour (3,) or (N, 3) of them, grey levels."""
    _dots(picture, *_drawable(points, colours), radius, -1.0, opacity)


def draw_rings(
    picture: np.ndarray, points: np.ndarray, radius: float, width: float, colours: np.ndarray, opacity: float = 1
) -> None:
    """Circles round (N, 2) pixels; `width` is that of the line."""
    _dots(picture, *_drawable(points, colours), radius, width / 2, opacity)


def draw_lines(
    picture: np.ndarray, segments: np.ndarray, width: float, colours: np.ndarray, opacity: float = 1
) -> None:
    """Straight lines (N, 2, 2) from pixel to pixel with round ends, in one colour (3,) or (N, 3) of them."""
    _lines(picture, *_drawable(segments.reshape(-1, 4), colours), width / 2, opacity)


def draw_words(
    picture: np.ndarray, words: str, left: float, top: float, size: int, colour: tuple[int, int, int] = (255, 255, 255)
) -> None:
    """One line of text with a dark edge, its top left corner at a pixel, clipped to the picture."""
    font, edge = _font(size), max(1, size // 10)
    box = font.getbbox(words, stroke_width=edge)
    width, height = int(box[2]) + 1, int(box[3]) + 1
    ink, shadow = Image.new("L", (width, height)), Image.new("L", (width, height))
    ImageDraw.Draw(shadow).text((0, 0), words, 255, font, stroke_width=edge)
    ImageDraw.Draw(ink).text((edge, edge), words, 255, font)
    row, column = round(top), round(left)
    part = picture[max(row, 0) : max(row + height, 0), max(column, 0) : max(column + width, 0)]
    here = slice(max(-row, 0), max(-row, 0) + part.shape[0]), slice(max(-column, 0), max(-column, 0) + part.shape[1])
    for mask, level in ((shadow, (0, 0, 0)), (ink, colour)):
        share = np.asarray(mask, np.float32)[here][..., None] / 255
        part[:] = np.rint(part + share * (np.array(level, np.float32) - part)).astype(np.uint8)


def word_width(words: str, size: int) -> int:
    """Pixels across, edge included."""
    return int(_font(size).getbbox(words, stroke_width=max(1, size // 10))[2]) + 1


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _drawable(places: np.ndarray, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finite places only, each with its colour, in the form that the kernels take."""
    places = np.ascontiguousarray(places, np.float64)
    each = np.broadcast_to(np.asarray(colours, np.float64), (len(places), 3))
    sound = np.isfinite(places).all(axis=1)
    return places[sound], np.ascontiguousarray(each[sound])


@numba.njit(cache=True, nogil=True)
def _dots(picture, points, colours, radius, half_width, opacity):
    """Discs where `half_width` is negative, else circles whose line has that half width."""
    reach = radius + max(half_width, 0.0) + 1
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        top, bottom, left, right = _bounds(picture, y - reach, y + reach, x - reach, x + reach)
        for row in range(top, bottom):
            for column in range(left, right):
                distance = np.sqrt((column - x) ** 2 + (row - y) ** 2)
                inside = radius - distance if half_width < 0 else half_width - abs(distance - radius)
                _blend(picture, row, column, colours[n], opacity * min(max(inside + 0.5, 0.0), 1.0))


@numba.njit(cache=True, nogil=True)
def _lines(picture, segments, colours, half_width, opacity):
    reach = half_width + 1
    for n in range(len(segments)):
        x0, y0, x1, y1 = segments[n]
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-12)
        top, bottom, left, right = _bounds(
            picture, min(y0, y1) - reach, max(y0, y1) + reach, min(x0, x1) - reach, max(x0, x1) + reach
        )
        for row in range(top, bottom):
            for column in range(left, right):
                along = min(max(((column - x0) * dx + (row - y0) * dy) / length, 0.0), 1.0)
                distance = np.sqrt((column - x0 - along * dx) ** 2 + (row - y0 - along * dy) ** 2)
                # A line thinner than a pixel is as thin as its opacity.
                share = min(max(half_width - distance + 0.5, 0.0), 1.0, 2 * half_width)
                _blend(picture, row, column, colours[n], opacity * share)


@numba.njit(cache=True, nogil=True, inline="always")
def _bounds(picture, low_row, high_row, low_column, high_column):
    """The rows and columns of the picture between those numbers, which may be far outside."""
    height, width = picture.shape[:2]
    return (
        int(min(max(np.floor(low_row), 0), height)),
        int(min(max(np.ceil(high_row) + 1, 0), height)),
        int(min(max(np.floor(low_column), 0), width)),
        int(min(max(np.ceil(high_column) + 1, 0), width)),
    )


@numba.njit(cache=True, nogil=True, inline="always")
def _blend(picture, row, column, colour, share):
    if share > 0:
        for channel in range(3):
            own = picture[row, column, channel]
            picture[row, column, channel] = np.uint8(own + share * (colour[channel] - own) + 0.5)
