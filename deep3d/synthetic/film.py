"""What cameras and web sites do to pictures, many at a time: exposure, colour, sharpness, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array
from deep3d.synthetic.painting import NOISE_SIZE

BLUR, REDUCE, SMOOTH, SHARPEN = range(4)
"""What may happen to the sharpness of a picture: a Gaussian, fewer pixels for a while, and Pillow's filters."""


@dataclass(frozen=True)
class Film:
    """How B pictures are developed. (B,) where nothing else is said; all numpy, or all torch."""

    gain: Array  # (B, 3) of red, green and blue
    gamma: Array
    saturation: Array  # 0 is grey, 1 as it was
    contrast: Array  # about 0.45
    brightness: Array  # what 0.45 becomes
    softening: Array  # one of BLUR, REDUCE, SMOOTH, SHARPEN
    blur: Array  # standard deviation of the Gaussian, pixels
    reduction: Array  # share of the pixels of a side that are left for a while
    grain: Array  # standard deviation, of [0, 1]
    grain_noise: Array  # which noise field it is made of
    grain_offset: Array  # (B, 3, 2) rows and columns into that field, for red, green and blue
    quality: Array  # of the JPEG file, 100 where there is none


def random_film(rng: np.random.Generator, count: int, noises: int) -> Film:
    """Draw how pictures are developed, with grain of one of the first noise fields."""
    kind = rng.random(count)
    shift = rng.integers(1, NOISE_SIZE, (count, 2)) * (rng.random((count, 1)) < 0.5)
    start = rng.integers(0, NOISE_SIZE, (count, 2))
    return Film(
        gain=np.exp(rng.normal(0, 0.06, (count, 3)) + rng.normal(0, 0.15, (count, 1))),
        gamma=np.exp(rng.normal(0, 0.2, count) * (rng.random(count) < 0.5)),
        saturation=np.where(rng.random(count) < 0.06, 0.0, rng.uniform(0.6, 1.3, count)),
        contrast=np.exp(rng.normal(0, 0.15, count)),
        brightness=0.45 + rng.normal(0, 0.04, count),
        softening=np.select([kind < 0.3, kind < 0.6, kind < 0.85], [BLUR, REDUCE, SMOOTH], SHARPEN),
        blur=rng.gamma(1.5, 0.6, count),
        reduction=rng.uniform(0.25, 0.9, count),
        grain=rng.gamma(1.5, 0.01, count) * (rng.random(count) < 0.6),
        grain_noise=rng.integers(0, noises, count),
        grain_offset=start[:, None] + np.arange(3)[:, None] * shift[:, None],
        quality=np.where(rng.random(count) < 0.6, rng.integers(25, 96, count), 100),
    )
