"""The user's folder for what can be made again at any time."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cache_folder() -> Path:
    """Where it is, whether it is there or not."""
    if platform.system() == "Windows":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "deep3d" / "Cache"
    if platform.system() == "Darwin":
        return Path.home() / "Library" / "Caches" / "deep3d"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deep3d"


def writable_cache(name: str) -> Path | None:
    """A folder in it, made if need be; None where nothing can be written."""
    folder = cache_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError for a user without a home
        return None
    return folder if os.access(folder, os.W_OK) else None
