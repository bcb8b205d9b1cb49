"""Second-order spherical-harmonics lighting (Ramamoorthi and Hanrahan, 2001), with the scaling of Deep3DFaceRecon."""

from __future__ import annotations

import math

import numpy as np

from deep3d.arrays import Array, array_namespace

AMBIENT = 0.8
"""Added to the first coefficient of each channel, so that zero coefficients mean plain white light."""

_K0 = math.sqrt(math.pi) / 2
_K1 = math.sqrt(math.pi)
_K2 = 3 * math.sqrt(5 / (12 * math.pi)) * 2 * math.pi / math.sqrt(8)


def harmonics(normals: Array) -> Array:
    """The nine functions (..., 9) of unit normals (..., 3).

    They are the real spherical harmonics times pi, 2 pi / sqrt 3 and 2 pi / sqrt 8 in the bands 0, 1 and 2.
    """
    xp = array_namespace(normals)
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    return xp.stack(
        [
            xp.full_like(x, _K0),
            -_K1 * y,
            _K1 * z,
            -_K1 * x,
            _K2 * x * y,
            -_K2 * y * z,
            _K2 * (3 * z * z - 1) / (2 * math.sqrt(3)),
            -_K2 * x * z,
            _K2 * (x * x - y * y) / 2,
        ],
        axis=-1,
    )


def harmonics_by_normal(normals: np.ndarray) -> np.ndarray:
    """Derivatives (..., 9, 3) of the nine functions by the three parts of the normals (..., 3)."""
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    derivatives = np.zeros((*normals.shape[:-1], 9, 3), normals.dtype)
    derivatives[..., 1, 1], derivatives[..., 2, 2], derivatives[..., 3, 0] = -_K1, _K1, -_K1
    derivatives[..., 4, 0], derivatives[..., 4, 1] = _K2 * y, _K2 * x
    derivatives[..., 5, 1], derivatives[..., 5, 2] = -_K2 * z, -_K2 * y
    derivatives[..., 6, 2] = _K2 * math.sqrt(3) * z
    derivatives[..., 7, 0], derivatives[..., 7, 2] = -_K2 * z, -_K2 * x
    derivatives[..., 8, 0], derivatives[..., 8, 1] = _K2 * x, -_K2 * y
    return derivatives


def irradiance(normals: Array, lighting: Array) -> Array:
    """Light (B, V, 3) that falls on placed unit normals (B, V, 3).

    The lighting is (B, 27): red, green and blue rows of nine. A (B, 9) lighting is white: the
    same nine coefficients for all three channels.
    """
    xp = array_namespace(normals, lighting)
    rows = xp.reshape(lighting, (lighting.shape[0], -1, 9))
    if rows.shape[1] == 1:
        rows = xp.concat([rows, rows, rows], axis=1)
    return harmonics(normals) @ xp.concat([rows[..., :1] + AMBIENT, rows[..., 1:]], axis=-1).mT


def shade(albedo: Array, normals: Array, lighting: Array) -> Array:
    """Colours (B, V, 3) of a (B, V, 3) albedo in [0, 1] under the light; not clamped, no gamma."""
    return albedo * irradiance(normals, lighting)
