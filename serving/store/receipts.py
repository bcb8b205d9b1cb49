"""Receipts: what servers have taken, on the worker's own disk at once.

The database may be away when a server takes a notice, and the worker may die before it has noted that. A receipt is an
empty file that is named after its notice; whoever sends next notes all receipts first.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)


class Receipts:
    """Those in a data folder, of all workers that share it."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir.absolute() / "receipts"

    def keep(self, digest: str, notice_id: int) -> None:
        """Keep one, of a notice of the job with that digest, first of all against the death of this process."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path(digest, notice_id), os.O_CREAT | os.O_WRONLY, 0o600))
            folder = os.open(self._root, os.O_RDONLY)
            try:
                os.fsync(folder)  # and against that of the machine
            finally:
                os.close(folder)
        except OSError as error:  # a full disk: the database alone knows it then
            _log.warning("a notice is sent, and its receipt cannot be kept (%s)", error.strerror)

    def all(self) -> Iterator[tuple[str, int]]:
        """The digest of the job, and the number of the notice, of each."""
        with suppress(FileNotFoundError):  # nothing has been sent yet
            for name in sorted(os.listdir(self._root)):
                digest, _, number = name.rpartition("-")
                yield digest, int(number)

    def older_than(self, seconds: float) -> list[str]:
        """The names of those that have been kept for longer, which nobody seems to note."""
        latest = time.time() - seconds
        with suppress(FileNotFoundError):  # one is dropped at the moment
            return sorted(path.name for path in self._root.glob("*") if path.stat().st_mtime < latest)
        return []

    def drop(self, digest: str, notice_id: int) -> None:
        """Drop one that the database knows of."""
        self._path(digest, notice_id).unlink(missing_ok=True)

    def _path(self, digest: str, notice_id: int) -> Path:
        return self._root / f"{digest}-{notice_id}"
