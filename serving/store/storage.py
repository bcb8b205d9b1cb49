"""All files of the site: a folder, or any store that fsspec knows, such as S3."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from deep3d.files.whole_file import written_whole
from serving.errors import SettingsError, StorageError, StorageFull

DELETE_ATTEMPTS = 4
DELETE_PAUSE_SECONDS = 0.05

PROBES = "probes"  # folder of the small files that are written to see whether that is possible

_FULL = (errno.ENOSPC, errno.EDQUOT)


def keep_files_private(data_dir: Path) -> None:
    """Let nobody but the user of this process read the files that it writes from now on, and what is in its folder."""
    os.umask(0o077)
    with suppress(OSError):  # not there yet, or another user's
        data_dir.chmod(0o700)


def is_full(error: Exception) -> bool:
    """Whether an error of any part of the site says that there is no room on a disk."""
    return (
        isinstance(error, StorageFull)
        or (isinstance(error, OSError) and error.errno in _FULL)
        or "disk is full" in str(error)  # SQLite
    )


class Storage:
    """Files under names such as `jobs/12/photos/0.jpg`.

    Every method raises StorageFull where there is no room, StorageError where the store cannot be reached, and
    FileNotFoundError where the file is not there.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, root = fsspec.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise SettingsError(f"DEEP3D_STORAGE_URL: {error}; give file:///folder or s3://bucket/folder") from error
        self._root = root.rstrip("/")
        self._is_local = isinstance(self._files, LocalFileSystem)

    def write(self, name: str, content: bytes) -> None:
        """Write a file; its readers see it whole or not at all."""
        with _told():
            path = self._new(name)
            if self._is_local:
                with written_whole(Path(path)) as partial:
                    partial.write_bytes(content)
            else:
                self._files.pipe_file(path, content)

    def move_folder(self, name: str, folder: Path) -> None:
        """Move the files of a local folder into a folder of the store, each whole or not at all."""
        with _told():
            for file in sorted(folder.iterdir()):
                path = self._new(f"{name}/{file.name}")
                if self._is_local:
                    with written_whole(Path(path)) as partial:
                        shutil.move(file, partial)
                else:
                    self._files.put_file(str(file), path)
                    file.unlink()

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with _told():
            return self._files.cat_file(self._path(name))

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """A stream of a file, and its size in bytes."""
        with _told():
            path = self._path(name)
            return self._files.open(path, "rb"), int(self._files.size(path) or 0)

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        with _told():
            return self._files.exists(self._path(name))

    def size(self, name: str) -> int:
        """The bytes of all files in a folder; 0 where there is none."""
        with _told():
            path = self._path(name)
            self._files.invalidate_cache()
            try:
                return int(self._files.du(path)) if self._files.exists(path) else 0
            except FileNotFoundError:  # removed in the same moment
                return 0

    def delete(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where there is none."""
        with _told():
            for _ in range(DELETE_ATTEMPTS - 1):
                try:
                    return self._delete(self._path(name))
                except OSError:  # somebody has written into the folder, or removed files of it, in the same moment
                    time.sleep(DELETE_PAUSE_SECONDS)
            self._delete(self._path(name))

    def names(self) -> list[str]:
        """All files, in no order."""
        with _told():
            found = self._files.find(self._root)
            return [path.removeprefix(self._root).lstrip("/") for path in found]

    def check(self) -> None:
        """Write, read and remove a small file."""
        name = f"{PROBES}/{uuid4().hex}"  # its own, however many look at once
        self.write(name, b"deep3d")
        self.read(name)
        self.delete(name)

    def free_bytes(self) -> int | None:
        """Free disk space, None where the store is not a local folder."""
        if not self._is_local:
            return None
        with _told():
            self._files.makedirs(self._root, exist_ok=True)
            return shutil.disk_usage(self._root).free

    def room(self) -> tuple[int, int] | None:
        """Free and all bytes of the disk, None where the store is not a local folder."""
        if not self._is_local:
            return None
        with _told():
            self._files.makedirs(self._root, exist_ok=True)
            usage = shutil.disk_usage(self._root)
            return usage.free, usage.total

    def _delete(self, path: str) -> None:
        self._files.invalidate_cache()
        if self._files.exists(path):
            self._files.rm(path, recursive=True)

    def _new(self, name: str) -> str:
        """The path of a file that is about to be written, in a folder that is there."""
        path = self._path(name)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return path

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def _told() -> Iterator[None]:
    """Errors of any store as the two that the site knows."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # each kind of store has its own
        if is_full(error):
            raise StorageFull("There is no room for more files at the moment. Please try again later.") from error
        raise StorageError("Files cannot be stored or read at the moment. Please try again later.") from error
