"""Files that appear whole under their name, or not at all, and folders that stay only if something is in them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial-"  # prefix of files that are being written or that a killed process left behind


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, with the same suffix; it takes its place at the end, or is removed on an error.

    Threads and processes can write at the same time: the last one wins.
    """
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def kept_if_used(folder: Path) -> Iterator[None]:
    """Make a folder for the block; if it is new, and nothing is in it at the end, it goes again with its new parents.

    Raises: OSError.
    """
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in new:
            with suppress(OSError):  # not empty
                each.rmdir()
