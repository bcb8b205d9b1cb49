"""Fit thickness and hairline over the grid to what photos show of hair, by least squares; the model says the rest.

The most likely style explains what they show (maximum a posteriori over the components of the hair model); what it
leaves unexplained where a photo speaks is added as a smooth field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from deep3d.hair.border import hairy_ears, natural_border
from deep3d.hair.evidence import DEEPEST, FARTHEST, HIGH, Evidence
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, neighbours
from deep3d.hair.head import Head
from deep3d.hair.lengths import (
    as_long_behind,
    close_behind,
    cut_short,
    ending_at_the_nape,
    hanging,
    with_locks,
    without_gaps,
)
from deep3d.hair.model import HairModel
from deep3d.hair.morphology import blurred_round, grown, pieces

SWEEPS = (20, 20, 60)  # of the field of what is left, in each round: only the last one has to be smooth
EDGE_NOISE, REACH_NOISE = 0.5, 0.16  # decimetres: neighbouring points say the same, so that each is believed little
BEHIND_NOSE = 0.55  # decimetres that hair below the skull stays behind the tip of the nose: it hangs beside a face
SMOOTH, ANCHOR = (
    1.2,
    0.12,
)  # of the field of what is left: how much neighbours and zero count, beside 1 for what is seen
CORE = 0.04  # decimetres inside its border that a piece of hair reaches at least, or it is a slip
FILLED = 0.1  # decimetres inside the border that a hole in hair becomes
STEP = 0.085  # decimetres between neighbouring points, roughly
SLOPES = (0.4, 2.0)  # of the edge, which are made 1


@dataclass(frozen=True)
class HairFields:
    """Hair over the grid."""

    thickness: np.ndarray  # (POINTS,) float32 decimetres
    edge: np.ndarray  # (POINTS,) float32 decimetres inside of the hair's border, negative outside
    seen: np.ndarray  # (POINTS,) float32 in [0, 1], how well the photo shows the point


def fit_fields(evidence: Sequence[Evidence], model: HairModel) -> HairFields:
    """Thickness and edge that explain what photos of a head show, of which each counts where those before it do not."""
    farthest = _farthest(evidence[0].head)
    fields = model.mean.reshape(2, POINTS)
    weights = np.zeros((2, POINTS), np.float32)
    for sweeps in SWEEPS:
        observed, weights = _together(evidence, np.minimum(fields[0], farthest))
        fields = _explained(model, observed, weights, sweeps)
    short = cut_short(observed[1], weights[1])
    thickness = close_behind(np.clip(fields[0], 0, farthest), weights[0], short)
    edge = ending_at_the_nape(as_long_behind(fields[1], weights[1]), weights[0], evidence[0].head.skin[:, 1], short)
    edge = hanging(_without_holes(without_gaps(_whole(edge), weights[1])))  # without holes: ears are no gaps
    toward = np.max([each.head.toward for each in evidence], axis=0)
    hairy = hairy_ears(evidence[0], model.ears)
    edge = natural_border(with_locks(edge, weights[1]), model.ears, toward, hairy)
    return HairFields(thickness.astype(np.float32), edge, weights[1])


def _together(evidence: Sequence[Evidence], thickness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What photos say of the fields (2, POINTS) of hair about as thick as (POINTS,), and how much, 0 to 1."""
    observed, weights = evidence[0].fields(thickness)
    for other in evidence[1:]:
        more, shares = other.fields(thickness)
        shares *= 1 - weights
        observed = (weights * observed + shares * more) / np.maximum(weights + shares, 1e-6)
        weights = weights + shares
    return observed, weights


def _farthest(head: Head) -> np.ndarray:
    """(POINTS,) decimetres that hair reaches out at most; what a photo shows beside a face is not before it."""
    forward = head.directions[:, 2]
    front = head.skin[:, 2].max() - BEHIND_NOSE
    room = np.maximum(front - head.skin[:, 2], 0) / np.maximum(forward, 1e-3)
    below = (np.arange(POINTS) >= HIGH * COLUMNS) & (forward > 0)
    return np.where(below, np.minimum(room, FARTHEST), FARTHEST)


def _whole(edge: np.ndarray) -> np.ndarray:
    """(POINTS,) the distance from the border of the largest piece of hair alone, as even as a distance is."""
    grid = edge.reshape(ROWS, COLUMNS)
    twice = np.concatenate([grid, grid], axis=1)  # pieces go on round the head
    number, count = pieces(twice > CORE)
    if count:
        largest = np.argmax(np.bincount(number.ravel())[1:]) + 1
        near = grown(number == largest, 2)
        near = near[:, :COLUMNS] | near[:, COLUMNS:]
        near[:HIGH] = True  # on the skull there is no other hair
        grid = np.where(near, grid, np.minimum(grid, -CORE))
    slope = np.hypot(np.gradient(grid, axis=0), (np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)) / 2) / STEP
    even = grid / np.clip(blurred_round(slope, 1), *SLOPES)
    return np.clip(even, -DEEPEST, DEEPEST).reshape(POINTS).astype(np.float32)


def _without_holes(edge: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without what is bare amid hair: ears that long hair hides, which sides are too flat for."""
    grid = edge.reshape(ROWS, COLUMNS)
    number, _ = pieces(np.concatenate([grid, grid], axis=1) <= 0)  # pieces go on round the head
    enclosed = (number > 0) & ~np.isin(number, np.concatenate([number[0], number[-1]]))
    hole = enclosed[:, :COLUMNS] & enclosed[:, COLUMNS:]
    return np.where(hole, FILLED, grid).reshape(POINTS).astype(np.float32)


def _explained(model: HairModel, observed: np.ndarray, weights: np.ndarray, sweeps: int) -> np.ndarray:
    """The fields (2, POINTS) of the most likely style, and of what it leaves unexplained of what was observed."""
    sureness = weights / np.array([[REACH_NOISE**2], [EDGE_NOISE**2]], np.float32)
    left = observed - model.mean.reshape(2, POINTS)
    weighted = model.basis * sureness.ravel()
    normal = np.eye(len(model.basis)) + weighted @ model.basis.T
    style = np.linalg.solve(normal, weighted @ left.ravel())
    likely = model.mean + style.astype(np.float32) @ model.basis
    residue = (observed - likely.reshape(2, POINTS)).T * (weights > 0).T
    field = _smooth_field(residue.astype(np.float32), weights.T.copy(), NEIGHBOURS, sweeps)
    return likely.reshape(2, POINTS) + field.T


@numba.njit(cache=True, nogil=True)
def _smooth_field(values, weights, ring, sweeps):
    """(N, 2) the smooth fields nearest to values (N, 2) by weights (N, 2): Gauss-Seidel with over-relaxation."""
    field = values * weights
    for sweep in range(sweeps):
        for i in range(len(field)):
            n = i if sweep % 2 == 0 else len(field) - 1 - i
            for k in range(2):
                around = np.float32(0)
                for other in ring[n]:
                    around += field[other, k]
                total = weights[n, k] + np.float32(4 * SMOOTH + ANCHOR)
                best = (weights[n, k] * values[n, k] + np.float32(SMOOTH) * around) / total
                field[n, k] += np.float32(1.5) * (best - field[n, k])
    return field


NEIGHBOURS = neighbours()
