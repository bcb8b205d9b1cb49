"""Result folders: all files of a face at once, or none of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from deep3d.drawing import write_overlay
from deep3d.errors import OutputNotWritable
from deep3d.export.face_json import write_json
from deep3d.export.gltf import write_glb
from deep3d.export.mat import write_mat
from deep3d.export.obj import write_obj
from deep3d.export.ply import write_ply
from deep3d.reconstruction import Reconstruction

WRITERS: dict[str, Callable[[Reconstruction, Path], None]] = {
    "overlay": write_overlay,  # the slowest first, so that the others are written beside it
    "obj": write_obj,
    "glb": write_glb,
    "ply": write_ply,
    "json": write_json,
    "mat": write_mat,
}
FORMATS = tuple(WRITERS)
DEFAULT_FORMATS = tuple(name for name in FORMATS if name != "mat")

_RESULT_FILES = set(
    "face.obj face.mtl texture.png face.glb albedo.png face.ply face.json overlay.jpg "
    "face_pytorch.mat face_tensorflow.mat".split()
)
_UNTEXTURED = {"json", "mat"}
_THREADS = 2  # encoding and drawing leave the interpreter free most of the time


def write_results(
    reconstruction: Reconstruction, folder: str | Path, formats: Collection[str] = DEFAULT_FORMATS
) -> None:
    """Write the files of one face into a folder, which is replaced whole and at once.

    Raises: OutputNotWritable; the folder is then as it was before. ValueError for an unknown format.
    """
    with replaced(Path(folder)) as partial:
        _write(reconstruction, partial, formats)


def write_faces(
    reconstructions: Sequence[Reconstruction], folder: str | Path, formats: Collection[str] = DEFAULT_FORMATS
) -> list[Path]:
    """Write the faces of one photo: one into the folder itself, several into its face-1, face-2, ... in their order.

    Gives the folder of each face. Raises: as `write_results`.
    """
    folder = Path(folder)
    names = [f"face-{number}" for number in range(1, len(reconstructions) + 1)] if len(reconstructions) > 1 else ["."]
    with replaced(folder) as partial:
        for reconstruction, name in zip(reconstructions, names):
            (partial / name).mkdir(exist_ok=True)
            _write(reconstruction, partial / name, formats)
    return [folder / name for name in names]


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new empty folder beside `folder` to write into; it takes that place in the end, or vanishes after an error.

    Only an empty folder is replaced, or one that holds an earlier result, and that with whatever else lies in it.

    Raises: OutputNotWritable.
    """
    folder = Path(folder).resolve()
    partial = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.partial")
    try:
        _require_replaceable(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        _exchange(partial, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputNotWritable(
            f"{folder}: results cannot be written there ({reason}); choose another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_replaceable(folder: Path) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise OutputNotWritable(f"{folder}: a file, where a folder of results should be; choose another folder")
        return
    result = any((folder / name).is_file() for name in ("face.json", "face-1/face.json"))
    if not result and not {path.name for path in folder.iterdir()} <= _RESULT_FILES:
        raise OutputNotWritable(f"{folder}: holds other files than results, none is replaced; choose another folder")


def _exchange(partial: Path, folder: Path) -> None:
    """Put `partial` where `folder` is; the old one is kept until the new one is there."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = partial.with_suffix(".old")
    try:
        folder.rename(old)
        partial.rename(folder)
    finally:  # also when interrupted in between
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _write(reconstruction: Reconstruction, folder: Path, formats: Collection[str]) -> None:
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ValueError(f"unknown format {min(unknown)!r}; choose from {', '.join(FORMATS)}")
    if set(formats) - _UNTEXTURED:
        _ = reconstruction.texture  # all the others need it, and at the same time both threads would compute it
    with ThreadPoolExecutor(_THREADS) as pool:
        written = [pool.submit(WRITERS[name], reconstruction, folder) for name in FORMATS if name in formats]
    for each in written:
        each.result()
