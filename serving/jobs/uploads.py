"""What people send, made safe: of a photo only its pixels are kept, and metadata (places, names, devices) ends here.

The web process decodes nothing itself: confined processes do, with the library's own reader.
"""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import IO

from serving.confined import Overrun, Pool
from serving.confined.messages import Values
from serving.errors import Refused
from serving.jobs import reasons
from serving.language import N_
from serving.places import Places
from serving.settings import Settings

LONGEST_SIDE = 4096  # pixels that are kept: twice what a texture of a face that fills the photo can show
JPEG_QUALITY = 95
LONGEST_NAME = 100  # characters

TOO_LARGE = N_("%(name)s: larger than %(size)s MB; please send a smaller version.")
TOO_MANY_PIXELS = N_("%(name)s: more than %(size)s megapixels; please send a smaller version.")
TOO_MUCH = N_("%(name)s: this file takes too much time or memory to read; please save it as a new JPEG and send that.")

DECODERS = 2
LARGE_MB = 200  # of memory for one photo: such photos are read one at a time, and the others meanwhile
MOST_MB = 640  # of memory for one photo
WAITING = 24  # photos that wait for a decoder at most
WAITING_LARGE = 8  # large ones that wait for each other, beside these
PATIENCE_SECONDS = 20.0  # of each of them
LONGEST_SECONDS = 60.0  # for one photo, on a machine with much to do; it has its own limit of processor time
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class CleanPhoto:
    """A photo that the site keeps."""

    name: str  # as the person called it, without folders and control characters
    jpeg: bytes  # upright, sRGB, no metadata
    width: int
    height: int
    warnings: tuple[str, ...] = ()  # the library's, about the file that was sent


class Reader:
    """Reads photos in confined processes; one serves all threads of a process."""

    def __init__(self) -> None:
        self.pool = Pool(
            "serving.jobs.decoder",
            DECODERS,
            waiting=WAITING,
            patience=PATIENCE_SECONDS,
            seconds=LONGEST_SECONDS,
        )
        self.large = Places("photos", 1, waiting=WAITING_LARGE, patience=PATIENCE_SECONDS)

    def __call__(self, name: str, stream: IO[bytes], most_megapixels: float) -> CleanPhoto:
        """What the site keeps of a photo, whose file is read once there is a turn for it.

        Raises: Refused, Busy.
        """
        looked, _ = self._ask(name, stream, {"do": "look"})
        if looked["pixels"] > most_megapixels * 1e6:
            raise Refused("photo", TOO_MANY_PIXELS, 413, name=name, size=f"{most_megapixels:g}")
        if looked["megabytes"] > MOST_MB:
            raise Refused("photo", TOO_MUCH, 413, name=name)
        kept = {"longest_side": LONGEST_SIDE, "quality": JPEG_QUALITY}
        with self.large.take() if looked["megabytes"] > LARGE_MB else nullcontext():
            told, jpeg = self._ask(name, stream, {"do": "clean", "kept": kept})
        return CleanPhoto(name, jpeg, told["width"], told["height"], tuple(told["warnings"]))

    def _ask(self, name: str, stream: IO[bytes], call: Values) -> tuple[Values, bytes]:
        try:
            answer, jpeg = self.pool.call({**call, "most_mb": MOST_MB}, lambda: stream)
        except Overrun as error:
            raise Refused("photo", TOO_MUCH, name=name) from error
        if "error" in answer:
            raise Refused("photo", reasons.of_error_named(answer["error"]), name=name)
        return answer, jpeg


def clean_photos(files: list[tuple[str, IO[bytes]]], settings: Settings, read: Reader) -> list[CleanPhoto]:
    """The photos of one form, given by name and stream.

    Raises: Refused, for the first that cannot be taken; Busy.
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
    return [_clean_photo(clean_name(name), stream, settings, read) for name, stream in files]


def clean_name(name: str) -> str:
    """The last part of a path of any system, for people to recognise their photo by."""
    return legible(name.replace("\\", "/").rpartition("/")[2]) or "photo"


def legible(name: str) -> str:
    """A name without characters that change how others are shown, and not too long; possibly empty."""
    return _NOT_IN_NAMES.sub("", name).strip()[-LONGEST_NAME:]


def _clean_photo(name: str, stream: IO[bytes], settings: Settings, read: Reader) -> CleanPhoto:
    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise Refused("photo", N_("%(name)s: the file is empty; please choose a photo."), name=name)
    if size > settings.max_photo_mb * 1e6:
        raise Refused("photo", TOO_LARGE, 413, name=name, size=f"{settings.max_photo_mb:g}")

    return read(name, stream, settings.max_photo_megapixels)
