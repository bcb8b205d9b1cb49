"""Random light: spherical harmonics, which the face model can express, and gloss and cast shadow, which it cannot."""

from __future__ import annotations

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.lighting import AMBIENT, harmonics
from deep3d.mesh import normalize

_BAND_SCALE = np.array([np.pi] + [2 * np.pi / np.sqrt(3)] * 3 + [2 * np.pi / np.sqrt(8)] * 5)
"""`harmonics` are real spherical harmonics times this."""
_LOBE = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)
"""The cosine lobe in bands 0, 1, 2 (Ramamoorthi and Hanrahan, 2001, eq. 8)."""

# How light is drawn. Pairs are ranges of uniform draws, and spreads are standard deviations of normal ones. A lamp of
# strength 1 adds about 1 to the irradiance of what faces it, before exposure.
KEY_STRENGTH, FURTHER_STRENGTH = (0.2, 1.4), (0, 0.7)
MOST_FURTHER = 2  # lamps besides the key light; each number is as frequent
KEY_SPREAD, FURTHER_SPREAD = 0.9, 2.0  # of directions, to the sides, for 1 toward the camera
RAISED, RAISED_SPREAD = 0.4, 0.6  # how far up they are on average, and their spread up and down in shares of the other
WARMTH_SPREAD, LAMP_WARMTH_SPREAD = 0.08, 0.05  # of all lamps of a scene together, and of each of them
WARM = (1, 0.1, -1)  # change of red, green and blue by warmth
TINT_SPREAD = 0.02  # of each channel of a lamp
AMBIENT_STRENGTH = (0.25, 1.0)  # irradiance from all around
COLD_SPREAD, COLD = 0.05, (-1, 0, 1)  # of its coldness, and the change of red, green and blue by it
FRONT, DIMMEST_FRONT = (0.75, 1.45), 0.15  # irradiance toward the camera after exposure; the least counted before it


def lamp(direction: np.ndarray) -> np.ndarray:
    """Irradiance of one white lamp of strength 1 in a unit direction (3,), as factors (9,) of `harmonics`.

    Up to the second band it is Lambert's clamped cosine.
    """
    return harmonics(direction) / _BAND_SCALE * _LOBE / _BAND_SCALE


def random_lighting(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lighting coefficients (B, 27) and directions (B, 3) of the key lights."""
    key = _directions(rng, count, KEY_SPREAD)
    warmth = rng.normal(0, WARMTH_SPREAD, count)
    total = np.zeros((count, 3, 9))
    further = rng.integers(0, MOST_FURTHER, count, endpoint=True)
    lamps = [(key, rng.uniform(*KEY_STRENGTH, count))]
    for k in range(MOST_FURTHER):
        lamps.append((_directions(rng, count, FURTHER_SPREAD), rng.uniform(*FURTHER_STRENGTH, count) * (further > k)))
    for direction, strength in lamps:
        shade = (warmth + rng.normal(0, LAMP_WARMTH_SPREAD, count))[:, None] * WARM
        tint = 1 + shade + rng.normal(0, TINT_SPREAD, (count, 3))
        total += (strength[:, None] * tint)[..., None] * lamp(direction)[:, None]
    cold = rng.normal(0, COLD_SPREAD, count)[:, None] * COLD
    total[..., 0] += rng.uniform(*AMBIENT_STRENGTH, count)[:, None] * (1 + cold) / harmonics(key)[:, :1]
    front = (total @ harmonics(np.array([0.0, 0.0, 1.0]))).mean(axis=1)
    total *= (rng.uniform(*FRONT, count) / np.maximum(front, DIMMEST_FRONT))[:, None, None]
    total[..., 0] -= AMBIENT
    return total.reshape(count, 27).astype(np.float32), key


def gloss(normals: Array, key: Array, strength: Array, exponent: Array) -> Array:
    """Highlights (B, V) of unit normals (B, V, 3) under lamps in directions (B, 3), seen from +z (Blinn, 1977).

    Strength and exponent are (B,).
    """
    xp = array_namespace(normals)
    facing = xp.sum(normals * half_vectors(key)[:, None], axis=-1)
    return strength[:, None] * xp.clip(facing, 0, 1) ** exponent[:, None]


def half_vectors(key: Array) -> Array:
    """Unit vectors (B, 3) halfway between lamps in directions (B, 3) and the camera at +z."""
    xp = array_namespace(key)
    return normalize(xp.concat([key[:, :2], key[:, 2:] + 1], axis=1))


def _directions(rng: np.random.Generator, count: int, spread: float) -> np.ndarray:
    """Unit vectors (B, 3) toward lamps, mostly in front of and above the face."""
    across, up = rng.normal(0, spread, count), rng.normal(RAISED, RAISED_SPREAD * spread, count)
    vectors = np.stack([across, up, np.ones(count)], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
