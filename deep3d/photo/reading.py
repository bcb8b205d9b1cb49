"""Read a photo from anywhere safely: any kind Pillow decodes, upright, RGB, within bounded memory."""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from deep3d.errors import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable
from deep3d.photo.jpeg import CUT_OFF, JPEG_FORMATS, plain_jpeg, with_end
from deep3d.photo.parts import check_parts
from deep3d.photo.paths import no_such_file, photos_in
from deep3d.photo.pixels import upright_pixels

LARGEST_PHOTO = 128_000_000  # pixels
LARGEST_FILE = 1 << 30  # bytes: so many pixels of four colours in 16 bits, with a margin
SMALLEST_SIDE = 32  # pixels

# Excluded: formats that start other programs (EPS), open further files, or never contain photos.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM")

_TIFF = (b"II*\0", b"MM\0*")  # how such files begin

_warning_filters = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A decoded photo."""

    pixels: np.ndarray  # (H, W, 3) uint8 sRGB, upright
    name: str  # file name, for people and for result folders
    sha256: str  # of the file's bytes, hexadecimal
    turn: int = 0  # degrees clockwise, 0, 90, 180 or 270, by which `pixels` are rotated from the file's own upright
    warnings: tuple[str, ...] = ()  # warnings about the file, in sentences

    def turned(self, degrees: int) -> Photo:
        """The photo rotated clockwise by a further 90, 180 or 270 degrees."""
        pixels = np.ascontiguousarray(np.rot90(self.pixels, -degrees // 90))
        return replace(self, pixels=pixels, turn=(self.turn + degrees) % 360)


def read_photo(source: str | Path | bytes, name: str | None = None, enough: int | None = None) -> Photo:
    """Read the photo at a path, or from the bytes of a photo file; messages call it `name` (by default its file name).

    With `enough`, a JPEG with more pixels on the longest side is decoded at a smaller size, but not below `enough`,
    which takes less memory.

    EXIF orientation and the embedded colour profile are applied, transparency becomes white, animations give their
    first frame, and 16 bits, or the used ones of them, are reduced to 8. A JPEG without its last bytes is read, with a
    warning.

    Raises: PhotoMissing, PhotoUnreadable, PhotoTooLarge beyond 128 megapixels or a gigabyte, PhotoTooSmall below 32
    pixels a side.
    """
    if isinstance(source, bytes):
        return _read(source, name or "photo", enough)
    path = Path(source)
    try:
        if path.is_dir():
            photos_in(path)  # a folder without photos gets its own message
            raise PhotoUnreadable(f"{path}: this is a folder, not a photo; name the photos in it")
        if not path.exists():
            raise no_such_file(path)
        if not path.is_file():
            raise PhotoUnreadable(f"{path}: not a regular file; give a photo file")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise PhotoTooLarge(f"{path}: the file has {size / 1e9:.1f} GB, which is too large for a photo; reduce it")
        content = path.read_bytes()
    except OSError as error:
        raise PhotoUnreadable(f"{path}: cannot open this file ({error.strerror}); check its permissions") from error
    return replace(_read(content, str(path), enough), name=name or path.name)


def _read(content: bytes, name: str, enough: int | None) -> Photo:
    check_parts(content, name)
    with ThreadPoolExecutor(1) as aside, _open(content, name) as image:
        hashed = aside.submit(hashlib.sha256, content)  # a tenth of the time that a large photo takes
        width, height = image.size
        if width * height > LARGEST_PHOTO:
            raise PhotoTooLarge(
                f"{name}: {width} x {height} pixels exceed the limit of 128 megapixels; reduce the photo"
            )
        if min(width, height) < SMALLEST_SIDE:
            raise PhotoTooSmall(f"{name}: {width} x {height} pixels are too few; each side needs at least 32")
        try:
            pixels, told = plain_jpeg(image, content, enough), ()
            if pixels is None:
                with _no_pillow_warning() if width * height > (Image.MAX_IMAGE_PIXELS or 0) else nullcontext():
                    pixels, told = _decoded(image, content)
        except MemoryError as error:
            raise PhotoTooLarge(
                f"{name}: not enough memory for {width} x {height} pixels; reduce the photo, or close other programs"
            ) from error
        except Exception as error:  # decoders raise all kinds of errors on damaged files
            raise PhotoUnreadable(f"{name}: damaged or cut off ({_one_line(error)}); get a fresh copy") from error
        return Photo(pixels, name, hashed.result().hexdigest(), warnings=told)


def _decoded(image: Image.Image, content: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """The upright pixels (H, W, 3) by Pillow, and warnings."""
    try:
        return upright_pixels(image, content), ()
    except OSError:
        if image.format not in JPEG_FORMATS:
            raise
        return upright_pixels(with_end(content), content), (CUT_OFF,)


@contextmanager
def _no_pillow_warning() -> Iterator[None]:
    """Without Pillow's warning at 89 megapixels; our own limit is checked between opening and decoding.

    One thread at a time, since warning filters belong to the whole process; small photos are decoded outside.
    """
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _open(content: bytes, name: str) -> Image.Image:
    """The image with only its header read."""
    header = content[:12]
    if not header:
        raise PhotoUnreadable(f"{name}: the file is empty; give a photo")
    Image.preinit()  # the common formats first; the others only if needed, since they are forty modules
    if not header.startswith(b"\xff\xd8"):
        Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]
    if header[4:8] == b"ftyp":  # HEIC or AVIF
        try:
            import pillow_heif
        except ImportError:
            pass
        else:
            pillow_heif.register_heif_opener()
            formats.append("HEIF")
    try:
        with _no_pillow_warning():
            return Image.open(io.BytesIO(content), formats=formats)
    except Image.DecompressionBombError as error:
        raise PhotoTooLarge(f"{name}: more than 128 megapixels; reduce the photo") from error
    except UnidentifiedImageError as error:
        if header[:4] in _TIFF:
            message = "this kind of TIFF is not read; save it with 8 or 16 bits a colour, or as PNG"
            raise PhotoUnreadable(f"{name}: {message}") from error
        raise PhotoUnreadable(f"{name}: unknown image format; give a JPEG, PNG, WebP, HEIC or TIFF") from error
    except Exception as error:  # as above
        raise PhotoUnreadable(f"{name}: damaged header ({_one_line(error)}); get a fresh copy") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
