"""Read a photo from anywhere safely: any kind Pillow decodes, upright, RGB, within bounded memory."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, UnidentifiedImageError

from deep3d.errors import PhotoMissing, PhotoTooLarge, PhotoTooSmall, PhotoUnreadable

LARGEST_PHOTO = 128_000_000  # pixels
LARGEST_FILE = 1 << 30  # bytes: so many pixels of four colours in 16 bits, and some
SMALLEST_SIDE = 32  # pixels

SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .heic .heif .hif .avif .tif .tiff .bmp .gif .jp2 .ppm .pgm".split()
)
"""File names that `find_photos` takes for photos."""

# Left out on purpose: kinds that start other programs (EPS), open files of their own, or never hold photos.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM")
_STRIP_PIXELS = 4_000_000  # converted at a time, so that no second copy of a large photo is ever made
_ORIENTATION = 0x0112  # EXIF tag
_TURNED = (5, 6, 7, 8)  # orientations that exchange rows and columns

_warning_filters = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A decoded photo."""

    pixels: np.ndarray  # (H, W, 3) uint8 sRGB, upright
    name: str  # file name, for people and for result folders
    sha256: str  # of the file's bytes, hexadecimal


def read_photo(source: str | Path | bytes, name: str | None = None) -> Photo:
    """Read the photo at a path, or the bytes of a photo file; `name` is what messages call it, else its file name.

    EXIF orientation and the embedded colour profile are applied, transparency lies on white, of an animation the first
    frame counts, 16 bits are reduced to 8.

    Raises: PhotoMissing, PhotoUnreadable, PhotoTooLarge beyond 128 megapixels or a gigabyte, PhotoTooSmall below 32
    pixels a side.
    """
    if isinstance(source, bytes):
        return _read(source, name or "photo")
    path = Path(source)
    try:
        if path.is_dir():
            _photos_in(path)  # a folder without photos is told as that
            raise PhotoUnreadable(f"{path}: a folder, not a photo; name the photos in it")
        if not path.exists():
            raise _no_such_file(path)
        if not path.is_file():
            raise PhotoUnreadable(f"{path}: not an ordinary file; give a photo file")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise PhotoTooLarge(f"{path}: {size / 1e9:.1f} gigabytes are more than a photo has; give a photo")
        content = path.read_bytes()
    except OSError as error:
        raise PhotoUnreadable(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error
    photo = _read(content, str(path))
    return Photo(photo.pixels, name or path.name, photo.sha256)


def find_photos(paths: Iterable[str | Path]) -> list[Path]:
    """The given files, and for each folder the photos right in it, sorted by name.

    Files are not looked at, and a folder without photos stays in the list: `read_photo` says what is wrong with each.

    Raises: PhotoMissing if not one of the paths leads to a file.
    """
    found: list[Path] = []
    missing: list[PhotoMissing] = []
    for path in map(Path, paths):
        try:
            if os.path.isdir(path):  # unlike the method of a path, False also where nobody may look
                found += _photos_in(path)
                continue
        except PhotoMissing as error:
            missing.append(error)
        else:
            if not os.path.lexists(path):
                missing.append(_no_such_file(path))
        found.append(path)
    if found and len(missing) == len(found):
        raise missing[0]
    return found


def _photos_in(folder: Path) -> list[Path]:
    """The photos right in a folder, sorted by name; PhotoMissing where there is none."""
    try:
        inside = [file for file in folder.iterdir() if _looks_like_photo(file)]
    except OSError as error:
        raise PhotoMissing(
            f"{folder}: the folder cannot be listed ({error.strerror}); check its permissions"
        ) from error
    if not inside:
        raise PhotoMissing(f"{folder}: no photos in this folder; supported are {', '.join(sorted(SUFFIXES))}")
    return sorted(inside, key=lambda file: file.name)


def _no_such_file(path: Path) -> PhotoMissing:
    return PhotoMissing(f"{path}: no such file; check the path")


def _looks_like_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _read(content: bytes, name: str) -> Photo:
    with ThreadPoolExecutor(1) as aside, _open(content, name) as image:
        hashed = aside.submit(hashlib.sha256, content)  # a tenth of the time that a large photo takes
        width, height = image.size
        if width * height > LARGEST_PHOTO:
            raise PhotoTooLarge(f"{name}: {width} x {height} pixels are more than 128 megapixels; reduce the photo")
        if min(width, height) < SMALLEST_SIDE:
            raise PhotoTooSmall(f"{name}: {width} x {height} pixels are too few; at least 32 on each side are needed")
        try:
            pixels = _plain_jpeg(image, content)
            if pixels is None:
                with _no_pillow_warning() if width * height > (Image.MAX_IMAGE_PIXELS or 0) else nullcontext():
                    image.load()
                pixels = _to_rgb(image)
        except MemoryError as error:
            raise PhotoTooLarge(
                f"{name}: not enough memory for {width} x {height} pixels; reduce the photo, or close other programs"
            ) from error
        except Exception as error:  # decoders raise anything at all on damaged files
            raise PhotoUnreadable(f"{name}: damaged or cut off ({_one_line(error)}); get a fresh copy") from error
        return Photo(pixels, name, hashed.result().hexdigest())


@contextmanager
def _no_pillow_warning() -> Iterator[None]:
    """Without Pillow's warning at 89 megapixels; our own limit is checked between opening and decoding.

    One thread at a time, since warning filters are the whole process's; a small photo is decoded outside.
    """
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _open(content: bytes, name: str) -> Image.Image:
    """The image with its header read and nothing decoded."""
    header = content[:12]
    if not header:
        raise PhotoUnreadable(f"{name}: the file is empty; give a photo")
    Image.preinit()  # the commonest kinds, and of the others only for what is not a JPEG: they are forty modules
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
        raise PhotoUnreadable(f"{name}: not an image of a known kind; give a JPEG, PNG, WebP, HEIC or TIFF") from error
    except Exception as error:  # as above
        raise PhotoUnreadable(f"{name}: damaged header ({_one_line(error)}); get a fresh copy") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__


def _plain_jpeg(image: Image.Image, content: bytes) -> np.ndarray | None:
    """What `_to_rgb` gives for an undamaged JPEG of three channels, None for other images.

    Most photos are such. The decoder, libjpeg-turbo as in Pillow, writes their pixels where they stay, which takes
    a third of the time and half the memory.
    """
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB":
        return None
    try:
        pixels = simplejpeg.decode_jpeg(content)
    except ValueError:  # damaged, perhaps no more than Pillow puts up with
        return None
    if profile := _profile_transform(image):
        rows = max(1, _STRIP_PIXELS // image.width)
        for top in range(0, image.height, rows):
            strip = pixels[top : top + rows]
            strip[:] = np.asarray(profile.apply(Image.fromarray(strip)))
    orientation = _orientation(image)
    if orientation == 1:
        return pixels
    upright, view = _upright(image.size, orientation)
    whole = np.dtype("V3")  # a pixel is copied as one, three times as fast as its channels
    view.view(whole)[:] = (pixels.transpose(1, 0, 2) if orientation in _TURNED else pixels).view(whole)
    return upright


def _upright(size: tuple[int, int], orientation: int) -> tuple[np.ndarray, np.ndarray]:
    """An empty upright photo (H, W, 3) for a stored image of (width, height), and a view of it to write that into.

    The view is laid out as the image is stored, but for a possible exchange of rows and columns.
    """
    width, height = size
    pixels = np.empty((width, height, 3) if orientation in _TURNED else (height, width, 3), np.uint8)
    view = pixels
    if orientation in (3, 4, 7, 8):
        view = view[::-1]
    if orientation in (2, 3, 6, 7):
        view = view[:, ::-1]
    return pixels, view


def _to_rgb(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, upright: each strip is converted and put where it belongs."""
    profile = _profile_transform(image)
    white = _white_level(image)
    orientation = _orientation(image)
    width, height = image.size
    pixels, view = _upright(image.size, orientation)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        strip = _grey(strip, white) if white else _flatten(strip, profile)
        if orientation in _TURNED:
            view[:, top : top + rows] = np.asarray(strip.transpose(Image.Transpose.TRANSPOSE))
        else:
            view[top : top + rows] = np.asarray(strip)
    return pixels


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; decoders that turn the image themselves leave none behind."""
    try:
        return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF is no reason to refuse the photo
        return 1


def _white_level(image: Image.Image) -> float | None:
    """The value shown as white in a grey image of more than 8 bits, None for other images."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode not in ("I", "F"):
        return None
    largest = float(np.nan_to_num(np.array(image.getextrema()), nan=1.0, posinf=1.0).max())
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    return next((level for level in usual if largest <= level), largest)


def _grey(image: Image.Image, white: float) -> Image.Image:
    levels = np.nan_to_num(np.asarray(image, np.float32)) * (255 / white)
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8)).convert("RGB")


def _flatten(image: Image.Image, profile: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """RGB, in sRGB if there is a profile, on white where transparent."""
    if not image.has_transparency_data:
        return profile.apply(image) if profile else image.convert("RGB")
    layer = image.convert("RGBA")
    alpha = layer.getchannel("A")
    color = layer.convert("RGB")
    if profile:
        color = profile.apply(color)
    return Image.composite(color, Image.new("RGB", image.size, "white"), alpha)


def _profile_transform(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """From the embedded colour profile to sRGB, None where there is none that fits the pixels or it is sRGB itself."""
    data = image.info.get("icc_profile")
    mode = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "L": "L"}.get(image.mode)
    if not data or not mode:
        return None
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(data))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return None
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):  # broken, or for other channels: it says nothing about these colours
        return None
