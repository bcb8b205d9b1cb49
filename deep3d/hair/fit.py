"""Fit thickness and hairline over the grid to what a photo shows of hair, by least squares; the model says the rest.

What is seen constrains the hair in three ways. A point before hair in the photo has hair, as deep inside its border as
the pixel is; one before skin or background has none. Where rays are seen from the side, the mask's outline says how
far hair reaches. The most likely style explains these (maximum a posteriori over the components of the hair model);
what it leaves unexplained where the photo speaks is added as a smooth field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.hair.grid import COLUMNS, POINTS, ROWS, UPPER, azimuths, neighbours
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask
from deep3d.hair.model import HairModel
from deep3d.hair.morphology import blurred_round, distance, grown, pieces
from deep3d.texture.view import smoothstep

SWEEPS = (20, 20, 60)  # of the field of what is left, in each round: only the last one has to be smooth
SIDEWAYS = 0.25  # cosine between a ray and the view up to which the outline says how far hair reaches
BEHIND = 0.12  # decimetres that a point lies behind the head from which that hides it
EDGE_NOISE, REACH_NOISE = 0.5, 0.16  # decimetres: neighbouring points say the same, so that each is believed little
DEEPEST = 0.5  # decimetres inside a border, beyond which it does not matter
FARTHEST = 1.0  # decimetres that hair reaches out at most
BEHIND_NOSE = 0.55  # decimetres that hair below the skull stays behind the tip of the nose: it hangs beside a face
SIDE_TRUST = 4.0  # times that what the outline says of the edge counts more than the pixel before the point
GAP = (
    0.12,
    0.7,
)  # decimetres of skin on the way out to the hair: on the head, and below, where hair hangs beside the neck
TURNED_AWAY = 0.25  # weight of hair seen where a point of the far side would be: it may be that of the near side
HIGH = 20  # rows of the grid that lie on the skull above the ears
GROWN, SIDE = (10, 24), 1.4
"""Rows above and behind the ears, farther round than so many radians from ahead: whoever has hair has it there."""
BARE_TRUST = 0.15  # weight of skin seen there: cropped hair looks like skin
CHEEK, OUTLINE = 1.3, 0.2
"""Radians from straight ahead up to which cheeks are, and the cosine to the camera from which hair may hang before one:
what shows beside the outline of a face that turns away hangs behind it."""
SMOOTH, ANCHOR = (
    1.2,
    0.12,
)  # of the field of what is left: how much neighbours and zero count, beside 1 for what is seen
NAPE = (1.7, 2.3)  # radians from straight ahead, from where hair begins to hang down the back and surely does
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


def fit_fields(mask: HairMask, head: Head, model: HairModel) -> HairFields:
    """Thickness and edge that explain a mask."""
    signed = _signed_distance(mask)
    farthest = _farthest(head)
    on_skull = np.where(signed > 0, _to_skin(mask), signed)
    fields = model.mean.reshape(2, POINTS)
    weights = np.zeros((2, POINTS), np.float32)
    toward = (head.view(head.skin) * head.directions).sum(axis=1)
    reach, within, reach_weight = _reaches(mask, signed, head, toward)
    for sweeps in SWEEPS:
        edge, edge_weight = _edges(mask, signed, on_skull, head, np.minimum(fields[0], farthest), toward)
        # Where rays are seen from the side, the border of the hair in the photo is its outline, not its end.
        total = edge_weight + SIDE_TRUST * reach_weight
        edge = (edge_weight * edge + SIDE_TRUST * reach_weight * within) / np.maximum(total, 1e-6)
        observed, weights = np.stack([reach, edge]), np.stack([reach_weight, np.minimum(total, 1)])
        fields = _explained(model, observed, weights, sweeps)
    edge = _whole(_as_long_behind(fields[1], weights[1]))
    edge = _hanging(_without_holes(_without_gaps(edge, weights[1])))  # without holes: ears are no gaps
    return HairFields(np.clip(fields[0], 0, farthest).astype(np.float32), edge, weights[1])


def _farthest(head: Head) -> np.ndarray:
    """(POINTS,) decimetres that hair reaches out at most; what a photo shows beside a face is not before it."""
    forward = head.directions[:, 2]
    front = head.skin[:, 2].max() - BEHIND_NOSE
    room = np.maximum(front - head.skin[:, 2], 0) / np.maximum(forward, 1e-3)
    below = (np.arange(POINTS) >= HIGH * COLUMNS) & (forward > 0)
    return np.where(below, np.minimum(room, FARTHEST), FARTHEST)


def _signed_distance(mask: HairMask) -> np.ndarray:
    """(h, w) decimetres from each pixel to the border of the hair, negative outside; the photo's edge is no border."""
    hair = mask.hair > 0.5
    if not hair.any():
        return np.full(hair.shape, -DEEPEST, np.float32)
    beside = ~hair & mask.inside
    inside, outside = distance(~beside), distance(~hair)
    signed = np.where(hair, inside - 0.5, 0.5 - outside) / mask.density
    return np.clip(signed, -DEEPEST, DEEPEST).astype(np.float32)


def _to_skin(mask: HairMask) -> np.ndarray:
    """(h, w) decimetres to the nearest skin: over a skull, hair before the background goes on behind its outline."""
    return np.minimum(distance((mask.skin < 0.5) | ~mask.inside) / mask.density, DEEPEST)


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


def _as_long_behind(edge: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge, behind as far down on either side as on the other where the photo does not show it.

    Hair that falls before one shoulder alone hangs down the back on the other, behind the neck.
    """
    grid, unseen = edge.reshape(ROWS, COLUMNS), 1 - seen.reshape(ROWS, COLUMNS)
    mirrored = grid[:, -np.arange(COLUMNS) % COLUMNS]  # the first column is straight behind
    share = unseen * smoothstep(np.abs(azimuths()), *NAPE)
    share[:UPPER] = 0
    return (grid + share * (np.maximum(grid, mirrored) - grid)).reshape(POINTS).astype(np.float32)


def _without_gaps(edge: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without gaps that the photo does not show between hair and hair below it: hair falls.

    The mean of a style that ends at the nape and of one that goes on to the shoulders would have one.
    """
    grid = edge.reshape(ROWS, COLUMNS)
    above, below = np.maximum.accumulate(grid), np.maximum.accumulate(grid[::-1])[::-1]
    filled = grid + (1 - seen.reshape(ROWS, COLUMNS)) * (np.minimum(above, below) - grid)
    return filled.reshape(POINTS).astype(np.float32)


def _hanging(edge: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without hair behind the neck that hangs from nothing, below a gap that the photo shows."""
    grid = edge.reshape(ROWS, COLUMNS).copy()
    lower, behind = grid[UPPER:], np.abs(azimuths()) > np.mean(NAPE)
    above = np.minimum.accumulate(lower, axis=0)
    grid[UPPER:] = np.where((above <= 0) & behind, np.minimum(lower, above), lower)
    return grid.reshape(POINTS)


def _without_holes(edge: np.ndarray) -> np.ndarray:
    """(POINTS,) the edge without what is bare amid hair: ears that long hair hides, which sides are too flat for."""
    grid = edge.reshape(ROWS, COLUMNS)
    number, _ = pieces(np.concatenate([grid, grid], axis=1) <= 0)  # pieces go on round the head
    enclosed = (number > 0) & ~np.isin(number, np.concatenate([number[0], number[-1]]))
    hole = enclosed[:, :COLUMNS] & enclosed[:, COLUMNS:]
    return np.where(hole, FILLED, grid).reshape(POINTS).astype(np.float32)


def _edges(
    mask: HairMask, signed: np.ndarray, on_skull: np.ndarray, head: Head, thickness: np.ndarray, toward: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the photo says of the edge at each point (POINTS,), and how much."""
    places, depth = head.to_mask(head.skin + np.maximum(thickness, 0)[:, None] * head.directions)
    columns, rows, within = _pixels(places, signed.shape)
    hidden = depth > head.depth[rows, columns] + BEHIND
    known = within & mask.inside[rows, columns] & ~hidden
    skull = np.arange(POINTS) < HIGH * COLUMNS
    edge = np.where(skull, on_skull[rows, columns], signed[rows, columns])
    beside = (edge < 0) & (mask.skin[rows, columns] < 0.5) & skull
    known &= ~beside  # what shows beside a skull is the background, and says nothing of hair on it
    body = np.maximum(mask.skin, mask.clothes)[rows, columns] > 0.5
    known &= ~(body & (toward < 0) & ~skull)  # nor do neck and shoulders of hair that hangs behind them
    away = toward < -0.1
    weight = known * np.where(away & (edge > 0), TURNED_AWAY, 1.0)
    weight *= np.where((edge > 0) & (toward < OUTLINE) & _on_cheeks(), TURNED_AWAY * TURNED_AWAY, 1.0)
    weight *= np.where((edge < 0) & surely_grown(), BARE_TRUST, 1.0)
    return edge, weight.astype(np.float32)


def surely_grown() -> np.ndarray:
    """(POINTS,) bool: above and behind the ears, where wreaths of hair go round bald crowns."""
    row, azimuth = _rows_and_azimuths()
    return (row >= GROWN[0]) & (row < GROWN[1]) & (azimuth > SIDE)


def _on_cheeks() -> np.ndarray:
    """(POINTS,) bool: in front of the ears and below the temples."""
    row, azimuth = _rows_and_azimuths()
    return (row >= HIGH) & (azimuth < CHEEK)


def _rows_and_azimuths() -> tuple[np.ndarray, np.ndarray]:
    """(POINTS,) the row of each point, and how many radians round it is from straight ahead, to either side."""
    return np.repeat(np.arange(ROWS), COLUMNS), np.tile(np.abs(azimuths()), ROWS)


def _reaches(
    mask: HairMask, signed: np.ndarray, head: Head, toward: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far hair reaches at the points (POINTS,) whose rays are seen from the side, and how much that counts.

    Between the two stands how deep within the hair the ray comes on its way.
    """
    steps = np.arange(0, FARTHEST, 1 / mask.density, dtype=np.float32)
    sideways = np.flatnonzero(np.abs(toward) < SIDEWAYS)
    start = head.skin[sideways]
    ends = start[:, None] + np.array([0, 0.1])[None, :, None] * head.directions[sideways, None]
    places, _ = head.to_mask(ends.reshape(-1, 3))
    places = places.reshape(-1, 2, 2)
    way = (places[:, 1] - places[:, 0]) / 0.1  # mask pixels for a decimetre along the ray
    path = places[:, :1] + steps[None, :, None] * way[:, None]
    columns, rows, there = _pixels(path.reshape(-1, 2), mask.hair.shape)
    shape = len(sideways), len(steps)
    hair = (mask.hair[rows, columns] > 0.5).reshape(shape) & there.reshape(shape)
    seen = (mask.inside[rows, columns] & there).reshape(shape)
    first = np.argmax(hair, axis=1)
    gap = np.where(sideways < UPPER * COLUMNS, GAP[0], GAP[1])
    found = hair.any(axis=1) & (steps[first] < gap)
    after = np.arange(len(steps))[None] > first[:, None]
    ended = ~hair & after & seen
    last = np.where(ended.any(axis=1), np.argmax(ended, axis=1), first)
    reach, within, weight = (np.zeros(POINTS, np.float32) for _ in range(3))
    reach[sideways] = steps[np.maximum(last - 1, 0)]
    on_way = (np.arange(len(steps))[None] >= first[:, None]) & (np.arange(len(steps))[None] < last[:, None])
    deepest = np.where(on_way, signed[rows, columns].reshape(shape), 0).max(axis=1)
    within[sideways] = np.minimum(3 * deepest, DEEPEST)
    sure = found & ended.any(axis=1)
    weight[sideways] = sure * (1 - np.abs(toward[sideways]) / SIDEWAYS)
    return reach, within, weight


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


def _pixels(places: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns and rows of the nearest pixels to (N, 2) places, and whether these lie in the picture."""
    whole = np.rint(places).astype(np.int64)
    columns, rows = whole.T
    within = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    return np.clip(columns, 0, shape[1] - 1), np.clip(rows, 0, shape[0] - 1), within


NEIGHBOURS = neighbours()
