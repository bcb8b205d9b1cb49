"""Pictures of more than 8 bits: finds the value of white, since cameras and scanners store 9 to 15 bits in 16."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile

_DEPTHS = tuple(2.0**bits - 1 for bits in range(8, 17))
"""White in 8 to 16 bits: a photo's brightest value is assumed to be in the upper half of its range."""
_UNSIGNED = 2.0**32
_GLARE = 32.0  # the most that a light in a photo of floating-point numbers has, beside about 1 for white paper
_OTHER_BYTE = {";16B": ";16L", ";16L": ";16B", ";16N": ";16B" if sys.byteorder == "little" else ";16L"}
"""Pillow keeps the high byte of colours of 16 bits; with the other order of bytes it keeps the low one."""


_BITS, _INTERPRETATION, _SAMPLES = 258, 262, 339  # TIFF tags
_WHITE_IS_ZERO, _POSITIVE = 0, 1  # values of the second and of the third


def white_level(image: Image.Image) -> float | None:
    """The value shown as white in a grey image of more than 8 bits, None for other images."""
    if not image.mode.startswith("I;16") and image.mode not in ("I", "F"):
        return None
    least, largest = np.nan_to_num(np.array(image.getextrema(), np.float64), nan=1.0, posinf=1.0)
    if image.mode == "F" and largest <= _GLARE:
        return max(float(largest), 1.0)
    if least < 0 and getattr(image, "tag_v2", {}).get(_SAMPLES, (_POSITIVE,))[0] == _POSITIVE:
        return _UNSIGNED - 1  # Pillow takes the upper half of 32 bits for negative numbers
    return next((level for level in _DEPTHS if largest <= level), float(largest))


def grey(image: Image.Image, white: float, negative: bool = False) -> Image.Image:
    """The grey image in RGB of 8 bits, of a `negative` with 0 as white."""
    levels = np.nan_to_num(np.asarray(image, np.float32))
    if white > _UNSIGNED / 2:
        levels = levels % np.float32(_UNSIGNED)
    return Image.fromarray(_bytes(white - levels if negative else levels, white)).convert("RGB")


def is_negative(image: Image.Image) -> bool:
    """Whether 0 is white in a grey TIFF of more than 8 bits, of which Pillow takes no notice."""
    tags = getattr(image, "tag_v2", {})
    return image.mode.startswith("I;16") and tags.get(_INTERPRETATION) == _WHITE_IS_ZERO


def join_planes(image: Image.Image) -> Image.Image:
    """An image that is not loaded yet, with 16 bits of each colour where a TIFF has its colours one after the other.

    Pillow takes such planes for ones of 8 bits.
    """
    tags = getattr(image, "tag_v2", None)
    if tags and max(tags.get(_BITS, (8,))) == 16 and all(_raw_mode(tile) in {*"RGBA"} for tile in _tiles(image)):
        order = "L" if tags.prefix == b"II" else "B"
        _read_as(image, lambda mode: f"{mode};16{order}")
    return image


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
        _read_as(join_planes(again), lambda mode: mode[:-4] + _OTHER_BYTE[mode[-4:]])
        low = np.asarray(again)
    shift = np.array([8 - used[0]] * 3 + [8 - bits for bits in used[1:]], np.uint8)
    return Image.fromarray((np.asarray(image) << shift) | (low >> (8 - shift)))


def _bits_above_8(brightest: int) -> int:
    """How many bits of the high byte are used."""
    return brightest.bit_length()


def _bytes(levels: np.ndarray, white: float) -> np.ndarray:
    return np.clip(np.rint(levels * (255 / white)), 0, 255).astype(np.uint8)


def _read_as(image: Image.Image, other: Callable[[str], str]) -> None:
    """Let an image that is not loaded yet be read in other raw modes."""
    tiles = []
    for tile in _tiles(image):
        mode = other(_raw_mode(tile))
        tiles.append(tile._replace(args=(mode, *tile.args[1:]) if isinstance(tile.args, tuple) else mode))
    image.tile = tiles  # pyright: ignore[reportAttributeAccessIssue]


def _tiles(image: Image.Image) -> list[ImageFile._Tile]:
    return image.tile if isinstance(image, ImageFile.ImageFile) else []


def _raw_mode(tile: ImageFile._Tile) -> str:
    """How the pixels of one part of the picture lie in the file."""
    return str(tile.args[0] if isinstance(tile.args, tuple) else tile.args)
