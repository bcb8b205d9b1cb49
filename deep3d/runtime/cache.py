"""The user's folder for what can be made again, and what takes longer to make than to read from there."""

from __future__ import annotations

import mmap
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
_CHECKSUM = 4  # bytes behind the content


def cache_folder() -> Path:
    """The folder, which may not be there yet."""
    home = Path(os.path.expanduser("~"))  # Path.home() raises an error for a user who has none
    if platform.system() == "Windows":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "deep3d" / "Cache"
    if platform.system() == "Darwin":
        return home / "Library" / "Caches" / "deep3d"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "deep3d"


class Kept:
    """What was kept, mapped into memory: the system reads it when somebody does, and may forget it afterwards."""

    def __init__(self, file: mmap.mmap) -> None:
        self._file = file
        self.content = memoryview(file)[:-_CHECKSUM]

    @property
    def is_whole(self) -> bool:
        """Whether the content is what was kept."""
        return zlib.crc32(self.content).to_bytes(_CHECKSUM, "big") == self._file[-_CHECKSUM:]

    def forget(self) -> None:
        """Let go of the memory in which the content was read; it is read again if need be."""
        if hasattr(self._file, "madvise"):
            self._file.madvise(mmap.MADV_DONTNEED)


def read_kept(name: str) -> Kept | None:
    """What was kept under a name; None if there is nothing, or not all of it."""
    path = cache_folder() / (name + _SUFFIX)
    try:
        with path.open("rb") as file:  # "copy": what takes it wants to be able to write, and never does
            kept = Kept(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    except (OSError, ValueError):  # no file, an empty one
        return None
    with suppress(OSError):  # the folder may be only to be read
        os.utime(path)  # the one that was not used for the longest time is the next to go
    return kept if kept.is_whole else None


def keep(name: str, content: bytes) -> None:
    """Keep it for `read_kept`, and only the last few; where nothing can be written nothing happens."""
    folder = cache_folder()
    if not folder.is_absolute():  # the user has no home
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / (name + _SUFFIX)) as partial, partial.open("wb") as file:
            file.write(content)
            file.write(zlib.crc32(content).to_bytes(_CHECKSUM, "big"))
        kept = sorted(folder.glob("*" + _SUFFIX), key=lambda path: path.stat().st_mtime, reverse=True)
        left = [path for path in folder.glob(PARTIAL + "*") if path.stat().st_mtime < time.time() - _ABANDONED]
        for path in kept[_MOST:] + left:
            path.unlink(missing_ok=True)
