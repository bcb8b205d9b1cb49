"""`deep3d backup` and `deep3d restore`: the embedded mode's database, files and key, in one archive."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from serving.errors import ServingError, SettingsError
from serving.settings import Settings

DATABASE, FILES, KEY = "deep3d.sqlite", "files", "secret_key"


def back_up(settings: Settings, archive: Path) -> None:
    """Write an archive, also while the site runs: first the database, since a file without its row is harmless.

    Raises: ServingError, SettingsError.
    """
    folder = _embedded(settings)
    if not (folder / DATABASE).is_file():
        raise ServingError(f"{folder}: no site there; set DEEP3D_DATA_DIR")
    if archive.exists():
        raise ServingError(f"{archive}: already exists; choose another name")
    partial = archive.with_name(f".{archive.name}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=archive.absolute().parent) as scratch:
            copy = Path(scratch) / DATABASE
            with closing(sqlite3.connect(folder / DATABASE)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            private = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(private, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
                tar.add(copy, DATABASE)
                for name in (KEY, FILES):
                    if (folder / name).exists():
                        tar.add(folder / name, name)
        partial.rename(archive)
    except OSError as error:
        raise ServingError(f"{archive}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


def restore(settings: Settings, archive: Path) -> None:
    """Put an archive into an empty data folder. Unfinished jobs then continue.

    Raises: ServingError, SettingsError.
    """
    folder = _embedded(settings)
    if folder.exists() and any(folder.iterdir()):
        raise ServingError(f"{folder}: not empty; set DEEP3D_DATA_DIR to a new folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise ServingError(f"{archive}: cannot be restored ({error}); is it a backup of deep3d?") from error


def _embedded(settings: Settings) -> Path:
    if settings.database_url or settings.storage_url:
        raise SettingsError("This site has a database or files of its own: docs/deployment.md says how to save those.")
    return settings.data_dir
