"""Which photos the paths mean that a person names: files, folders of them, and what to say of anything else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from deep3d.errors import PhotoMissing

SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .heic .heif .hif .avif .tif .tiff .bmp .gif .jp2 .ppm .pgm".split()
)
"""File names that `find_photos` takes for photos."""

_WEB_ADDRESS = re.compile(r"^(https?|ftp|data|file):/*", re.IGNORECASE)
_MOST_NAMED = 3  # folders in a message


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
                found += photos_in(path)
                continue
        except PhotoMissing as error:
            missing.append(error)
        else:
            if not os.path.lexists(path):
                missing.append(no_such_file(path))
        found.append(path)
    if found and len(missing) == len(found):
        raise missing[0]
    return found


def photos_in(folder: Path) -> list[Path]:
    """The photos right in a folder, sorted by name.

    Raises: PhotoMissing where there is none; the message names folders in it that have some.
    """
    try:
        inside = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise PhotoMissing(f"{folder}: cannot list this folder ({error.strerror}); check its permissions") from error
    photos = [path for path in inside if _looks_like_photo(path)]
    if photos:
        return photos
    folders = [path.name for path in inside if _holds_photos(path)]
    if folders:
        named = ", ".join(folders[:_MOST_NAMED]) + (", ..." if len(folders) > _MOST_NAMED else "")
        raise PhotoMissing(
            f"{folder}: no photos in this folder, only in its subfolders ({named}); name these: {folder}{os.sep}*"
        )
    raise PhotoMissing(f"{folder}: no photos in this folder; supported formats: {', '.join(sorted(SUFFIXES))}")


def no_such_file(path: Path) -> PhotoMissing:
    """The error for a path with nothing there."""
    text = str(path)
    if scheme := _WEB_ADDRESS.match(text):
        address = f"{scheme[1]}://{text[scheme.end() :]}"  # of which a path has dropped a slash
        return PhotoMissing(f"{address}: a web address, not a file; download the photo and name the file")
    return PhotoMissing(f"{path}: no such file; check the path")


def _looks_like_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _holds_photos(path: Path) -> bool:
    try:
        return path.is_dir() and not path.name.startswith(".") and any(map(_looks_like_photo, path.iterdir()))
    except OSError:
        return False
