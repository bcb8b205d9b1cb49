"""What one photo says of the hair at the points of the grid.

A point before hair in the photo has hair, as deep inside its border as the pixel is; one before skin or background has
none. Where rays are seen from the side, the mask's outline says how far hair reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.hair.grid import COLUMNS, MIDDLE, POINTS, ROWS, UPPER, azimuths
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask
from deep3d.hair.morphology import distance
from deep3d.texture.view import smoothstep

SIDEWAYS = 0.25  # cosine between a ray and the view up to which the outline says how far hair reaches
EARS = -0.05  # decimetres in model space, where ears end
BEHIND = 0.12  # decimetres that a point lies behind the head from which that hides it
DEEPEST = 0.5  # decimetres inside a border, beyond which it does not matter
FARTHEST = 1.0  # decimetres that hair reaches out at most
SIDE_TRUST = 4.0  # times that what the outline says of the edge counts more than the pixel before the point
GAP = (0.12, 0.7)
"""Decimetres of skin on the way out to the hair: on the head, and below, where hair hangs beside the neck."""
TURNED_AWAY = 0.25  # weight of hair seen where a point of the far side would be: it may be that of the near side
HIGH = 20  # rows of the grid that lie on the skull above the ears
GROWN, SIDE = ((7, 13), (22, 26)), (1.1, 1.7)
"""Rows in which it begins and ends that whoever has hair has it, and radians from straight ahead where it begins."""
BARE_TRUST = 0.15  # weight of skin seen there: cropped hair looks like skin
CHEEK, OUTLINE = 1.3, 0.2
"""Radians from straight ahead up to which cheeks are, and the cosine to the camera from which hair may hang before one:
what shows beside the outline of a face that turns away hangs behind it."""
BETTER = (0.1, 0.35)
"""By which the cosine to the view is larger at the twin, from where it begins to count and all does."""
TURNED = (0.25, 0.45)  # sines of the head's turn, from where there is a nearer side
HAIRLINES = (11, 16), (22, 30)
"""Rows from where it does and down to where: thin hair combed over a crown differs from side to side, and hair may fall
before one shoulder alone."""
CLEAR, SEEN = 0.1, 0.5
"""Decimetres inside or outside of the border, and how much photos must say: where they can be compared."""
ALIKE, LEAST_POINTS = 0.8, 40  # share of the points compared that are hair in both or in neither; points that tell


TWIN = (np.arange(ROWS)[:, None] * COLUMNS + -np.arange(COLUMNS) % COLUMNS).ravel()
"""(POINTS,) the same place on the other side of the head."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a mask says of the hair of a head."""

    mask: HairMask
    head: Head
    signed: np.ndarray  # (h, w) decimetres from each pixel to the border of the hair, negative outside
    on_skull: np.ndarray  # (h, w) the same for points on the skull
    outline: tuple[np.ndarray, np.ndarray, np.ndarray]
    """(POINTS,) each: how far hair reaches, how deep within it the ray comes on its way, and how much that counts."""

    @classmethod
    def of(cls, mask: HairMask, head: Head) -> Evidence:
        """Of a mask that shows a head."""
        signed = _signed_distance(mask, _hood(mask, head))
        on_skull = np.where(signed > 0, _to_skin(mask), signed)
        return cls(mask, head, signed, on_skull, _reaches(mask, signed, head))

    def fields(self, thickness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Thickness and edge (2, POINTS) of hair about as thick as (POINTS,), and how much they count, 0 to 1."""
        reach, within, reach_weight = self.outline
        edge, edge_weight = _edges(self.mask, self.signed, self.on_skull, self.head, thickness)
        # Where rays are seen from the side, the border of the hair in the photo is its outline, not its end.
        total = edge_weight + SIDE_TRUST * reach_weight
        edge = (edge_weight * edge + SIDE_TRUST * reach_weight * within) / np.maximum(total, 1e-6)
        return np.stack([reach, edge]), np.stack([reach_weight, np.minimum(total, 1)])

    def agrees(self, other: Evidence, thickness: np.ndarray) -> bool:
        """Whether another photo shows the same hair, as far as both show a place: not another style, and no hat."""
        (_, edge), (_, weight) = self.fields(thickness)
        (_, others), (_, others_weight) = other.fields(thickness)
        both = (np.minimum(weight, others_weight) > SEEN) & (np.minimum(np.abs(edge), np.abs(others)) > CLEAR)
        alike = (edge > 0) == (others > 0)
        return bool(both.sum() < LEAST_POINTS or alike[both].mean() > ALIKE)


def _hood(mask: HairMask, head: Head) -> np.ndarray:
    """(h, w) bool: clothes above the ears, which hide what hair there is."""
    ears = head.to_mask(np.array([[MIDDLE[0], EARS, MIDDLE[2]]]))[0][0, 1]
    return (mask.clothes > 0.5) & (mask.hair <= 0.5) & (np.arange(len(mask.hair))[:, None] < ears)


def _signed_distance(mask: HairMask, hood: np.ndarray) -> np.ndarray:
    """(h, w) decimetres from each pixel to the border of the hair, negative outside.

    Neither the photo's edge nor that of a hood (h, w) is a border.
    """
    hair = mask.hair > 0.5
    if not hair.any():
        return np.full(hair.shape, -DEEPEST, np.float32)
    beside = ~hair & mask.inside & ~hood
    inside, outside = distance(~beside), distance(~(hair | hood))
    signed = np.where(hair, inside - 0.5, 0.5 - outside) / mask.density
    return np.clip(signed, -DEEPEST, DEEPEST).astype(np.float32)


def _to_skin(mask: HairMask) -> np.ndarray:
    """(h, w) decimetres to the nearest skin: over a skull, hair before the background goes on behind its outline."""
    return np.minimum(distance((mask.skin < 0.5) | ~mask.inside) / mask.density, DEEPEST)


def _edges(
    mask: HairMask, signed: np.ndarray, on_skull: np.ndarray, head: Head, thickness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the photo says of the edge at each point (POINTS,), and how much."""
    places, depth = head.to_mask(head.skin + np.maximum(thickness, 0)[:, None] * head.directions)
    columns, rows, within = _pixels(places, signed.shape)
    hidden = depth > head.depth[rows, columns] + BEHIND
    known, toward = within & mask.inside[rows, columns] & ~hidden, head.toward
    skull = np.arange(POINTS) < HIGH * COLUMNS
    edge = np.where(skull, on_skull[rows, columns], signed[rows, columns])
    beside = (edge < 0) & (mask.skin[rows, columns] < 0.5) & skull
    known &= ~beside  # what shows beside a skull is the background, and says nothing of hair on it
    body = np.maximum(mask.skin, mask.clothes)[rows, columns] > 0.5
    known &= ~(body & (toward < 0) & ~skull)  # nor do neck and shoulders of hair that hangs behind them
    known &= ~((mask.clothes[rows, columns] > 0.5) & skull)  # nor do hoods of what is below them
    away = toward < -0.1
    weight = known * np.where(away & (edge > 0), TURNED_AWAY, 1.0)
    weight *= np.where((edge > 0) & (toward < OUTLINE) & _on_cheeks(), TURNED_AWAY * TURNED_AWAY, 1.0)
    weight *= np.where(edge < 0, 1 - (1 - BARE_TRUST) * surely_grown(), 1.0)
    return _as_the_nearer_side(edge, weight, head)


def _as_the_nearer_side(edge: np.ndarray, weight: np.ndarray, head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Edge and weight (POINTS,) each, of the twin where the photo shows that better: quiffs hide the temple behind."""
    share = shown_better_at_twin(head)
    own, other = weight * (1 - share), weight[TWIN] * share
    mixed = (own * edge + other * edge[TWIN]) / np.maximum(own + other, 1e-6)
    return np.where(own + other > 0, mixed, edge), (own + other).astype(np.float32)


def shown_better_at_twin(head: Head) -> np.ndarray:
    """(POINTS,) in [0, 1]: how much better a photo shows the same place on the other side of a head, above the ears."""
    row, _ = _rows_and_azimuths()
    between = smoothstep(row, *HAIRLINES[0]) * (1 - smoothstep(row, *HAIRLINES[1]))
    nearer = between * smoothstep(abs(float(head.view(MIDDLE[None])[0, 0])), *TURNED)
    return (nearer * smoothstep(head.toward[TWIN] - head.toward, *BETTER)).astype(np.float32)


def surely_grown() -> np.ndarray:
    """(POINTS,) in [0, 1]: how surely a point lies above and behind the ears, where wreaths go round bald crowns."""
    row, azimuth = _rows_and_azimuths()
    return smoothstep(row, *GROWN[0]) * (1 - smoothstep(row, *GROWN[1])) * smoothstep(azimuth, *SIDE)


def _on_cheeks() -> np.ndarray:
    """(POINTS,) bool: in front of the ears and below the temples."""
    row, azimuth = _rows_and_azimuths()
    return (row >= HIGH) & (azimuth < CHEEK)


def _rows_and_azimuths() -> tuple[np.ndarray, np.ndarray]:
    """(POINTS,) the row of each point, and how many radians round it is from straight ahead, to either side."""
    return np.repeat(np.arange(ROWS), COLUMNS), np.tile(np.abs(azimuths()), ROWS)


def _reaches(mask: HairMask, signed: np.ndarray, head: Head) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far hair reaches at the points (POINTS,) whose rays are seen from the side, and how much that counts.

    Between the two stands how deep within the hair the ray comes on its way.
    """
    steps = np.arange(0, FARTHEST, 1 / mask.density, dtype=np.float32)
    toward = head.toward
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


def _pixels(places: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns and rows of the nearest pixels to (N, 2) places, and whether these lie in the picture."""
    whole = np.rint(places).astype(np.int64)
    columns, rows = whole.T
    within = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    return np.clip(columns, 0, shape[1] - 1), np.clip(rows, 0, shape[0] - 1), within
