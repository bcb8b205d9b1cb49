"""Lashes, the dark line of the upper lid, and the lamp that eyes reflect, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.mesh import normalize
from deep3d.synthetic.light import half_vectors
from deep3d.synthetic.surfaces import Overlay, like, ribbons
from deep3d.synthetic.viewpoint import Standpoints

UPPER_LIDS = ((36, 37, 38, 39), (45, 44, 43, 42))
"""Landmarks along the upper lids, from the outer corners to the inner ones."""
LID_POINTS = 15  # of a smooth line through them
LASHES = slice(1, 14)  # of these points have one
LASH_HALF_WIDTH = 0.2  # pixels
LASH_BEFORE_SKIN, GLINT_BEFORE_EYE = 0.03, 0.02  # decimetres
OPEN_EYE = 0.3  # height of an open eye in widths
CORNEA = 0.09  # decimetres that a reflection moves for a unit vector

# How eyes are drawn. Pairs are ranges of uniform draws; lengths and widths are in decimetres.
MADE_UP = 0.3  # share of people
LASH_RED, LASH_TINT = (0.02, 0.16), (1.0, 0.85, 0.75)  # sRGB of the red channel, and the channels in shares of it
LASH_LENGTH_MADE_UP, LASH_LENGTH_BARE = (0.08, 0.13), (0.04, 0.09)
LASH_OPACITY_MADE_UP, LASH_OPACITY_BARE = (0.5, 0.95), (0.1, 0.6)
LINER_WIDTH_MADE_UP, LINER_WIDTH_BARE = (0.012, 0.035), (0.006, 0.016)
LINER_OPACITY_MADE_UP, LINER_OPACITY_BARE = (0.6, 0.95), (0.2, 0.7)
GLINTING, GLINT_OPACITY = 0.8, (0.3, 1.0)  # share of people in whose eyes the lamp shows, and how strongly
GLINT_SIZE = (0.008, 0.022)


@dataclass(frozen=True)
class Eyes:
    """Appearance of the eyes of B people. All numpy, or all torch; (B,) unless noted."""

    lash_colour: Array  # (B, 3) sRGB
    lash_length: Array  # decimetres
    lash_opacity: Array
    liner_width: Array  # decimetres
    liner_opacity: Array
    glint: Array  # opacity of the lamp's reflection
    glint_size: Array  # decimetres


def random_eyes(rng: np.random.Generator, count: int) -> Eyes:
    """Eyes from bare to made up."""
    made_up = rng.random(count) < MADE_UP

    def either(with_make_up: tuple[float, float], bare: tuple[float, float]) -> np.ndarray:
        return np.where(made_up, rng.uniform(*with_make_up, count), rng.uniform(*bare, count))

    return Eyes(
        lash_colour=rng.uniform(*LASH_RED, (count, 1)) * LASH_TINT,
        lash_length=either(LASH_LENGTH_MADE_UP, LASH_LENGTH_BARE),
        lash_opacity=either(LASH_OPACITY_MADE_UP, LASH_OPACITY_BARE),
        liner_width=either(LINER_WIDTH_MADE_UP, LINER_WIDTH_BARE),
        liner_opacity=either(LINER_OPACITY_MADE_UP, LINER_OPACITY_BARE),
        glint=rng.uniform(*GLINT_OPACITY, count) * (rng.random(count) < GLINTING),
        glint_size=rng.uniform(*GLINT_SIZE, count),
    )


def eye_overlays(
    eyes: Eyes, landmarks: Array, irises: Array, standpoints: Standpoints, key: Array
) -> tuple[Overlay, Overlay, Overlay]:
    """Overlays of the eyes of heads with (B, 68, 3) landmarks and (B, 2, 3) irises, lit from the key (B, 3)."""
    xp = array_namespace(landmarks)
    lids = xp.stack([_lid(landmarks, corners) for corners in UPPER_LIDS], axis=1)  # (B, 2, LID_POINTS, 3)
    lashes = _lashes(lids, landmarks, eyes.lash_length)
    glints = _glints(irises, eyes.glint_size, standpoints, key)
    always, white = eyes.glint >= 0, xp.ones_like(eyes.lash_colour)
    scale = standpoints.pixels_per_dm

    def lines(points: Array, nearer: float, half: Array, colour: Array, opacity: Array) -> Overlay:
        return ribbons(*standpoints.see_lines(points, nearer), half, colour, opacity, always)

    return (
        lines(glints, GLINT_BEFORE_EYE, eyes.glint_size * scale, white, eyes.glint),
        lines(lids, LASH_BEFORE_SKIN, 0.5 * eyes.liner_width * scale, eyes.lash_colour, eyes.liner_opacity),
        lines(lashes, LASH_BEFORE_SKIN, LASH_HALF_WIDTH + 0 * scale, eyes.lash_colour, eyes.lash_opacity),
    )


def _lid(landmarks: Array, corners: tuple[int, ...]) -> Array:
    """A smooth line (B, LID_POINTS, 3) through four landmarks."""
    xp = array_namespace(landmarks)
    return like(landmarks, _SMOOTH) @ xp.stack([landmarks[:, corner] for corner in corners], axis=1)


def _lashes(lids: Array, landmarks: Array, length: Array) -> Array:
    """Lashes (B, 2 * 13, 3 points, 3) that stand out from lids (B, 2, LID_POINTS, 3), spread out, and bent upward."""
    xp = array_namespace(lids)
    roots = lids[:, :, LASHES]
    outward = normalize(lids[:, :, :1] - lids[:, :, -1:])  # along each eye, toward its outer corner
    spread = like(lids, np.linspace(0.7, -0.5, LID_POINTS, dtype=np.float32)[LASHES, None])
    height = xp.stack([landmarks[:, 37, 1] - landmarks[:, 41, 1], landmarks[:, 44, 1] - landmarks[:, 46, 1]], axis=1)
    width = xp.sqrt(xp.sum((lids[:, :, 0] - lids[:, :, -1]) ** 2, axis=-1))
    opened = xp.clip(height / (OPEN_EYE * width), 0, 1)[:, :, None, None]
    up = like(lids, np.array([0, 1, 0], np.float32))
    forward = like(lids, np.array([0, 0, 1], np.float32))
    way = normalize(outward * spread + forward + up * (0.9 * opened - 0.6))
    tip = normalize(way + up * (0.9 * opened - 0.1))
    long = length[:, None, None, None]
    line = xp.stack([roots, roots + 0.5 * long * way, roots + 0.5 * long * (way + tip)], axis=3)
    return xp.reshape(line, (len(lids), -1, 3, 3))


def _glints(irises: Array, size: Array, standpoints: Standpoints, key: Array) -> Array:
    """Short lines (B, 2, 2 points, 3) where the cornea mirrors the lamp."""
    xp = array_namespace(irises)
    aside = half_vectors(key)[:, None] @ standpoints.turn  # in head space
    middle = irises + CORNEA * (aside - standpoints.turn[:, 2:])
    across = 0.8 * size[:, None, None] * standpoints.turn[:, :1]
    return xp.stack([middle - across, middle + across], axis=2)


def _smooth_line(points: int) -> np.ndarray:
    """(points, 4) float32: Catmull and Rom's (1974) curve through four points, with ends drawn on straight."""
    inner = np.array([[2, -1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, -1, 2]], float)
    rows = []
    for place in np.linspace(0, 3, points):
        k = min(int(place), 2)
        t = place - k
        basis = 0.5 * np.array([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2])
        rows.append(basis @ inner[k : k + 4])
    return np.array(rows, np.float32)


_SMOOTH = _smooth_line(LID_POINTS)
