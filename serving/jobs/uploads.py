"""What people send, made safe: every photo is decoded here, and only its pixels are kept.

The web process does this with the library's own reader, the one place that is hardened against hostile files; it needs
no torch. Metadata (places, names, devices) ends here.
"""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass
from email.utils import parseaddr
from typing import IO
from urllib.parse import urlsplit

from PIL import Image

from deep3d import Deep3DError, read_photo
from serving.errors import Refused
from serving.jobs import reasons
from serving.language import N_
from serving.settings import Settings

LONGEST_SIDE = 4096  # pixels that are kept: twice what a texture of a face that fills the photo can show
JPEG_QUALITY = 95
LONGEST_NAME = 100  # characters
LONGEST_ADDRESS = 254  # characters of a mail address

TOO_LARGE = N_("%(name)s: larger than %(size)s MB; please send a smaller version.")

_one_at_a_time = threading.Lock()  # the largest photos take hundreds of megabytes while they are decoded
_MAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s\"(),:;<>\[\\\]]+\.[^@\s\"(),:;<>\[\\\].]{2,}")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class CleanPhoto:
    """A photo that the site keeps."""

    name: str  # as the person called it, without folders and control characters
    jpeg: bytes  # upright, sRGB, no metadata
    width: int
    height: int


def clean_photos(files: list[tuple[str, IO[bytes]]], settings: Settings) -> list[CleanPhoto]:
    """The photos of one form, given by name and stream.

    Raises: Refused, for the first that cannot be taken.
    """
    if not files:
        raise Refused("photo", N_("Please choose a photo."))
    if len(files) > settings.max_photos:
        raise Refused(
            "photo",
            N_("%(sent)s photos are too many; please send %(most)s at most."),
            413,
            sent=len(files),
            most=settings.max_photos,
        )
    return [_clean_photo(clean_name(name), stream, settings) for name, stream in files]


def clean_name(name: str) -> str:
    """The last part of a path of any system, for people to recognise their photo by."""
    last = _NOT_IN_NAMES.sub("", name).replace("\\", "/").rpartition("/")[2].strip()
    return last[-LONGEST_NAME:] or "photo"


def clean_email(text: str) -> str | None:
    """A mail address, None for an empty field.

    Raises: Refused.
    """
    address = text.strip()
    if not address:
        return None
    parsed = parseaddr(address)[1]
    if len(address) > LONGEST_ADDRESS or parsed != address or not _MAIL.fullmatch(address) or not address.isprintable():
        raise Refused("email", N_("This does not look like a mail address; please check it, or leave it empty."))
    return address


def clean_webhook(text: str, settings: Settings) -> str | None:
    """The address of a webhook, None for an empty field.

    Raises: Refused.
    """
    address = text.strip()
    if not address:
        return None
    if not settings.webhook_key:
        raise Refused("webhook", "This site sends no webhooks.")
    try:
        parts = urlsplit(address)
        valid = parts.scheme == "https" and parts.hostname and not parts.username and parts.port in (None, 443)
    except ValueError:
        valid = False
    if not valid or len(address) > 500 or not address.isascii() or not address.isprintable():
        raise Refused("webhook", "Please give an https:// address on its usual port, without a user name.")
    return address


def _clean_photo(name: str, stream: IO[bytes], settings: Settings) -> CleanPhoto:
    content = stream.read(int(settings.max_photo_mb * 1e6) + 1)
    if not content:
        raise Refused("photo", N_("%(name)s: the file is empty; please choose a photo."), name=name)
    if len(content) > settings.max_photo_mb * 1e6:
        raise Refused("photo", TOO_LARGE, 413, name=name, size=f"{settings.max_photo_mb:g}")
    with _one_at_a_time:
        _check_size(name, content, settings)
        try:
            pixels = read_photo(content, name).pixels
        except Deep3DError as error:
            raise Refused("photo", reasons.of_error(error), name=name) from error
        image = Image.fromarray(pixels)
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        jpeg = io.BytesIO()
        image.save(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return CleanPhoto(name, jpeg.getvalue(), image.width, image.height)


def _check_size(name: str, content: bytes, settings: Settings) -> None:
    """Before anything is decoded; what has no readable header is left for the decoder to explain."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        width, height = settings.max_photo_megapixels * 1e6, 2
    except Exception:  # Pillow raises anything at all on damaged files
        return
    if width * height > settings.max_photo_megapixels * 1e6:
        raise Refused(
            "photo",
            N_("%(name)s: more than %(size)s megapixels; please send a smaller version."),
            413,
            name=name,
            size=f"{settings.max_photo_megapixels:g}",
        )
