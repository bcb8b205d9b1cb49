"""A file that holds room on a disk, which is given up for what must be possible when the disk is full: deletion."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RESERVE_BYTES = 2_000_000  # some deletions in SQLite's write-ahead log, before it is emptied again


class Reserve:
    """The room of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Take the room, if it is not taken; later, where the disk is full."""
        with suppress(OSError):
            if self._path.stat().st_size >= RESERVE_BYTES:
                return
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            partial.write_bytes(bytes(RESERVE_BYTES))  # a hole would hold nothing
            partial.replace(self._path)
        except OSError:
            with suppress(OSError):
                partial.unlink()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Leave the room to others for the block."""
        with suppress(OSError):
            self._path.unlink()
        try:
            yield
        finally:
            self.fill()
