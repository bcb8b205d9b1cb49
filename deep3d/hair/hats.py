"""Hats: what of a shell is one, and which part that the photo shows each part behind looks like.

The network knows some hats, mostly by their crowns; brims and striped hats it takes for hair. So a hat that is seen
reaches over all that covers the head above the ears, and dark and bright patches side by side are no hair.
"""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np

from deep3d.hair.grid import COLUMNS, ROWS, UPPER, azimuths
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask, sampled
from deep3d.hair.morphology import shrunk
from deep3d.texture.blur import gaussian
from deep3d.texture.view import smoothstep

HAT = 0.5  # of the mask, from where it surely is one
SHARE = 0.15  # of what covers the head above the ears, from which all of it is a hat
FINE, COARSE = 1.0, 5.0  # mask pixels: patches of a pattern are wider than strands, and smaller than light and shade
PATCH, PATTERNED = 0.5, 0.1
"""Of a logarithm, by which patches differ from what is round them, and the share of patches that makes a pattern."""
COVER = 0.8  # of the mask, from where a pixel counts when patterns are looked for
DARK = 12.0  # of 255, added before logarithms: black has no patches
LEAST_PIXELS = 400
CLOTH = (0.3, 0.6)  # of a hat in the mask, from where there begin to be no strands and surely are none
QUARTER = COLUMNS // 8  # columns to either side of what faces the camera, which are repeated round the head


def with_whole_hat(mask: HairMask, colours: np.ndarray, ears: int) -> HairMask:
    """The mask with all of a hat that covers the head above row `ears`, of which the network may have seen a part.

    Where it saw too little of one there is none.
    `colours` (h, w, 3) of 0..255 are those of the mask's pixels.
    """
    above = np.arange(len(mask.hair))[:, None] < ears
    cover = np.maximum(mask.hair, mask.hat) * above
    shown = cover * mask.inside
    seen = ((mask.hat > HAT) & (shown > HAT)).sum() > SHARE * max((shown > HAT).sum(), 1)
    if not seen and not _patterned(shown, colours):
        return replace(mask, hat=np.zeros_like(mask.hat))
    return replace(mask, hat=np.maximum(mask.hat, cover))


def _patterned(cover: np.ndarray, colours: np.ndarray) -> bool:
    """Whether what covers a head has patches much brighter or darker than what is round them."""
    sure = shrunk(cover > COVER, 2)
    if sure.sum() < LEAST_PIXELS:
        return False
    light = np.log(colours.mean(axis=2) + DARK).astype(np.float32)
    layers = np.dstack([light * sure, sure]).astype(np.float32)
    fine, coarse = (gaussian(layers, size)[sure] for size in (FINE, COARSE))
    patches = np.abs(fine[:, 0] / fine[:, 1] - coarse[:, 0] / coarse[:, 1]) > PATCH
    return bool(patches.mean() > PATTERNED)


def cloth(mask: HairMask, places: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(POINTS,) in [0, 1]: how far a hat covers the head, which has no strands.

    It goes on round the head, behind as far down as the photo, which shows points by `weight` (POINTS,), has it.
    """
    if mask.hat.max() < CLOTH[0]:
        return np.zeros(len(places), np.float32)
    hat = smoothstep(sampled(mask.hat, places), *CLOTH)
    lowest = (hat * weight).reshape(ROWS, COLUMNS).max(axis=1)
    lowest[:UPPER] = 1
    behind = np.repeat(smoothstep(lowest, *CLOTH), COLUMNS)
    return (weight * hat + (1 - weight) * behind).astype(np.float32)


def front_column(head: Head) -> float:
    """The column of the grid that faces the camera."""
    right, _, ahead = head.view(head.skin.mean(axis=0)[None])[0]
    return float((np.arctan2(right, ahead) - azimuths()[0]) / (2 * np.pi) * COLUMNS)


def repeated(front: float) -> np.ndarray:
    """(POINTS,) int64 the point near the column `front` whose look each point of a hat repeats."""
    middle = np.float32(round(front))
    columns = np.array([repeated_column(np.float32(column), middle) for column in range(COLUMNS)]).astype(int)
    return (np.arange(ROWS)[:, None] * COLUMNS + columns).ravel()


@numba.njit(cache=True, nogil=True, inline="always")
def repeated_column(column, front):
    """The column near `front`, to and fro over a quarter of the head to either side, whose look another one repeats."""
    quarter = np.float32(QUARTER)
    away = column - front + quarter + np.float32(COLUMNS)
    away -= 4 * quarter * np.floor(away / (4 * quarter))
    folded = front + quarter - abs(away - 2 * quarter)
    folded = folded if folded >= 0 else folded + np.float32(COLUMNS)
    return folded if folded < COLUMNS else folded - np.float32(COLUMNS)
