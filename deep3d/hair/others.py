"""What further photos of a person show of a shell where the first does not, in the light of the first.

Photos are matched as textures are (`deep3d.texture.merge`): the difference of the logarithms of their smooth colours,
known where both show hair, is continued over the shell. Before that each photo's own light is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from deep3d.hair.fit import NEIGHBOURS
from deep3d.hair.grid import COLUMNS, ROWS, UPPER
from deep3d.hair.lookup import grid_at, limited, place_in_grid, share_at
from deep3d.hair.shown import BARE, CORE, Shown
from deep3d.texture.fill import DARK, spread
from deep3d.texture.merge import LARGEST_GAIN
from deep3d.texture.sampling import bilinear


def match(first: Shown, other: Shown) -> np.ndarray:
    """(POINTS, 3) what colours without light in one photo lack to be those in the first."""
    both = np.minimum(first.weight, other.weight)
    difference = first.even - other.even
    middle = (both @ difference / max(float(both.sum()), 1e-3)).astype(np.float32)
    elsewhere = np.broadcast_to(middle, difference.shape)
    even = np.ones(NEIGHBOURS.shape, np.float32)
    gain = spread(difference, both, elsewhere, NEIGHBOURS.astype(np.int32), even)
    return np.clip(gain, -LARGEST_GAIN, LARGEST_GAIN)


def all_seen(shown: Sequence[Shown], matches: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Smooth colours (POINTS, 3), without their light, of the hair that photos show, and how well they do (POINTS,).

    `matches` (POINTS, 3) of all but the first are those of `match`.
    """
    colours, weight = shown[0].even, shown[0].weight
    for other, lacking in zip(shown[1:], matches, strict=True):
        share = (1 - weight) * other.weight
        both = (weight + share)[:, None]
        matched = other.even + lacking
        mixed = (weight[:, None] * colours + share[:, None] * matched) / np.maximum(both, 1e-6)
        colours, weight = np.where(both > 0, mixed, colours).astype(np.float32), both[:, 0]
    return colours, weight


def shown_by_others(
    shown: Sequence[Shown], matches: Sequence[np.ndarray], rows_of: tuple[np.float32, np.float32], size: int
) -> np.ndarray:
    """(size, size, 5) uint8 over the disk: the colours of all photos but the first, in its light, the share of hair
    that they show, and that of bare skin.

    `rows_of` is that of `place_in_grid`.
    """
    texels = np.zeros((size, size, 5), np.uint8)
    first = shown[0]
    for other, lacking in zip(shown[1:], matches, strict=True):
        gain = lacking + first.light - other.light
        columns = other.positions(), other.seen, gain
        grid = np.column_stack(columns).astype(np.float32).reshape(ROWS, COLUMNS, -1)
        _add(texels, grid, other.picture.pixels, other.cores(), other.to_mask(), rows_of)
    return texels


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add(texels, grid, picture, cores, to_core, rows_of):
    """Add a photo to the texels where those before it leave room.

    `grid` (ROWS, COLUMNS, 6): place in the picture, how seen, and logarithms of the light that is lacking.
    """
    size, rows, columns = len(texels), grid.shape[0], grid.shape[1]
    dark, most = np.float32(DARK), np.float32(255)
    low, high = np.float32(BARE[0]), np.float32(BARE[1])
    own = np.zeros(6, np.float32)
    for i in range(size):
        for j in range(size):
            row, azimuth = place_in_grid(i, j, size, rows_of)
            if row > rows - 1:
                continue
            grid_at(grid, row, azimuth * np.float32(columns), own)
            texel = texels[i, j]
            before, room = texel[3] / most, (most - texel[3] - texel[4]) / most
            core = cores[0] if row < np.float32(UPPER) else cores[1]
            share = room * share_at(own, core, to_core, np.float32(CORE[0]), np.float32(CORE[1]))
            if share > 0:
                colour, total = bilinear(picture, own[0], own[1]), before + share
                for k in range(3):
                    matched = limited((colour[k] + dark) * np.exp(own[3 + k]) - dark)
                    texel[k] = np.uint8((before * texel[k] + share * matched) / total + np.float32(0.49))
                texel[3] = np.uint8(total * most + np.float32(0.49))
            bare = (room - share) * share_at(own, cores[2], to_core, low, high)
            texel[4] = np.uint8(min(texel[4] + bare * most, most - texel[3]))
