"""The files of a face on the site: those of the library, and what its page shows first."""

from __future__ import annotations

from pathlib import Path

from deep3d import Reconstruction, write_results, write_web


def write_files(face: Reconstruction, folder: Path) -> None:
    """Write all files of a face into a new folder.

    Raises: OutputError.
    """
    write_results(face, folder)
    write_web(face, folder)
