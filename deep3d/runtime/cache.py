"""The user's folder for what can be made again, and what takes longer to make than to read from there."""

from __future__ import annotations

import os
import platform
import time
import zlib
from contextlib import suppress
from pathlib import Path

from deep3d.files.whole_file import PARTIAL, written_whole

_MOST = 4  # kept things: two networks for each of two plans
_SUFFIX = ".kept"
_ABANDONED = 3600  # seconds after which a file that is not whole is that of a process which was killed
_CHECKSUM = 4  # bytes before the content


def cache_folder() -> Path:
    """The folder, which may not be there yet."""
    home = Path(os.path.expanduser("~"))  # Path.home() raises an error for a user who has none
    if platform.system() == "Windows":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "deep3d" / "Cache"
    if platform.system() == "Darwin":
        return home / "Library" / "Caches" / "deep3d"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "deep3d"


def read_kept(name: str) -> bytes | None:
    """What was kept under a name; None if there is nothing, or not all of it."""
    path = cache_folder() / (name + _SUFFIX)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # the folder may be only to be read
        os.utime(path)  # the one that was not used for the longest time is the next to go
    content, checksum = content[_CHECKSUM:], content[:_CHECKSUM]
    return content if zlib.crc32(content).to_bytes(_CHECKSUM, "big") == checksum else None


def keep(name: str, content: bytes) -> None:
    """Keep it for `read_kept`, and only the last few; where nothing can be written nothing happens."""
    folder = cache_folder()
    if not folder.is_absolute():  # the user has no home
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / (name + _SUFFIX)) as partial, partial.open("wb") as file:
            file.write(zlib.crc32(content).to_bytes(_CHECKSUM, "big"))
            file.write(content)
        kept = sorted(folder.glob("*" + _SUFFIX), key=lambda path: path.stat().st_mtime, reverse=True)
        left = [path for path in folder.glob(PARTIAL + "*") if path.stat().st_mtime < time.time() - _ABANDONED]
        for path in kept[_MOST:] + left:
            path.unlink(missing_ok=True)
