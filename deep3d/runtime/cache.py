"""The user's cache folder, for results that take longer to compute than to read."""

from __future__ import annotations

import mmap
import os
import platform
import time
import zlib
from contextlib import suppress
from pathlib import Path

from deep3d.files.whole_file import PARTIAL, written_whole

_MOST = 6  # entries: regressor, refiner and dense network, in each of two precisions
_SUFFIX = ".kept"
_ABANDONED = 3600  # seconds after which an unfinished file belongs to a killed process
_CHECKSUM = 4  # bytes behind the content


def cache_folder() -> Path:
    """The folder, which may not exist yet."""
    home = Path(os.path.expanduser("~"))  # Path.home() raises for a user without a home
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
    """The entry of a name; None if there is none, or it is incomplete."""
    path = cache_folder() / (name + _SUFFIX)
    try:
        with path.open("rb") as file:  # "copy": what takes it wants to be able to write, and never does
            kept = Kept(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    except (OSError, ValueError):  # no file, an empty one
        return None
    with suppress(OSError):  # the folder may be read-only
        os.utime(path)  # the least recently used entry is removed next
    return kept if kept.is_whole else None


def keep(name: str, content: bytes) -> None:
    """Store an entry for `read_kept` and keep only the last few; does nothing if the folder is not writable."""
    folder = cache_folder()
    if not folder.is_absolute():  # a user without a home
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
