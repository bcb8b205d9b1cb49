"""Fine skin detail where neither side of a face is seen: noise of the same spectrum and colours as skin that is.

A patch of the photo's own skin with other phases is a texture that has no seams, no copied moles and no repeats that
people notice (Galerne, Gousseau and Morel, "Random phase textures: theory and synthesis", 2011).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

PATCHES = 16  # patches across the atlas: each about two centimetres of skin
STEP = 4  # texels between patches that are looked at
WHOLE = 0.97  # share of a patch that must be seen


def continued(detail: np.ndarray, missing: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Detail (S, S, C) with more of its like where it is `missing` (S, S), in [0, 1].

    `bare` (S, S) says which texels show bare skin. Where no whole patch of it is seen, detail stays as it is.
    """
    patch = _example(detail, bare)
    if patch is None:
        return detail
    size, side = len(detail), len(patch)
    count = -(-size // side)
    tiles = np.tile(_other_phases(patch), (count, count, 1))[:size, :size]
    return detail + missing[..., None] * tiles


def _example(detail: np.ndarray, bare: np.ndarray) -> np.ndarray | None:
    """The whole patch (P, P, C) whose detail is of middle strength: neither blurred nor full of hairs."""
    side = len(detail) // PATCHES
    inside = slice(side // 2, len(detail) - side // 2, STEP)
    whole = uniform_filter(bare.astype(np.float32), side)[inside, inside] > WHOLE
    if not whole.any():
        return None
    strength = uniform_filter((detail**2).sum(axis=2), side)[inside, inside]
    rows, columns = np.nonzero(whole)
    order = np.argsort(strength[whole])
    chosen = order[len(order) // 2]
    row, column = rows[chosen] * STEP, columns[chosen] * STEP
    return detail[row : row + side, column : column + side]


def _other_phases(patch: np.ndarray) -> np.ndarray:
    """Noise (P, P, C) float32 of the same strength that goes on over its edges."""
    side = len(patch)
    window = np.hanning(side + 2)[1:-1]
    window = np.outer(window, window)[..., None]
    window /= np.sqrt((window**2).mean())
    noise = np.random.default_rng(0).normal(size=(side, side, 1))
    turns = np.exp(1j * np.angle(np.fft.fft2(noise, axes=(0, 1))))
    spectrum = np.fft.fft2((patch - patch.mean(axis=(0, 1))) * window, axes=(0, 1)) * turns
    return np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32)
