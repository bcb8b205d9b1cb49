"""depth.png, depth.npy, normals.png and depth_mesh.obj: a face as maps of its crop, and its visible surface."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deep3d.camera import CROP_SIZE, Camera
from deep3d.dense import DenseMaps, depth_to_mesh
from deep3d.errors import DepthInvalid, OutputNotWritable
from deep3d.export.images import jpeg, png
from deep3d.export.obj import mesh_files
from deep3d.files.whole_file import written_whole
from deep3d.mesh import MILLIMETRES
from deep3d.reconstruction import Reconstruction

_LEVELS = 65535  # of a 16-bit PNG
_FINEST = 0.01  # millimetres


def write_depths(
    faces: Sequence[Reconstruction], maps: DenseMaps, folder: str | Path, fill_holes: bool = False
) -> list[Path]:
    """Write the files of the faces of one photo: one into the folder, several into its face-1, face-2, ...

    Gives the folder of each face. Files appear whole; other files in the folders stay.

    Raises: OutputNotWritable; DepthInvalid if no part of a face is visible.
    """
    folder = Path(folder)
    folders = [folder / f"face-{number + 1}" for number in range(len(faces))] if len(faces) > 1 else [folder]
    for number, (face, into) in enumerate(zip(faces, folders, strict=True)):
        _write_whole(depth_files(face, maps, number, fill_holes), into)
    return folders


def depth_files(face: Reconstruction, maps: DenseMaps, number: int, fill_holes: bool = False) -> dict[str, bytes]:
    """The files, by name, of the face with this number in the maps.

    Raises: DepthInvalid if no part of it is visible.
    """
    depth, normals = crop_depth(face, maps, number)
    if not np.isfinite(depth).any():
        raise DepthInvalid(f"{face.photo.name}: no skin is visible in the face; use another photo")
    mesh = depth_to_mesh(depth, face.camera, fill_holes=fill_holes)
    array = io.BytesIO()
    np.save(array, depth)
    known = np.isfinite(depth)[..., None]
    return {
        "depth.npy": array.getvalue(),
        "depth.png": _depth_image(depth, face.camera),
        "normals.png": png(np.where(known, np.rint((normals + 1) * 127.5), 0).astype(np.uint8)),
        "depth_mesh.jpg": jpeg(face.crop.image),
        **mesh_files(mesh, "depth_mesh", "depth_mesh.jpg"),
    }


def crop_depth(face: Reconstruction, maps: DenseMaps, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Depths (224, 224) float32 in millimetres from the camera, NaN where the face is not visible, and unit normals."""
    surface = maps.surface
    seen = _larger(maps.seen[number, ..., None].astype(np.float32))[..., 0] > 0.5
    distance = face.camera.distance - float(face.coefficients.translation[0, 2])
    depth = (distance - _larger(surface.height[number, ..., None])[..., 0]) * MILLIMETRES
    normals = _larger(surface.normals[number])
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(seen, depth, np.nan).astype(np.float32), normals / np.maximum(length, 1e-6)


def _depth_image(depth: np.ndarray, camera: Camera) -> bytes:
    """A PNG of 16 bits, 0 where there is no depth; its text chunk has the size of a step and the camera."""
    step = max(1, math.ceil(float(np.nanmax(depth)) / _LEVELS / _FINEST)) * _FINEST
    text = PngInfo()
    text.add_text("Unit", "millimetres from the camera")
    text.add_text("Scale", f"{step:.6g}")
    text.add_text("FocalLengthPx", f"{camera.focal_length_px:.6g}")
    text.add_text("PrincipalPoint", f"{camera.column:.6g} {camera.row:.6g}")
    buffer = io.BytesIO()
    levels = np.nan_to_num(np.rint(depth / step), nan=0).astype(np.uint16)
    Image.fromarray(levels).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def _larger(maps: np.ndarray) -> np.ndarray:
    """Maps (S, S, C) at the crop's resolution, bilinear."""
    size = len(maps)
    place = (np.arange(CROP_SIZE) + 0.5) * size / CROP_SIZE - 0.5
    first = np.clip(np.floor(place).astype(int), 0, size - 2)
    share = np.clip(place - first, 0, 1).astype(np.float32)
    rows = maps[first] * (1 - share[:, None, None]) + maps[first + 1] * share[:, None, None]
    share = share[:, None]
    return rows[:, first] * (1 - share) + rows[:, first + 1] * share


def _write_whole(files: dict[str, bytes], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with written_whole(folder / name) as partial:
                partial.write_bytes(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputNotWritable(f"{folder}: depth cannot be written there ({reason}); choose another folder") from error
