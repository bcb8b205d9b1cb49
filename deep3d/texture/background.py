"""Segmentation of background pixels near the outline of a mesh: geodesic segmentation (Bai and Sapiro, 2007).

A fitted mesh never ends exactly where the head ends in the photo. Every uncertain pixel belongs to the side, head or
background, that it reaches with the least change of colour.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy import ndimage

OUTSIDE = 0.5  # decimetres outside the outline from which a pixel surely does not show the head
OUTSIDE_AT_BORDER = 0.25  # likewise at the border of the picture, where there may be nothing farther away
AT_HOME, ABROAD = 0.3, 3.0  # of 255: a step on the own side of the mesh's outline, and on the other
TEXTURE = 80  # percent of the changes of colour in what surely lies behind the head: smaller ones cost nothing
LARGEST_TEXTURE = 14.0  # of 255, summed over the channels: what costs nothing at most, or soft hair would be lost
LEVELS = 8  # of each channel, in which colours are counted
RARE = 0.002  # share of pixels behind the head that makes a colour one of the background's
COMMON = (0.1, 0.4)
"""Times as frequent on the head as behind it: up to where a colour is the background's, and from where it is not."""
DEEP = 0.7  # decimetres inside the outline up to which a colour of the background is doubted: crowns are flatter
FOREIGN, PATCH = 0.9, 5  # all over so many pixels across, a colour is likely the background, wherever it lies
LIKELY = 30.0  # what it costs then to take it for that
HAIR_DARK, HAIR_BRIGHT = 70.0, 120.0  # of 255: dark hair has its colour in common with many walls
GREEN = 4.0  # of 255 above red and blue: leaves, not hair
RELUCTANCE = 2.5  # changes cost more for the background: hair must not be lost, even in front of a wall of its colour
ROUNDS = 3
HEAD, BACKGROUND = 1, 2


def background(colours: np.ndarray, doubt: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pixels of an (h, w, 3) picture that show the background.

    `inside` and `outside` (h, w) are distances from the mesh's outline in decimetres, 0 on its other side; `doubt`
    (h, w) is the distance inside it from which a pixel surely shows the head.
    """
    far = np.full(outside.shape, OUTSIDE, np.float32)
    far[[0, -1]] = far[:, [0, -1]] = OUTSIDE_AT_BORDER
    label = np.where(inside > doubt, HEAD, np.where(outside > far, BACKGROUND, 0)).astype(np.uint8)
    colours = colours.astype(np.float32)
    foreign = _foreign(colours, label)
    label[(label == HEAD) & (foreign > 0.5) & (inside < DEEP)] = 0
    free = texture(colours, label == BACKGROUND)
    cost = np.where(label > 0, 0, np.inf).astype(np.float32)
    likely = (label == 0) & (ndimage.minimum_filter(foreign, PATCH) > FOREIGN)
    label[likely], cost[likely] = BACKGROUND, LIKELY
    _grow(colours, label, cost, inside > 0, foreign, free)
    return label == BACKGROUND


def texture(colours: np.ndarray, behind: np.ndarray) -> np.float32:
    """The usual change of colour between pixels in the background `behind` (h, w): foliage, brick, cloth."""
    down = np.abs(np.diff(colours, axis=0)).sum(axis=2)[behind[1:] & behind[:-1]]
    across = np.abs(np.diff(colours, axis=1)).sum(axis=2)[behind[:, 1:] & behind[:, :-1]]
    changes = np.concatenate([down, across])
    return np.float32(min(np.percentile(changes, TEXTURE), LARGEST_TEXTURE) if len(changes) else 0)


def _foreign(colours: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Degree (h, w), in [0, 1], to which each colour occurs in the sure background and hardly on the head.

    Zero for dark colours unless they are green, since hair may have them.
    """
    level = (colours * (LEVELS / 256)).astype(np.int64)
    number = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    head, behind = (
        np.bincount(number[label == side], minlength=LEVELS**3) / max((label == side).sum(), 1)
        for side in (HEAD, BACKGROUND)
    )
    low, high = COMMON
    foreign = np.minimum(behind / RARE, 1) * np.clip((high - head / np.maximum(behind, 1e-9)) / (high - low), 0, 1)
    red, green, blue = np.moveaxis(colours, 2, 0)
    bright = np.clip((colours.max(axis=2) - HAIR_DARK) / (HAIR_BRIGHT - HAIR_DARK), 0, 1)
    no_hair = np.where(green > np.maximum(red, blue) + GREEN, 1, bright)
    return (foreign[number] * no_hair).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _grow(colours, label, cost, on_mesh, foreign, free):
    """Give each pixel the label of the seed with the cheapest path to it, by raster sweeps in both directions."""
    height, width = label.shape
    for sweep in range(2 * ROUNDS):
        way = 1 - 2 * (sweep % 2)
        for i in range(height):
            row = i if way > 0 else height - 1 - i
            for j in range(width):
                column = j if way > 0 else width - 1 - j
                if cost[row, column] == 0:  # a seed
                    continue
                for dr, dc in ((-way, -way), (-way, 0), (-way, way), (0, -way)):
                    y, x = row + dr, column + dc
                    if 0 <= y < height and 0 <= x < width and cost[y, x] < cost[row, column]:
                        change = np.float32(0)
                        for channel in range(3):
                            change += abs(colours[row, column, channel] - colours[y, x, channel])
                        length = np.float32(1.4 if dr != 0 and dc != 0 else 1.0)
                        step = np.float32(AT_HOME)
                        if label[y, x] == HEAD:
                            step = max(step, np.float32(ABROAD) * foreign[row, column])
                        elif on_mesh[row, column]:
                            step = max(step, np.float32(ABROAD) * (np.float32(1) - foreign[row, column]))
                        path = cost[y, x] + length * step
                        if change > free:
                            path += (change - free) * np.float32(RELUCTANCE if label[y, x] == BACKGROUND else 1.0)
                        if path < cost[row, column]:
                            cost[row, column] = path
                            label[row, column] = label[y, x]
