"""The shipped face model, checkpoints and sample photo: in a wheel, or in the folders of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def asset(folder: str, name: str) -> Path:
    """Path of a shipped file of `bfm/`, `checkpoints/` or `docs/sample/`; it may not exist."""
    installed = _PACKAGE / "data" / folder / name
    return installed if installed.exists() else _PACKAGE.parent / folder / name


def sample_photo() -> Path:
    """Path of a photo of a face in the public domain, which each installation has."""
    return asset("docs/sample", "astronaut.jpg")
