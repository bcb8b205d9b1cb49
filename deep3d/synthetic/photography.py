"""Effects of a camera and a web site on a picture: exposure, colour, blur, noise, small sizes, compression."""

from __future__ import annotations

import io

import numba
import numpy as np
from PIL import Image, ImageFilter

from deep3d.synthetic.film import BLUR, LUMA, PIVOT, REDUCE, SMOOTH, Film


def develop(picture: np.ndarray, film: Film, noise: np.ndarray) -> np.ndarray:
    """A uint8 photo (H, W, 3) of a rendered picture (H, W, 3) float32, about [0, 1], with grain from `noise` (K, N, N).

    `film` is that of one picture: without the first axis.
    """
    graded = np.empty(picture.shape, np.uint8)
    _grade(picture, film.gain, film.gamma, film.saturation, film.contrast, film.brightness, graded)
    photo = _soften(Image.fromarray(graded), film)
    if film.grain > 0:
        grainy = np.empty(picture.shape, np.uint8)
        _grain(np.asarray(photo), noise[film.grain_noise], film.grain_offset, 255 * film.grain, grainy)
        photo = Image.fromarray(grainy)
    if film.quality < 100:
        packed = io.BytesIO()
        photo.save(packed, "JPEG", quality=int(film.quality))
        photo = Image.open(packed)
    return np.asarray(photo)


def _soften(photo: Image.Image, film: Film) -> Image.Image:
    if film.softening == BLUR:
        return photo.filter(ImageFilter.GaussianBlur(float(film.blur)))
    if film.softening == REDUCE:
        size = int(photo.width * film.reduction)
        small = photo.resize((size, size), Image.Resampling.BILINEAR)
        return small.resize(photo.size, Image.Resampling.BILINEAR)
    return photo.filter(ImageFilter.SMOOTH if film.softening == SMOOTH else ImageFilter.SHARPEN)


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
            grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
            for channel, value in enumerate((red, green, blue)):
                value = grey + saturation * (value - grey)
                value = (value - PIVOT) * contrast + brightness
                out[row, column, channel] = np.uint8(min(max(value * 255 + 0.5, 0.0), 255.0))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _grain(photo, noise, offset, level, out):
    """Add tiled noise (N, N) of this level in grey values, each channel from its own row and column (3, 2)."""
    size = noise.shape[0]
    for row in range(photo.shape[0]):
        for column in range(photo.shape[1]):
            for channel in range(3):
                y = (row + offset[channel, 0]) % size
                x = (column + offset[channel, 1]) % size
                out[row, column, channel] = np.uint8(
                    min(max(photo[row, column, channel] + level * noise[y, x] + 0.5, 0.0), 255.0)
                )
