"""Writing result folders: all files of a face at once, or none of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deep3d.drawing import write_overlay
from deep3d.export.face_json import write_json
from deep3d.export.gltf.face import write_glb
from deep3d.export.hair import write_hair_obj
from deep3d.export.mat import write_mat
from deep3d.export.material import write_material
from deep3d.export.obj import write_obj
from deep3d.export.ply import write_ply
from deep3d.export.replacing import replaced
from deep3d.material import Material, separate
from deep3d.reconstruction import Reconstruction
from deep3d.runtime.cores import one_blas_thread


def _write_objs(reconstruction: Reconstruction, folder: Path) -> None:
    """The head alone, and its hair beside it."""
    write_obj(reconstruction, folder)
    write_hair_obj(reconstruction, folder)


WRITERS: dict[str, Callable[[Reconstruction, Path], None]] = {
    "overlay": write_overlay,  # the slowest first, so that the others are written in parallel
    "obj": _write_objs,
    "glb": write_glb,
    "ply": write_ply,
    "json": write_json,
    "mat": write_mat,
    "material": lambda face, folder: write_material(face, separate(face), folder),
}
FORMATS = tuple(WRITERS)
DEFAULT_FORMATS = tuple(name for name in FORMATS if name not in ("mat", "material"))

_UNTEXTURED = {"json", "mat"}
_THREADS = 2  # encoding and drawing leave the interpreter free most of the time


def write_results(
    reconstruction: Reconstruction, folder: str | Path, formats: Collection[str] = DEFAULT_FORMATS
) -> None:
    """Write the files of one face into a folder, replacing those of an earlier result; other files in it stay.

    Raises: OutputNotWritable; the folder is then as it was before. ValueError for an unknown format.
    """
    with replaced(Path(folder)) as partial:
        _write(reconstruction, partial, formats)


def write_faces(
    reconstructions: Sequence[Reconstruction],
    folder: str | Path,
    formats: Collection[str] = DEFAULT_FORMATS,
    material: Material | None = None,
) -> list[Path]:
    """Write the faces of one photo: one into the folder itself, several into its face-1, face-2, ... in their order.

    `material` is that of a single face where other photos had a say in it; else each photo's light is taken off by
    itself. Gives the folder of each face. Raises: like `write_results`.
    """
    folder = Path(folder)
    names = [f"face-{number}" for number in range(1, len(reconstructions) + 1)] if len(reconstructions) > 1 else ["."]
    with replaced(folder) as partial:
        for reconstruction, name in zip(reconstructions, names):
            (partial / name).mkdir(exist_ok=True)
            _write(reconstruction, partial / name, formats, material)
    return [folder / name for name in names]


def _write(
    reconstruction: Reconstruction, folder: Path, formats: Collection[str], material: Material | None = None
) -> None:
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ValueError(f"unknown format {min(unknown)!r}; choose from {', '.join(FORMATS)}")
    if set(formats) - _UNTEXTURED:
        # All the others need them, and at the same time both threads would compute both.
        with one_blas_thread, ThreadPoolExecutor(1) as pool:
            hair = pool.submit(lambda: reconstruction.hair)
            _ = reconstruction.texture
            hair.result()
    writers = dict(WRITERS)
    if material is not None:
        writers["material"] = lambda face, folder: write_material(face, material, folder)
    with ThreadPoolExecutor(_THREADS) as pool:
        written = [pool.submit(writers[name], reconstruction, folder) for name in FORMATS if name in formats]
    for each in written:
        each.result()
