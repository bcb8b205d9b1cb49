"""The files of `deep3d draw`: one picture per photo and kind, with all faces of the photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from deep3d import drawing
from deep3d.drawing.turntable import RATE
from deep3d.errors import OutputNotWritable
from deep3d.export.images import png
from deep3d.export.scene import write_scene_obj, write_scene_ply
from deep3d.export.video import write_video
from deep3d.files.whole_file import written_whole
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction

Draw = Callable[[Sequence[Reconstruction], Photo | np.ndarray], np.ndarray]

PICTURES: dict[str, Draw] = {
    "2d_sparse": drawing.draw_landmarks,
    "2d_dense": drawing.draw_dense,
    "3d": drawing.draw_surface,
    "depth": drawing.draw_depth,
    "pncc": drawing.draw_pncc,
    "pose": drawing.draw_pose,
    "normals": drawing.draw_normals,
    "albedo": drawing.draw_albedo,
    "wireframe": drawing.draw_wireframe,
    "error": drawing.draw_error,
    "uncertainty": drawing.draw_uncertainty,
}
"""Pictures that can be drawn on a photo or on the frames of a video."""
MAPS = ("depth", "pncc", "normals")
"""Pictures whose colours are measures: they are PNG, the others JPEG."""
KINDS = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "uv_tex", "pose", "ply", "obj")
KINDS += ("normals", "albedo", "wireframe", "error", "uncertainty", "turntable")
"""The nine of 3DDFA_V2 by their names, and six more."""

DEEPEST = 65535  # of a 16-bit PNG
JPEG_QUALITY = 92


def write_drawings(
    faces: Sequence[Reconstruction],
    stem: Path,
    kinds: Sequence[str],
    look: str = "photo",
    light: str | Path | np.ndarray = drawing.STUDIO,
) -> list[Path]:
    """Write `stem`_KIND.EXT for each kind, with all faces of one photo, and give the paths.

    A turntable is in one of `drawing.LOOKS`, a relit one in the light of `drawing.relight`.

    Each file appears whole, in place of an older one. Depth is written as a picture, and in millimetres as
    16-bit PNG and as NumPy file, 0 where there is no head.

    Raises: OutputNotWritable; ValueError for an unknown kind; ExtraMissing for a turntable without PyAV.
    """
    written: list[Path] = []
    try:
        for kind in kinds:
            for suffix, write in _writers(faces, kind, look, light).items():
                path = stem.with_name(f"{stem.name}_{kind}{suffix}")
                with written_whole(path) as partial:
                    write(partial)
                written.append(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputNotWritable(f"{stem}: cannot be written ({reason}); choose another folder") from error
    return written


def _writers(
    faces: Sequence[Reconstruction], kind: str, look: str, light: str | Path | np.ndarray
) -> dict[str, Callable[[Path], object]]:
    """The writer of each file of a kind, by the suffix of its name."""
    photo = faces[0].photo
    if kind in PICTURES:
        encode, suffix = (png, ".png") if kind in MAPS else (_jpeg, ".jpg")
        files = {suffix: lambda path: path.write_bytes(encode(PICTURES[kind](faces, photo)))}
        return files | (_depth_files(faces, photo) if kind == "depth" else {})
    others: dict[str, dict[str, Callable[[Path], object]]] = {
        "uv_tex": {".jpg": lambda path: path.write_bytes(_jpeg(drawing.draw_uv_texture(faces)))},
        "ply": {".ply": lambda path: write_scene_ply(faces, path)},
        "obj": {".obj": lambda path: write_scene_obj(faces, path)},
        "turntable": {
            ".mp4": lambda path: write_video(path, drawing.draw_turntable(faces, look=look, light=light), RATE)
        },
    }
    if kind not in others:
        raise ValueError(f"unknown kind {kind!r}; choose from {', '.join(KINDS)}")
    return others[kind]


def _depth_files(faces: Sequence[Reconstruction], photo: Photo) -> dict[str, Callable[[Path], object]]:
    """depth16.png and depth.npy, of one map."""
    depth = drawing.depth_map(faces, photo)
    whole = np.rint(np.minimum(depth, DEEPEST)).astype(np.uint16)

    def save(path: Path) -> None:
        with path.open("wb") as file:  # numpy would add a suffix
            np.save(file, depth)

    return {"16.png": lambda path: Image.fromarray(whole).save(path, "PNG"), ".npy": save}


def _jpeg(picture: np.ndarray) -> bytes:
    """JPEG without chroma subsampling, for thin lines."""
    return simplejpeg.encode_jpeg(np.ascontiguousarray(picture), JPEG_QUALITY, colorspace="RGB", colorsubsampling="444")
