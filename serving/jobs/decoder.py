"""A confined process that reads photos: `python -m serving.jobs.decoder`.

The call `look` gives {"pixels", "megabytes"} of a file: its size, and the memory that decoding it takes; nothing is
decoded for that. The call `clean` gives {"width", "height", "warnings"} and the JPEG that the site keeps: upright,
sRGB, without metadata. A file that is no good is {"error": name of the exception}. An honest file takes time and memory
in proportion to its pixels, so a small one gets little of both.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import pillow_heif
from PIL import Image, UnidentifiedImageError

from deep3d import Deep3DError, read_photo
from deep3d.photo import check_parts
from serving.confined import inside
from serving.confined.messages import Values


class _Cost(NamedTuple):
    """What reading a photo takes, measured on photos of 12 and 64 megapixels."""

    megabytes: float  # for each megapixel
    seconds: float  # for each megapixel, on one core of a server


KINDS = {
    "JPEG": _Cost(8, 0.020),  # a progressive one keeps its coefficients
    "PNG": _Cost(11, 0.040),
    "WEBP": _Cost(20, 0.045),
    "HEIF": _Cost(12, 0.080),
    "AVIF": _Cost(14, 0.045),
    "TIFF": _Cost(22, 0.040),  # with 16 bits
    "GIF": _Cost(11, 0.020),
}
"""The kinds that the site takes, by Pillow's names."""

_SPARE_MB, _SPARE = 100.0, 1.25  # memory that an honest photo may need beyond what was measured: so much, and in parts
_SPARE_SECONDS, _SLOWNESS = 0.7, 4.0  # the same for time, and how much slower a processor may be


def answer(call: Values, content: bytes) -> tuple[Values, bytes]:
    """What a call gives."""
    opening = min(KINDS["WEBP"].megabytes * _webp_pixels(content) / 1e6, call["most_mb"])
    inside.limit(_SPARE_SECONDS, _SPARE_MB + opening)
    try:
        kind, width, height = _header(content)
        megapixels = width * height / 1e6
        megabytes, seconds = (each * megapixels for each in KINDS[kind])
        if call["do"] == "look":
            return {"pixels": width * height, "megabytes": megabytes}, b""
        inside.limit(_SPARE_SECONDS + _SLOWNESS * seconds, _SPARE_MB + _SPARE * megabytes)
        return _clean(content, **call["kept"])
    except (Deep3DError, UnidentifiedImageError) as error:
        return {"error": type(error).__name__}, b""


def _header(content: bytes) -> tuple[str, int, int]:
    """Kind, width and height.

    Raises: PhotoUnreadable, UnidentifiedImageError for whatever is no photo of a kind that the site takes.
    """
    check_parts(content, "photo")
    try:
        with Image.open(io.BytesIO(content), formats=tuple(KINDS)) as image:
            return "JPEG" if image.format == "MPO" else str(image.format), *image.size
    except (MemoryError, UnidentifiedImageError):
        raise
    except Exception as error:  # Pillow raises anything at all on damaged files
        raise UnidentifiedImageError from error


def _webp_pixels(content: bytes) -> int:
    """Of a WebP file, for which Pillow takes memory as soon as it opens it; 0 for other files."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return 0
    match content[12:16]:
        case b"VP8X":
            width, height = (1 + int.from_bytes(content[start : start + 3], "little") for start in (24, 27))
        case b"VP8L":
            sizes = int.from_bytes(content[21:25], "little")
            width, height = 1 + (sizes & 0x3FFF), 1 + (sizes >> 14 & 0x3FFF)
        case _:
            width, height = (int.from_bytes(content[start : start + 2], "little") & 0x3FFF for start in (26, 28))
    return width * height


def _clean(content: bytes, longest_side: int, quality: int) -> tuple[Values, bytes]:
    photo = read_photo(content, enough=longest_side)
    image = Image.fromarray(photo.pixels)
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=quality, subsampling="4:4:4")
    return {"width": image.width, "height": image.height, "warnings": photo.warnings}, jpeg.getvalue()


if __name__ == "__main__":
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # the site has its own limit, which it tells in words
    pillow_heif.register_heif_opener()
    inside.write_no_files()
    inside.answer_calls(answer)
