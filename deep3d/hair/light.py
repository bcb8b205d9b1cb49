"""How light falls on a head of hair: as the face, which is of one colour, tells, corrected by the hair that is seen."""

from __future__ import annotations

import numpy as np

from deep3d.hair.grid import COLUMNS, POINTS, ROWS
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask, sampled
from deep3d.hair.morphology import blurred_round
from deep3d.texture.fill import logarithm
from deep3d.texture.light import fallen_light, light_slope
from deep3d.texture.view import smoothstep

SKIN = (0.8, 0.95)  # of skin in the mask, from where a point may tell of the light, and surely does
FACING = (0.2, 0.5)  # cosines to the camera, likewise
SKIN_DOUBT, HAIR_DOUBT = 0.02, 0.3  # how far no light at all, and that on skin, are believed beside what is seen
FROM_THE_FRONT = 0.8  # share of the light from the front: what lights the back of a head is not seen
SMOOTH = 1.5  # points of the grid, over which hair's normals are evened
LIMITS = (-0.22, 0.1)  # of a logarithm, beyond the mean of what is seen: glare is of no use elsewhere


def normals_of(points: np.ndarray, smooth: float = 0.0) -> np.ndarray:
    """(POINTS, 3) unit normals of points (POINTS, 3) of the grid, evened over so many of them."""
    grid = points.reshape(ROWS, COLUMNS, 3)
    around = np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)
    normals = np.cross(np.gradient(grid, axis=0), around)
    if smooth:
        normals = np.dstack([blurred_round(normals[..., axis], smooth) for axis in range(3)])
    normals = normals.reshape(POINTS, 3)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def light_on_skin(small: np.ndarray, mask: HairMask, head: Head) -> np.ndarray:
    """(3,) how fast the logarithm of the face's brightness grows along normals; `small` (h, w, 3) shows the mask."""
    places, _ = head.to_mask(head.skin)
    normals = normals_of(head.skin)
    weight = smoothstep((normals * head.view(head.skin)).sum(axis=1), *FACING)
    weight *= smoothstep(sampled(mask.skin * mask.inside, places), *SKIN)
    brightness = sampled(logarithm(small).mean(axis=2), places)
    return light_slope(brightness, normals, weight, SKIN_DOUBT) * [1, 1, FROM_THE_FRONT]


def light_on_hair(brightness: np.ndarray, weight: np.ndarray, outer: np.ndarray, on_skin: np.ndarray) -> np.ndarray:
    """(POINTS,) float32 logarithms of the light on hair with the outer side (POINTS, 3), 0 on average where it is seen.

    The logarithms `brightness` (POINTS,) count as well as the hair is seen, `weight` (POINTS,); `on_skin` (3,) is how
    the light falls on skin.
    """
    normals = normals_of(outer, SMOOTH)
    slope = on_skin + light_slope(brightness - normals @ on_skin, normals, weight, HAIR_DOUBT)
    slope[2] = max(slope[2], 0)  # bright rims of a head tell of lamps at its sides, not behind
    return fallen_light(slope, normals, weight, LIMITS)
