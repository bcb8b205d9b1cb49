"""Effects of cameras and web sites on pictures, many at a time: exposure, colour, sharpness, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.arrays import Array
from deep3d.synthetic.painting import NOISE_SIZE

BLUR, REDUCE, SMOOTH, SHARPEN = range(4)
"""Changes of a picture's sharpness: a Gaussian, reduction and enlargement, and Pillow's filters."""
PIVOT = 0.45  # the value in [0, 1] that contrast does not change
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in grey (ITU-R BT.601)

# How pictures are drawn. Pairs are ranges of uniform draws, spreads are standard deviations of normal ones, and gammas
# are (shape, scale). Spreads of factors and exponents are those of their logarithms.
CHANNEL_GAIN_SPREAD, EXPOSURE_SPREAD = 0.06, 0.15  # of factors: one for each channel, and one for all three
GAMMA_SPREAD, GAMMA_CHANGED = 0.2, 0.5  # of an exponent, and in what share of pictures it is not 1
GREY_PICTURES, SATURATION = 0.06, (0.6, 1.3)  # the share without colour, and how much the others have
CONTRAST_SPREAD = 0.15  # of a factor
BRIGHTNESS_SPREAD = 0.04  # of [0, 1]
SOFTENED_BELOW = (0.3, 0.6, 0.85)  # shares added up: BLUR to the first, REDUCE, SMOOTH, then SHARPEN to 1
BLUR_PIXELS = (1.5, 0.6)  # gamma of a standard deviation
REDUCTION = (0.25, 0.9)  # share of the pixels of a side
GRAINY, GRAIN = 0.6, (1.5, 0.01)  # share of pictures, and gamma of a standard deviation of [0, 1]
COLOURED_GRAIN = 0.5  # share of pictures whose channels have grain of their own
COMPRESSED, QUALITY = 0.6, (25, 96)  # share of pictures, and whole numbers of JPEG, the last excluded


@dataclass(frozen=True)
class Film:
    """Camera effects of B pictures. (B,) unless noted; all numpy, or all torch."""

    gain: Array  # (B, 3) of red, green and blue
    gamma: Array
    saturation: Array  # 0 is grey, 1 as it was
    contrast: Array  # about PIVOT
    brightness: Array  # what PIVOT becomes
    softening: Array  # one of BLUR, REDUCE, SMOOTH, SHARPEN
    blur: Array  # standard deviation of the Gaussian, pixels
    reduction: Array  # share of the pixels of a side that are left for a while
    grain: Array  # standard deviation, of [0, 1]
    grain_noise: Array  # which noise field it is made of
    grain_offset: Array  # (B, 3, 2) rows and columns into that field, for red, green and blue
    quality: Array  # of the JPEG file, 100 where there is none


def random_film(rng: np.random.Generator, count: int, noises: int) -> Film:
    """Draw random camera effects, with grain from one of the first noise fields."""
    kind = rng.random(count)
    shift = rng.integers(1, NOISE_SIZE, (count, 2)) * (rng.random((count, 1)) < COLOURED_GRAIN)
    start = rng.integers(0, NOISE_SIZE, (count, 2))
    return Film(
        gain=np.exp(rng.normal(0, CHANNEL_GAIN_SPREAD, (count, 3)) + rng.normal(0, EXPOSURE_SPREAD, (count, 1))),
        gamma=np.exp(rng.normal(0, GAMMA_SPREAD, count) * (rng.random(count) < GAMMA_CHANGED)),
        saturation=np.where(rng.random(count) < GREY_PICTURES, 0.0, rng.uniform(*SATURATION, count)),
        contrast=np.exp(rng.normal(0, CONTRAST_SPREAD, count)),
        brightness=PIVOT + rng.normal(0, BRIGHTNESS_SPREAD, count),
        softening=np.select([kind < share for share in SOFTENED_BELOW], [BLUR, REDUCE, SMOOTH], SHARPEN),
        blur=rng.gamma(*BLUR_PIXELS, count),
        reduction=rng.uniform(*REDUCTION, count),
        grain=rng.gamma(*GRAIN, count) * (rng.random(count) < GRAINY),
        grain_noise=rng.integers(0, noises, count),
        grain_offset=start[:, None] + np.arange(3)[:, None] * shift[:, None],
        quality=np.where(rng.random(count) < COMPRESSED, rng.integers(*QUALITY, count), 100),
    )
