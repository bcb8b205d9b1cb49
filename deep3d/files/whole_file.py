"""Files that appear whole under their name, or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial-"  # how the names of files begin that are being written, or that a killed process has left


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, with the same suffix; it takes that place in the end, or vanishes on an error.

    Threads and processes that write at the same time do not meet: the last one stays.
    """
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
