"""Where worker processes keep what is not finished yet: a folder of each in the data folder.

A process that is killed leaves pictures of people there; whoever sweeps next removes them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path


class Scratch:
    """The folders of all workers that share a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir.absolute() / "scratch"

    def use(self, worker_id: str) -> None:
        """Let everything temporary of this process lie in the folder of its worker."""
        folder = self._root / worker_id
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = str(folder)

    def leave(self, worker_id: str) -> None:
        """Remove the folder of a worker that has ended, and what it has left."""
        tempfile.tempdir = None
        shutil.rmtree(self._root / worker_id, ignore_errors=True)

    def sweep(self, at_work: Collection[str]) -> None:
        """Remove the folders of all but these workers."""
        for worker_id in self.owners():
            if worker_id not in at_work:
                shutil.rmtree(self._root / worker_id, ignore_errors=True)

    def owners(self) -> list[str]:
        """The workers that have a folder."""
        return sorted(path.name for path in self._root.glob("*"))
