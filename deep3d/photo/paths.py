"""Find the photos for given paths: files, folders of photos, and errors for anything else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from deep3d.errors import PhotoMissing

SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .heic .heif .hif .avif .tif .tiff .bmp .gif .jp2 .ppm .pgm".split()
)
"""Suffixes of the files that `find_photos` accepts."""

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+):/+|^(data):", re.IGNORECASE)
_MOST_NAMED = 3  # folders in a message
_LONGEST = 200  # characters of an address
_DEEPEST = 5  # levels at which they are looked for


def find_photos(paths: Iterable[str | Path]) -> list[Path]:
    """The given files, and for each folder the photos directly in it, sorted by name.

    Files are not opened, and a folder without photos stays in the list: `read_photo` reports what is wrong with each.

    Raises: PhotoMissing if none of the paths leads to a file.
    """
    found: list[Path] = []
    missing: list[PhotoMissing] = []
    for path in map(Path, paths):
        try:
            if os.path.isdir(path):  # unlike Path.is_file, also False without permission
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
    """The photos directly in a folder, sorted by name.

    Raises: PhotoMissing if there are none; the message names subfolders with photos.
    """
    try:
        inside = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise PhotoMissing(f"{folder}: cannot list this folder ({error.strerror}); check its permissions") from error
    photos = [path for path in inside if _looks_like_photo(path)]
    if photos:
        return photos
    pattern = os.fspath(folder)
    for _ in range(_DEEPEST):
        pattern = os.path.join(pattern, "*")
        folders = [path for path in inside if _holds_photos(path)]
        if folders:
            some = [str(path.relative_to(folder)) for path in folders[:_MOST_NAMED]]
            named = ", ".join([*some, "..."] if len(folders) > _MOST_NAMED else some)
            raise PhotoMissing(
                f"{folder}: no photos in this folder, only in its subfolders ({named}); name these: {pattern}"
            )
        inside = [path for outer in inside for path in _visible_in(outer)]
    raise PhotoMissing(f"{folder}: no photos in this folder; supported formats: {', '.join(sorted(SUFFIXES))}")


def no_such_file(path: Path) -> PhotoMissing:
    """The error for a photo whose path does not exist."""
    return PhotoMissing(told_missing(path, "photo"))


def told_missing(path: Path, what: str) -> str:
    """What to say of a path that does not exist, which may be a web address: of those Path drops a slash."""
    text = str(path)
    if scheme := _ADDRESS.match(text):
        kind, rest = scheme[1] or scheme[2], text[scheme.end() :]
        if kind.lower() == "file":
            return f"file:///{rest}: an address, not a path; write /{rest}"
        address = f"{kind}{':' if scheme[2] else '://'}{rest}"
        return f"{address[:_LONGEST]}: a web address, not a file; download the {what} and name the file"
    return f"{path}: no such file; check the path"


def _looks_like_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _holds_photos(path: Path) -> bool:
    return any(map(_looks_like_photo, _visible_in(path)))


def _visible_in(path: Path) -> list[Path]:
    """What lies in a folder, sorted by name; nothing for a hidden one, a file, and what nobody may look into."""
    try:
        return sorted(path.iterdir()) if path.is_dir() and not path.name.startswith(".") else []
    except OSError:
        return []
