"""Result folders are replaced all at once: deep3d's own files of an earlier result are removed, other files stay."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from deep3d.errors import OutputNotWritable

RESULT_FILES = frozenset(
    "face.obj face.mtl texture.png face.glb albedo.png face.ply face.json overlay.jpg displacement.npy "
    "hair.obj hair.mtl hair.png face_pytorch.mat face_tensorflow.mat "
    "face_material.glb base_color.png normal.png roughness.png specular.png light.hdr light.json".split()
)
_FACE_FOLDER = re.compile(r"face-\d+")  # of one of several faces


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new empty folder beside `folder` to write into; it takes its place at the end, or is removed after an error.

    Only files of an earlier result are replaced; new files are moved in among other ones. Files that merely have the
    names of results, in a folder with other files, are never replaced.

    Raises: OutputNotWritable; the folder is then as it was before.
    """
    folder = Path(folder).resolve()
    partial = folder.with_name(f".{uuid4().hex}.partial")
    try:
        _require_replaceable(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        _exchange(partial, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputNotWritable(
            f"{folder}: results cannot be written here ({reason}); choose another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def other_files(folder: Path) -> list[Path]:
    """The files in a result folder that are not deep3d's, by path in the folder; a folder stands for its content."""
    _, others = _sorted_out(folder)
    return others


def _sorted_out(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of a result, of one face or several, and the other files in the folder."""
    ours: list[Path] = []
    others: list[Path] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        inside = sorted(path.iterdir()) if _FACE_FOLDER.fullmatch(path.name) and path.is_dir() else [path]
        for each in inside:
            kind = ours if each.name in RESULT_FILES and not each.is_dir() else others
            kind.append(each.relative_to(folder))
    return ours, others


def _require_replaceable(folder: Path) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise OutputNotWritable(f"{folder}: a file, not a folder for results; choose another folder")
        return
    result = any((folder / name).is_file() for name in ("face.json", "face-1/face.json"))
    ours, others = _sorted_out(folder)
    taken = [
        *ours,
        *(path for path in others if path.parts[0] in RESULT_FILES or _FACE_FOLDER.fullmatch(path.parts[0])),
    ]
    if taken and others and not result:
        raise OutputNotWritable(
            f"{folder}: has other files named like results ({taken[0]}), refused to overwrite; choose another folder"
        )


def _exchange(partial: Path, folder: Path) -> None:
    """Put `partial` where `folder` is, or its files there; the old ones are kept until the new ones are there."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = partial.with_suffix(".old")
    ours, others = _sorted_out(folder)
    try:
        if others:
            _exchange_files(partial, folder, old, ours)
            return
        folder.rename(old)
        partial.rename(folder)
    finally:  # also when interrupted in between
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _exchange_files(partial: Path, folder: Path, old: Path, ours: list[Path]) -> None:
    """Move our old files from `folder` to `old` and the new ones from `partial` to `folder`, or none of them."""
    new = sorted(path.relative_to(partial) for path in partial.rglob("*") if path.is_file())
    moved: list[tuple[Path, Path]] = []
    try:
        for source, target, paths in ((folder, old, ours), (partial, folder, new)):
            for path in paths:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                moved.append((source / path, target / path))
                (source / path).rename(target / path)
    except BaseException:
        for source, target in reversed(moved):
            with suppress(OSError):  # the last one was not moved
                target.rename(source)
        raise
    for path in ours:
        with suppress(OSError):  # not empty
            (folder / path).parent.rmdir()
