"""Where hair ends on the head: what photos hardly show of it, at ears and sideburns, and how gradually it ends."""

from __future__ import annotations

import numpy as np

from deep3d.hair.evidence import BEHIND, Evidence
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, azimuths
from deep3d.hair.morphology import blurred_round, distance
from deep3d.texture.view import smoothstep

SMOOTH = 0.7  # points, over which notches are closed and corners rounded
STEP = 0.085  # decimetres between neighbouring points, roughly
EAR = 0.01  # decimetres that the ear sticks out of the skin, from where it is one
BELOW = 35  # row below the ears: what hangs down there over all their width covers them
HIDDEN = 0.25  # decimetres inside the border, where hair is thick enough to hide them
SHORTEST = 34  # row below which hair before an ear hangs down, and is no sideburn
SIDEBURN = 32.5, 1.62  # row and radians from straight ahead of its lower end, at the front of the ear
DOWN, AHEAD = 0.11, 0.75  # decimetres from row to row, and for a radian forward
SLANT = 0.8  # decimetres that a sideburn's border rises for each forward
GRAZING = (0.3, 0.6)
"""Cosines between a ray and the view, up to which photos hardly show the border, and from where they show it well."""
FADE = 0.06  # decimetres: half the width of the border over which hair becomes transparent
UNSEEN_FADE = 1.0  # times that it is wider where the photo does not show it
CROPPED_FADE = 0.09  # decimetres that it is wider at the sides and behind, where short hair ends
FALLING = (31, 36)  # rows that the hair of a column reaches, from where it begins to be long and surely is
SIDES = (1.0, 1.4)  # radians from straight ahead, likewise of the sides of the head
OVER = 0.5  # share of an ear before which a photo shows hair, from where hair lies over it
SIDES_OF_HEAD = slice(0, COLUMNS // 2), slice(COLUMNS // 2, COLUMNS)
LOW = 20  # row from which hair before the ears is a sideburn


def natural_border(
    edge: np.ndarray, ears: np.ndarray, toward: np.ndarray, hairy: tuple[bool, bool] = (False, False)
) -> np.ndarray:
    """(POINTS,) the edge, which covers each ear or goes round it, and ends before it in a sideburn.

    `ears` (POINTS,) decimetres stick out of the skin; `toward` (POINTS,) are cosines between rays and the view: what a
    photo shows well stays. So does hair over an ear that it shows to be `hairy`, of the first and last columns.
    """
    grid = blurred_round(edge.reshape(ROWS, COLUMNS), SMOOTH)
    hidden = 1 - smoothstep(toward.reshape(ROWS, COLUMNS), *GRAZING)
    outside, sideburn = _beside_ears(ears), _sideburn()
    for side, over in zip(SIDES_OF_HEAD, hairy):
        part, beside = grid[:, side], outside[:, side]
        if part[BELOW, (beside < 0).any(axis=0)].mean() > 0:
            part[:] = np.where(beside < STEP, np.maximum(part, HIDDEN), part)
            continue
        if over:
            continue
        part[:] = np.minimum(part, beside)
        ahead = np.abs(azimuths()[side]) < SIDEBURN[1]
        if not (part[SHORTEST:, ahead] > 0).any():
            part[:] += hidden[:, side] * np.minimum(sideburn[:, side] - part, 0)
    return grid.reshape(POINTS).astype(np.float32)


def hairy_ears(evidence: Evidence, ears: np.ndarray) -> tuple[bool, bool]:
    """Whether the photo shows hair where each ear is; an ear that it does not show is like the other."""
    head = evidence.head
    places, depth = head.to_mask(head.skin + ears[:, None] * head.directions)
    columns, rows = np.clip(np.rint(places).astype(int), 0, np.array(head.depth.shape[::-1]) - 1).T
    seen = (ears > EAR) & (depth < head.depth[rows, columns] + BEHIND) & evidence.mask.inside[rows, columns]
    hair, seen = (each.reshape(ROWS, COLUMNS) for each in (evidence.mask.hair[rows, columns], seen))
    counts = [int(seen[:, side].sum()) for side in SIDES_OF_HEAD]
    shares = [
        float(hair[:, side][seen[:, side]].mean()) if count else 0.0 for side, count in zip(SIDES_OF_HEAD, counts)
    ]
    surer = shares[int(np.argmax(counts))]
    left, right = (share if 2 * count > max(counts) else surer for share, count in zip(shares, counts))
    return left > OVER, right > OVER


def _beside_ears(ears: np.ndarray) -> np.ndarray:
    """(ROWS, COLUMNS) decimetres from each point to the outline of the nearer ear, negative within."""
    grid = ears.reshape(ROWS, COLUMNS) > EAR
    half = np.arange(COLUMNS) < COLUMNS // 2
    first = [np.logical_or.accumulate(grid & part, axis=1) for part in (half, ~half)]
    last = [np.logical_or.accumulate((grid & part)[:, ::-1], axis=1)[:, ::-1] for part in (half, ~half)]
    ear = (first[0] & last[0]) | (first[1] & last[1])
    return (np.where(ear, 0.5 - distance(ear), distance(~ear) - 0.5) * STEP).astype(np.float32)


def _sideburn() -> np.ndarray:
    """(ROWS, COLUMNS) decimetres inside the border of a sideburn, before the ears; far inside behind them."""
    ahead = (SIDEBURN[1] - np.abs(azimuths())) * AHEAD
    above = (SIDEBURN[0] - np.arange(ROWS)[:, None]) * DOWN
    inside = (above - SLANT * ahead) / np.hypot(1, SLANT)
    return np.where((ahead > 0) & (np.arange(ROWS)[:, None] > LOW), inside, 1).astype(np.float32)


def fading(edge: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(POINTS,) each, decimetres: the edge where hair is half transparent, and half the width over which it becomes so.

    That is more where a photo does not show it, `seen` (POINTS,), and where short hair is cropped, as barbers do it.
    """
    rows = np.arange(ROWS)[:, None]
    lowest = np.where(edge.reshape(ROWS, COLUMNS) > 0, rows, 0).max(axis=0)
    short = blurred_round(1 - smoothstep(np.tile(lowest, (ROWS, 1)), *FALLING), 2)
    cropped = CROPPED_FADE * (short * smoothstep(np.abs(azimuths()), *SIDES)).reshape(POINTS)
    return edge - cropped, FADE * (1 + UNSEEN_FADE * (1 - seen)) + cropped
