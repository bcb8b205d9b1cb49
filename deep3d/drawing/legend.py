"""Colour scales, and a legend in the corner of a picture."""

from __future__ import annotations

import numpy as np

from deep3d.drawing.strokes import draw_words, word_width

HEAT = np.array(
    [
        [0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99],
        [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164],
    ]
)  # fmt: skip
"""Eight even steps of matplotlib's "inferno" (Smith and van der Walt, CC0), from low to high."""


def heat(share: np.ndarray) -> np.ndarray:
    """Colours (..., 3) uint8 of values in [0, 1], from dark to bright."""
    place = np.clip(share, 0, 1) * (len(HEAT) - 1)
    channels = [np.interp(place, np.arange(len(HEAT)), HEAT[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def grey(level: np.ndarray) -> np.ndarray:
    """Colours (..., 3) uint8 of grey levels."""
    return np.repeat(np.rint(level).astype(np.uint8)[..., None], 3, axis=-1)


def draw_legend(picture: np.ndarray, colours: np.ndarray, least: str, most: str) -> None:
    """Draw a bar of colours (N, 3), from low to high, with a label at either end, at the bottom left of a picture.

    Small pictures have a small legend; below 96 pixels a side there is none.
    """
    height, width = picture.shape[:2]
    if min(height, width) < 96:
        return
    size = int(np.clip(min(height, width) / 32, 9, 28))
    while size > 9 and _length(least, most, size) > width - 2 * size:
        size -= 1
    edge, bar = size // 2 + 2, 8 * size
    top = height - edge - size
    draw_words(picture, least, edge, top - size // 5, size)
    left = edge + word_width(least, size) + size // 3
    shown = picture[top : top + size, left : left + bar]
    shown[:] = colours[np.linspace(0, len(colours) - 1, shown.shape[1]).astype(int)]
    draw_words(picture, most, left + bar + size // 3, top - size // 5, size)


def _length(least: str, most: str, size: int) -> int:
    return word_width(least, size) + word_width(most, size) + 9 * size
