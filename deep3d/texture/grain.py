"""The grain of skin: pores, stubble and the camera's noise. Skin that is made up without it looks like plastic."""

from __future__ import annotations

import numpy as np

from deep3d.texture.blur import gaussian
from deep3d.texture.fill import logarithm
from deep3d.texture.sampling import Picture

FINE, USUAL = 0.45, 1.2
"""Texels, of the blurs that give noise the size of grain: where texels are large, and on the face."""
AROUND = np.array([[2, 0], [-2, 0], [0, 2], [0, -2]])  # pixels of a picture as fine as the texture
SHARE = 0.45  # of the grain of a photo, which shows relief, too; small pictures take single texels
LARGEST = 0.045  # standard deviation, logarithms: more is hair or noise of the night
LEAST = 200  # vertices that must be seen
TAIL = 4.0  # standard deviations that the noise reaches


def noise(length: np.ndarray) -> np.ndarray:
    """(S, S) int8 of smooth noise, always the same, in `TAIL` / 127 of its standard deviation.

    `length` (S, S) is that of each texel on the head, over the usual one: grain is no larger where texels are, but
    fainter.
    """
    random = np.random.default_rng(0)
    usual, fine = (gaussian(random.standard_normal(length.shape, np.float32), blur) for blur in (USUAL, FINE))
    share = np.clip(2 - length, 0, 1)
    mixed = share * usual / usual.std() + np.sqrt(1 - share**2) * fine / fine.std()
    return np.clip(mixed / np.maximum(length, 1) * (127 / TAIL), -127, 127).astype(np.int8)


def strength(picture: Picture, pixels: np.ndarray) -> float:
    """Standard deviation, logarithms, of the grain of skin that a picture shows at (N, 2) photo pixels.

    Wrinkles and features are outliers, so it is that of half of the pixels that differ least from those around.
    """
    if len(pixels) < LEAST:
        return 0.0
    here = logarithm(picture.sample(pixels)).mean(axis=1)
    around = sum(logarithm(picture.sample(pixels + step * picture.step)).mean(axis=1) for step in AROUND) / len(AROUND)
    return min(SHARE * 1.4826 / np.sqrt(1 + 1 / len(AROUND)) * float(np.median(np.abs(here - around))), LARGEST)
