"""JPEG files: a fast path for most photos, and reading files that are cut off at their end."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from deep3d.photo.pixels import STRIP_PIXELS, TURNED, orientation_of, profile_transform, upright_view

JPEG_FORMATS = ("JPEG", "MPO")
CUT_OFF = "The photo file is cut off at its end. Part of the picture may be missing."
MOST_MISSING = 0.25  # of the height: if more is missing, the file is damaged, not just cut off

_END = b"\xff\xd9"
_FILLERS = (127, 128)  # libjpeg's value of a missing block in every channel, and its inverse (CMYK)


def plain_jpeg(image: Image.Image, content: bytes, enough: int | None = None) -> np.ndarray | None:
    """The result of `upright_pixels` for an undamaged JPEG of three channels, None for other images.

    Most photos are of this kind. The decoder (libjpeg-turbo, as in Pillow) writes the pixels to their final place, in a
    third of the time and half the memory. With more than `enough` pixels on the longest side it decodes at a smaller
    size.
    """
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB":
        return None
    try:
        least = [-(-side * enough // max(image.size)) if enough else 0 for side in image.size]
        pixels = simplejpeg.decode_jpeg(content, min_width=least[0], min_height=least[1])
    except ValueError:  # damaged, but Pillow may tolerate it
        return None
    height, width = pixels.shape[:2]
    if profile := profile_transform(image):
        rows = max(1, STRIP_PIXELS // width)
        for top in range(0, height, rows):
            strip = pixels[top : top + rows]
            strip[:] = np.asarray(profile.apply(Image.fromarray(strip)))
    orientation = orientation_of(image, content)
    if orientation == 1:
        return pixels
    upright, view = upright_view((width, height), orientation)
    whole = np.dtype("V3")  # copies whole pixels, three times as fast as single channels
    view.view(whole)[:] = (pixels.transpose(1, 0, 2) if orientation in TURNED else pixels).view(whole)
    return upright


def with_end(content: bytes) -> Image.Image:
    """The image of a JPEG file without its last bytes, loaded like in viewers: missing blocks are grey.

    Raises: OSError if more than a quarter is missing.
    """
    whole = Image.open(io.BytesIO(content + _END), formats=["JPEG"])
    whole.load()
    filled = np.all(np.isin(np.asarray(whole), _FILLERS).reshape(whole.height, -1), axis=1)
    missing = int(filled[::-1].argmin()) if not filled.all() else whole.height
    if missing > MOST_MISSING * whole.height:
        raise OSError(f"{round(100 * missing / whole.height)}% of the picture is missing")
    return whole
