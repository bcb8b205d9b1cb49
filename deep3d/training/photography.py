"""What a camera and a web site do to a picture: exposure, colour, blur, noise, small sizes, compression."""

from __future__ import annotations

import io

import numba
import numpy as np
from PIL import Image, ImageFilter


def develop(rng: np.random.Generator, picture: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """A uint8 photo (H, W, 3) of a rendered picture (H, W, 3) float32, about [0, 1], with grain from `noise` (N, N)."""
    gain = np.exp(rng.normal(0, 0.06, 3)) * np.exp(rng.normal(0, 0.15))
    gamma = np.exp(rng.normal(0, 0.2)) if rng.random() < 0.5 else 1.0
    saturation = 0.0 if rng.random() < 0.06 else rng.uniform(0.6, 1.3)
    contrast, brightness = np.exp(rng.normal(0, 0.15)), 0.45 + rng.normal(0, 0.04)
    graded = np.empty(picture.shape, np.uint8)
    _grade(picture, gain, gamma, saturation, contrast, brightness, graded)
    photo = _soften(rng, Image.fromarray(graded))
    if rng.random() < 0.6:
        grainy = np.empty(picture.shape, np.uint8)
        colour_shift = rng.integers(1, len(noise), 2) * (rng.random() < 0.5)
        _grain(
            np.asarray(photo), noise, rng.integers(0, len(noise), 2), colour_shift, 255 * rng.gamma(1.5, 0.01), grainy
        )
        photo = Image.fromarray(grainy)
    if rng.random() < 0.6:
        packed = io.BytesIO()
        photo.save(packed, "JPEG", quality=int(rng.integers(25, 96)))
        photo = Image.open(packed)
    return np.asarray(photo)


def _soften(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    kind = rng.random()
    if kind < 0.3:
        return photo.filter(ImageFilter.GaussianBlur(rng.gamma(1.5, 0.6)))
    if kind < 0.6:
        size = int(photo.width * rng.uniform(0.25, 0.9))
        way = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX)[rng.integers(3)]
        return photo.resize((size, size), way).resize(photo.size, Image.Resampling.BILINEAR)
    return photo.filter(ImageFilter.SMOOTH if kind < 0.85 else ImageFilter.SHARPEN)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _grade(picture, gain, gamma, saturation, contrast, brightness, out):
    """Exposure, gamma, saturation and contrast of (H, W, 3) into uint8."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            red = max(picture[row, column, 0] * gain[0], 0.0)
            green = max(picture[row, column, 1] * gain[1], 0.0)
            blue = max(picture[row, column, 2] * gain[2], 0.0)
            if gamma != 1.0:
                red, green, blue = red**gamma, green**gamma, blue**gamma
            grey = 0.299 * red + 0.587 * green + 0.114 * blue
            for channel, value in enumerate((red, green, blue)):
                value = grey + saturation * (value - grey)
                value = (value - 0.45) * contrast + brightness
                out[row, column, channel] = np.uint8(min(max(value * 255 + 0.5, 0.0), 255.0))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _grain(photo, noise, offset, colour_shift, level, out):
    """Add tiled noise (N, N) of this level in grey values; a colour shift gives each channel its own."""
    size = noise.shape[0]
    for row in range(photo.shape[0]):
        for column in range(photo.shape[1]):
            for channel in range(3):
                y = (row + offset[0] + channel * colour_shift[0]) % size
                x = (column + offset[1] + channel * colour_shift[1]) % size
                out[row, column, channel] = np.uint8(
                    min(max(photo[row, column, channel] + level * noise[y, x] + 0.5, 0.0), 255.0)
                )
