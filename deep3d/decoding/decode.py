"""From coefficients to everything that Deep3DFaceRecon computes from them, in its own conventions, for all vertices.

The names, signs and units are those of ParametricFaceModel in Deep3DFaceRecon_pytorch (Deng et al., 2019): pixels count
upward from the bottom of the crop, z of placed vertices is the distance from the camera, nothing is clamped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import savemat
from scipy.io.matlab import MatWriteError

from deep3d.camera import CROP_SIZE, depth, place, project, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import OutputNotWritable
from deep3d.face_model import FaceModel
from deep3d.files.whole_file import written_whole
from deep3d.lighting import shade

FILE_KINDS = (".npz", ".mat")
BATCH = 16  # faces at a time: about 100 MB on top of the result


def decode(model: FaceModel, coefficients: FaceCoefficients) -> dict[str, np.ndarray]:
    """The arrays of B faces, at least one, with V vertices each, float32, seen by the fixed camera of Deep3D.

    face_shape (B, V, 3)             decimetres, model space, before rotation and translation
    face_vertex (B, V, 3)            decimetres, placed; z is the distance from the camera
    face_texture (B, V, 3)           albedo, RGB around [0, 1]
    face_color (B, V, 3)             albedo under the light
    vertex_normal_object (B, V, 3)   of face_shape
    vertex_normal_rotated (B, V, 3)  of the placed face, +z toward the camera
    projection (B, V, 2)             crop pixels, y up
    landmarks (B, 68, 2)             crop pixels, y up
    rotation (B, 3, 3)               for row vectors, multiplied from the right
    """
    parts = [_decode(model, coefficients[start : start + BATCH]) for start in range(0, len(coefficients), BATCH)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write_decoded(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as .npz or .mat, whole or not at all.

    Raises: OutputNotWritable, also for another kind of file.
    """
    path = Path(path)
    if path.suffix not in FILE_KINDS:
        raise OutputNotWritable(f"{path}: unknown kind of file; name it {' or '.join(FILE_KINDS)}")
    try:
        with written_whole(path) as partial, partial.open("wb") as file:
            if path.suffix == ".mat":
                savemat(file, arrays)
            else:
                np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    except OSError as error:
        raise OutputNotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    except MatWriteError as error:
        raise OutputNotWritable(f"{path}: too many faces for a MATLAB file; write .npz, or fewer at a time") from error


def _decode(model: FaceModel, coefficients: FaceCoefficients) -> dict[str, np.ndarray]:
    shape = model.shape(coefficients)
    placed = place(shape, coefficients.rotation, coefficients.translation)
    normals = model.normals(shape)
    rotation = rotation_matrix(coefficients.rotation).mT
    texture = model.albedo(coefficients.albedo)
    return {
        "face_shape": shape,
        "face_vertex": np.concatenate([placed[..., :2], depth(placed)[..., None]], axis=-1),
        "face_texture": texture,
        "face_color": shade(texture, normals @ rotation, coefficients.lighting),
        "vertex_normal_object": normals,
        "vertex_normal_rotated": normals @ rotation,
        "projection": _y_up(project(placed)),
        "landmarks": _y_up(project(model.landmarks(placed))),
        "rotation": rotation,
    }


def _y_up(pixels: np.ndarray) -> np.ndarray:
    return np.stack([pixels[..., 0], CROP_SIZE - 1 - pixels[..., 1]], axis=-1)
