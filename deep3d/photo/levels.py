"""Pictures of more than 8 bits: which value is white, since cameras and scanners put 10 or 12 bits into 16."""

from __future__ import annotations

import io
import sys

import numpy as np
from PIL import Image, ImageFile

_DEPTHS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in 8, 10, 12, 14 and 16 bits: a photo's brightest value is taken to lie in the upper part of its levels."""
_OTHER_BYTE = {";16B": ";16L", ";16L": ";16B", ";16N": ";16B" if sys.byteorder == "little" else ";16L"}
"""Pillow keeps the high byte of colours of 16 bits; with the other order of bytes it keeps the low one."""


def white_level(image: Image.Image) -> float | None:
    """The value shown as white in a grey image of more than 8 bits, None for other images."""
    if not image.mode.startswith("I;16") and image.mode not in ("I", "F"):
        return None
    largest = float(np.nan_to_num(np.array(image.getextrema()), nan=1.0, posinf=1.0).max())
    return _white(largest, (1.0, *_DEPTHS) if image.mode == "F" else _DEPTHS)


def grey(image: Image.Image, white: float) -> Image.Image:
    """The grey image in RGB of 8 bits."""
    return Image.fromarray(_bytes(np.nan_to_num(np.asarray(image, np.float32)), white)).convert("RGB")


def has_deep_colours(image: Image.Image) -> bool:
    """Whether an image that is not loaded yet has colours of 16 bits."""
    tiles = _tiles(image)
    return image.mode in ("RGB", "RGBA") and bool(tiles) and all(_raw_mode(tile)[-4:] in _OTHER_BYTE for tile in tiles)


def stretched(image: Image.Image, content: bytes) -> Image.Image:
    """A loaded image with deep colours, of the file `content`, in the upper 8 of the bits that it uses."""
    extrema: list[tuple[int, int]] = image.getextrema()  # pyright: ignore[reportAssignmentType]
    brightest = [max(high for _, high in extrema[:3]), *(high for _, high in extrema[3:])]  # of colours, and opacity
    used = [_bits_above_8(high) for high in brightest]
    if used[0] == 8:
        return image
    with Image.open(io.BytesIO(content), formats=[image.format or ""]) as again:
        low = np.asarray(_with_low_bytes(again))
    shift = np.array([8 - used[0]] * 3 + [8 - bits for bits in used[1:]], np.uint8)
    return Image.fromarray((np.asarray(image) << shift) | (low >> (8 - shift)))


def _bits_above_8(brightest: int) -> int:
    """How many bits of the high byte are used, an even number as in 10, 12, 14 and 16 bits."""
    bits = brightest.bit_length()
    return bits + bits % 2


def _white(largest: float, depths: tuple[float, ...]) -> float:
    return next((level for level in depths if largest <= level), largest)


def _bytes(levels: np.ndarray, white: float) -> np.ndarray:
    return np.clip(np.rint(levels * (255 / white)), 0, 255).astype(np.uint8)


def _with_low_bytes(image: Image.Image) -> Image.Image:
    tiles = []
    for tile in _tiles(image):
        mode = _raw_mode(tile)
        other = mode[:-4] + _OTHER_BYTE[mode[-4:]]
        tiles.append(tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other))
    image.tile = tiles  # pyright: ignore[reportAttributeAccessIssue]
    return image.copy()


def _tiles(image: Image.Image) -> list[ImageFile._Tile]:
    return image.tile if isinstance(image, ImageFile.ImageFile) else []


def _raw_mode(tile: ImageFile._Tile) -> str:
    """How the pixels of one part of the picture lie in the file."""
    return str(tile.args[0] if isinstance(tile.args, tuple) else tile.args)
