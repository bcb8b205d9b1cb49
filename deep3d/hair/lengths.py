"""How long hair is behind, where no photo shows it, and how close to the head: what is seen beside the neck tells."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage

from deep3d.hair.evidence import DEEPEST, TWIN
from deep3d.hair.grid import COLUMNS, LOWER, LOWEST, MIDDLE, POINTS, ROWS, UPPER, azimuths
from deep3d.hair.morphology import blurred_round
from deep3d.texture.view import smoothstep

NAPE = (1.7, 2.3)  # radians from straight ahead, from where hair begins to hang down the back and surely does
BESIDE_NECK, FEW = (38, 44), (2.0, 10.0)
"""Rows beside the neck, and points with hair there: up to so many hair is cut short, from so many on it is long."""
LEAST_BESIDE = (5.0, 20.0)  # points there of which the photo says anything, or that is not known
NAPE_ENDS = -0.2  # decimetres in model space, where short hair ends behind
SIDES, VOLUME = slice(12, UPPER), 1.25  # rows; times that hair behind is as thick as its seen outline there, at most
CLOSER = ((16, 31), 0.3), ((28, 40), 0.85)
"""Of short and of long hair: rows over which it comes closer to the head behind, and what is left of its thickness."""
NEAR = (3.0, 2.0)  # points round an outline over which it is believed, and how much
LYING = (39.5, 43)  # rows over which long hair comes to lie on the shoulders
SHOULDERS = (1.3, 2.1, np.pi), (0.0, 0.45, 0.16)  # decimetres that these stand out, so many radians from straight ahead
EVEN = 4.0  # columns over which the hem behind changes its height
BESIDE_FACE = (1.0, 1.5)  # radians from straight ahead, from where hair is no fringe
LOCKS = 0.05  # of the length below the ears, by which locks differ (one deviation)
LOCK = (0.7, 2.0)  # columns: widths of fine and of wide locks
ROUND = 0.06  # of that length, by which a hem is lower in the middle of the back than at its sides


def cut_short(edge: np.ndarray, seen: np.ndarray) -> float:
    """How surely hair is cut short, in [0, 1]: by its edge (POINTS,) as far as it is seen, necks are bare beside."""
    rows, side = slice(*BESIDE_NECK), np.sign(azimuths()) * (np.abs(azimuths()) < NAPE[1])
    beside = seen.reshape(ROWS, COLUMNS)[rows]
    hairy = beside * (edge.reshape(ROWS, COLUMNS)[rows] > 0)
    most, known = (max(values[:, side == sign].sum() for sign in (-1, 1)) for values in (hairy, beside))
    return float((1 - smoothstep(most, *FEW)) * smoothstep(known, *LEAST_BESIDE))


def _behind() -> np.ndarray:
    """(COLUMNS,) in [0, 1]: how surely hair there hangs down the back."""
    return smoothstep(np.abs(azimuths()), *NAPE)


def close_behind(thickness: np.ndarray, seen: np.ndarray, short: float) -> np.ndarray:
    """(POINTS,) the thickness, behind no more than where the outline is `seen` (POINTS,); `short` as `cut_short` says.

    Styles widen to the nape. But cut hair lies closer there than on the crown, and long hair falls onto the neck.
    """
    grid, outline = thickness.reshape(ROWS, COLUMNS), seen.reshape(ROWS, COLUMNS)[SIDES]
    if not outline.any():
        return thickness
    cut, long = (1 - (1 - least) * smoothstep(np.arange(ROWS), *rows) for rows, least in CLOSER)
    most = VOLUME * np.average(grid[SIDES], weights=outline) * (short * cut + (1 - short) * long)
    unseen = np.maximum(1 - NEAR[1] * blurred_round(seen.reshape(ROWS, COLUMNS), NEAR[0]), 0)
    over = np.maximum(grid - most[:, None], 0) * unseen * _behind()
    lying = (1 - short) * smoothstep(np.arange(ROWS), *LYING)[:, None] * np.interp(np.abs(azimuths()), *SHOULDERS)
    close = grid - blurred_round(over, 1.5)
    return (close + np.maximum(lying - close, 0) * unseen).reshape(POINTS)


def ending_at_the_nape(edge: np.ndarray, seen: np.ndarray, heights: np.ndarray, short: float) -> np.ndarray:
    """(POINTS,) the edge, at heights (POINTS,), of hair that behind ends at the nape if it is `short`.

    Only outlines that are `seen` (POINTS,) on both sides say that it is longer there: what one photo shows behind the
    ear of a head that turns away may be a neck in the dark, or a collar.
    """
    over = np.maximum(edge - (heights - NAPE_ENDS), 0) * (1 - np.minimum(seen, seen[TWIN]))
    return edge - short * np.tile(_behind(), ROWS) * over


def as_long_behind(edge: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge, behind as far down on either side as on the other where the photo does not show it.

    Hair that falls before one shoulder alone hangs down the back on the other, behind the neck.
    """
    share = (1 - seen.reshape(ROWS, COLUMNS)) * _behind()
    share[:UPPER] = 0
    return (edge + share.reshape(POINTS) * (np.maximum(edge, edge[TWIN]) - edge)).astype(np.float32)


def without_gaps(edge: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without gaps that the photo does not show between hair and hair below it: hair falls.

    The mean of a style that ends at the nape and of one that goes on to the shoulders would have one.
    """
    grid = edge.reshape(ROWS, COLUMNS)
    above, below = np.maximum.accumulate(grid), np.maximum.accumulate(grid[::-1])[::-1]
    filled = grid + (1 - seen.reshape(ROWS, COLUMNS)) * (np.minimum(above, below) - grid)
    return filled.reshape(POINTS).astype(np.float32)


def hanging(edge: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without hair behind the neck that hangs from nothing, below a gap that the photo shows."""
    grid = edge.reshape(ROWS, COLUMNS).copy()
    lower, behind = grid[UPPER:], np.abs(azimuths()) > NAPE[0]
    above = np.minimum.accumulate(lower, axis=0)
    grid[UPPER:] = np.where((above <= 0) & behind, np.minimum(lower, above), lower)
    return grid.reshape(POINTS)


def with_locks(edge: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge with a hem that behind has no steps and ends in locks, where the photo does not show it."""
    grid = edge.reshape(ROWS, COLUMNS)
    step = (MIDDLE[1] - LOWEST) / (LOWER - 1)
    length = step * smoothstep(grid[UPPER:], -step / 2, step / 2).sum(axis=0)
    share = smoothstep(np.abs(azimuths()), *BESIDE_FACE)
    known = seen.reshape(ROWS, COLUMNS)[UPPER:].mean(axis=0)
    even, total, known = ndimage.gaussian_filter1d(np.stack([length * share, share, known]), EVEN, mode="wrap")
    even /= np.maximum(total, 1e-3)
    longer = even * (1 + LOCKS * _locks() + ROUND * np.maximum(-np.cos(azimuths()), 0)) - length
    lower = np.clip(grid[UPPER:] + longer * _behind() * np.maximum(1 - 2 * known, 0), -DEEPEST, DEEPEST)
    return np.concatenate([grid[:UPPER], lower]).reshape(POINTS).astype(np.float32)


@cache
def _locks() -> np.ndarray:
    """(COLUMNS,) by how much locks are longer than others, of deviation 1. The same for every head."""
    rng = np.random.default_rng(5)
    fine, wide = (ndimage.gaussian_filter1d(rng.normal(size=COLUMNS), width, mode="wrap") for width in LOCK)
    mixed = fine / fine.std() + wide / wide.std()
    return (mixed - mixed.mean()) / mixed.std()
